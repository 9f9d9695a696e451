package kernel

import (
	"fmt"
	"math"
	"testing"
)

// winogradSides are the sides of what each transform takes and gives.
var winogradSides = [numWinograd][2]int{
	winogradInput: {6, 6}, winogradInputGrad: {6, 6}, winogradOutput4: {6, 4}, winogradOutput2: {6, 2},
	winogradKernel3: {3, 6}, winogradKernel5: {5, 6}, winogradOutputGrad4: {4, 6}, winogradOutputGrad2: {2, 6},
	winogradKernelGrad3: {6, 3}, winogradKernelGrad5: {6, 5},
}

// Each transform of a set against its twin, whatever the number of matrices
// and wherever their elements lie.
func TestWinogradVariants(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			for kind, f := range v.winograd {
				p, q := winogradSides[kind][0], winogradSides[kind][1]
				for _, n := range []int{1, 7, 8, 15, 16, 17, 33, 64, 100} {
					from, to := make([]int, p*p), make([]int, q*q)
					for i := range from {
						from[i] = (p*p - 1 - i) * (n + 3)
					}
					evenly(to, n+1)
					x := normals(p*p*(n+3), 1)
					want := make([]float32, q*q*(n+1))
					winogradGo[kind](want, x, to, from, n)
					got, check := fenced(t, len(want), 1)
					Fill(got, 0)
					f(got, x, to, from, n)
					check("transform")
					for i, g := range got {
						if d := math.Abs(float64(g - want[i])); d > 1e-5 {
							t.Fatalf("transform %d of %d matrices: element %d is %v, twin %v", kind, n, i, g, want[i])
						}
					}
				}
			}
		})
	}
}

// The error of a convolution by tiles, as winograd.go states it, relative to the
// standard deviation of the results, and the same for the gradients.
func TestWinogradAccuracy(t *testing.T) {
	for _, v := range []Conv{
		{N: 8, C: 64, H: 8, W: 8, O: 64, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, Groups: 1},
		{N: 8, C: 20, H: 12, W: 12, O: 50, KH: 5, KW: 5, StrideH: 1, StrideW: 1, Groups: 1},
	} {
		t.Run(fmt.Sprintf("%dx%d", v.KH, v.KW), func(t *testing.T) { testAccuracy(t, v) })
	}
}

func testAccuracy(t *testing.T, v Conv) {
	nx, nw, ny := v.sizes()
	x, w, dy := normals(nx, 1), normals(nw, 2), normals(ny, 3)
	want := [3][]float64{make([]float64, ny), make([]float64, nx), make([]float64, nw)}
	v.terms(func(xi, wi, yi int) {
		want[0][yi] += float64(x[xi]) * float64(w[wi])
		want[1][xi] += float64(dy[yi]) * float64(w[wi])
		want[2][wi] += float64(dy[yi]) * float64(x[xi])
	})
	withSets(t, func(t *testing.T) {
		if v.gradByTiles() == nil {
			t.Fatal("not by tiles")
		}
		p := NewPool(1)
		defer p.Close()
		got := [3][]float32{make([]float32, ny), make([]float32, nx), make([]float32, nw)}
		p.Conv(&v, got[0], x, w, nil)
		p.ConvGradInput(&v, got[1], dy, w)
		p.ConvGradWeights(&v, got[2], x, dy)
		for k, name := range []string{"forward", "input gradient", "weight gradient"} {
			var square, off, worst float64
			for i, g := range got[k] {
				d := float64(g) - want[k][i]
				square, off, worst = square+want[k][i]*want[k][i], off+d*d, max(worst, math.Abs(d))
			}
			n := float64(len(got[k]))
			off, worst = math.Sqrt(off/square), worst/math.Sqrt(square/n)
			t.Logf("%s: root-mean-square error %.2g, largest %.2g", name, off, worst)
			if off > 1e-6 || worst > 1e-5 {
				t.Errorf("%s: root-mean-square error %.2g, largest %.2g", name, off, worst)
			}
		}
	})
}

// Where the operands are not negative and all that a result depends on is 0,
// Relu leaves nothing below 0, beside pixels that are large.
func TestWinogradOfNonNegatives(t *testing.T) {
	v := Conv{N: 3, C: 32, H: 12, W: 12, O: 32, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, Groups: 1, MapX: Square, MapW: Exp}
	if c := v.forwardPass(); c.byTiles() == nil {
		t.Fatal("not by tiles")
	}
	nx, nw, ny := v.sizes()
	x, w, y := normals(nx, 1), normals(nw, 2), make([]float32, ny)
	for i := range x {
		if i%12 < 6 {
			x[i] = 0
		} else {
			x[i] *= 100
		}
	}
	withSets(t, func(t *testing.T) {
		p := NewPool(1)
		defer p.Close()
		below := func() (n int) {
			p.Conv(&v, y, x, w, nil)
			for _, e := range y {
				if e < 0 {
					n++
				}
			}
			return n
		}
		v.Relu = false
		if below() == 0 {
			t.Error("nothing to mend: the test's input is too easy")
		}
		v.Relu = true
		if n := below(); n > 0 {
			t.Errorf("%d results below 0", n)
		}
	})
}
