package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"bayesbench/internal/alloctest"
)

var convShapes = []Conv{
	{N: 1, C: 1, H: 5, W: 6, O: 1, KH: 3, KW: 2, StrideH: 1, StrideW: 1, Groups: 1},
	{N: 3, C: 2, H: 9, W: 8, O: 5, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, Groups: 1},
	{N: 35, C: 4, H: 7, W: 7, O: 6, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1, Groups: 2},
	{N: 20, C: 3, H: 11, W: 10, O: 16, KH: 5, KW: 4, StrideH: 2, StrideW: 3, PadH: 4, PadW: 2, Groups: 1},
	{N: 17, C: 18, H: 4, W: 4, O: 33, KH: 1, KW: 1, StrideH: 2, StrideW: 2, Groups: 1},
	{N: 50, C: 20, H: 6, W: 6, O: 30, KH: 5, KW: 5, StrideH: 1, StrideW: 1, Groups: 1},
	{N: 40, C: 16, H: 2, W: 2, O: 16, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, Groups: 1},
	{N: 2, C: 1, H: 3, W: 3, O: 2, KH: 2, KW: 2, StrideH: 1, StrideW: 1, PadH: 3, PadW: 3, Groups: 1},
	{N: 4, C: 6, H: 8, W: 8, O: 6, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, Groups: 6},
}

// rowShapes have rows in lanes.
var rowShapes = []Conv{
	{N: 5, C: 1, H: 28, W: 28, O: 20, KH: 5, KW: 5, StrideH: 1, StrideW: 1, Groups: 1},
	{N: 3, C: 3, H: 9, W: 37, O: 17, KH: 3, KW: 4, StrideH: 2, StrideW: 1, PadH: 1, PadW: 2, Groups: 1},
	{N: 2, C: 4, H: 7, W: 60, O: 5, KH: 2, KW: 3, StrideH: 1, StrideW: 1, PadH: 0, PadW: 1, Groups: 1},
}

// pixelShapes have pixels in lanes in the gradient of the weights.
var pixelShapes = []Conv{
	{N: 21, C: 1, H: 14, W: 16, O: 20, KH: 5, KW: 5, StrideH: 1, StrideW: 1, Groups: 1},
	{N: 9, C: 3, H: 9, W: 37, O: 17, KH: 3, KW: 4, StrideH: 1, StrideW: 1, PadH: 1, PadW: 2, Groups: 1},
	{N: 8, C: 4, H: 31, W: 60, O: 3, KH: 2, KW: 3, StrideH: 1, StrideW: 1, PadH: 4, PadW: 1, Groups: 1},
	{N: 8, C: 1, H: 2, W: 700, O: 1, KH: 3, KW: 7, StrideH: 1, StrideW: 1, PadH: 1, PadW: 0, Groups: 1},
	{N: 8, C: 2, H: 1, W: 3, O: 9, KH: 2, KW: 2, StrideH: 1, StrideW: 1, PadH: 5, PadW: 4, Groups: 1},
}

// tileShapes are computed by Winograd's transforms.
var tileShapes = []Conv{
	{N: 34, C: 19, H: 8, W: 8, O: 33, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, Groups: 1},
	{N: 3, C: 40, H: 12, W: 14, O: 32, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 0, PadW: 2, Groups: 1},
	{N: 41, C: 32, H: 4, W: 8, O: 48, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, Groups: 1},
	{N: 2, C: 48, H: 6, W: 37, O: 40, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 0, Groups: 1},
	{N: 37, C: 20, H: 12, W: 11, O: 50, KH: 5, KW: 5, StrideH: 1, StrideW: 1, Groups: 1},
	{N: 3, C: 33, H: 9, W: 8, O: 31, KH: 5, KW: 5, StrideH: 1, StrideW: 1, PadH: 2, PadW: 2, Groups: 1},
	{N: 9, C: 40, H: 13, W: 8, O: 24, KH: 5, KW: 5, StrideH: 1, StrideW: 1, PadH: 1, PadW: 3, Groups: 1},
}

// terms calls f for every product x[xi]·w[wi] in y[yi], by the definition.
func (v *Conv) terms(f func(xi, wi, yi int)) {
	oh, ow := v.Out()
	cg, og := v.C/v.Groups, v.O/v.Groups
	for n := range v.N {
		for o := range v.O {
			for oy := range oh {
				for ox := range ow {
					for c := range cg {
						for ky := range v.KH {
							for kx := range v.KW {
								iy, ix := oy*v.StrideH+ky-v.PadH, ox*v.StrideW+kx-v.PadW
								if iy < 0 || ix < 0 || iy >= v.H || ix >= v.W {
									continue
								}
								f(((n*v.C+o/og*cg+c)*v.H+iy)*v.W+ix,
									((o*cg+c)*v.KH+ky)*v.KW+kx,
									((n*v.O+o)*oh+oy)*ow+ox)
							}
						}
					}
				}
			}
		}
	}
}

func widened(op UnaryOp, x []float32) []float64 {
	m := make([]float32, len(x))
	unaryGo[op](m, x)
	w := make([]float64, len(x))
	for i, v := range m {
		w[i] = float64(v)
	}
	return w
}

// convCase is a convolution with its arguments, and what comes of them by the definition in
// float64: the sums, and the sums of the terms' magnitudes, which rounding errors scale with.
type convCase struct {
	Conv
	x, w, dy, bias                []float32
	y, dx, dw, yAbs, dxAbs, dwAbs []float64
}

func newConvCase(v Conv) *convCase {
	nx, nw, ny := v.sizes()
	c := &convCase{Conv: v, x: normals(nx, 1), w: normals(nw, 2), dy: normals(ny, 3), bias: normals(v.O, 4)}
	fx, fw, fdy := widened(v.MapX, c.x), widened(v.MapW, c.w), widened(Identity, c.dy)
	c.y, c.yAbs = make([]float64, ny), make([]float64, ny)
	c.dx, c.dxAbs = make([]float64, nx), make([]float64, nx)
	c.dw, c.dwAbs = make([]float64, nw), make([]float64, nw)
	add := func(sum, abs []float64, at int, term float64) {
		sum[at] += term
		abs[at] += math.Abs(term)
	}
	v.terms(func(xi, wi, yi int) {
		add(c.y, c.yAbs, yi, fx[xi]*fw[wi])
		add(c.dx, c.dxAbs, xi, fdy[yi]*fw[wi])
		add(c.dw, c.dwAbs, wi, fdy[yi]*fx[xi])
	})
	oh, ow := v.Out()
	for i := range c.y {
		add(c.y, c.yAbs, i, float64(c.bias[i/(oh*ow)%v.O]))
		if v.Relu {
			c.y[i] = max(c.y[i], 0)
		}
	}
	return c
}

func TestConv(t *testing.T) {
	var cases []*convCase
	for i, v := range slices.Concat(convShapes, tileShapes, rowShapes, pixelShapes) {
		if i%2 == 1 {
			v.MapX, v.MapW, v.Relu = Square, Exp, true
		}
		cases = append(cases, newConvCase(v))
	}
	workers := []int{1, 2, 3}
	if testing.Short() {
		workers = []int{1, 3}
	}
	withSets(t, func(t *testing.T) {
		for i, v := range cases {
			plain := v.Conv
			plain.MapX, plain.MapW, plain.Relu = Identity, Identity, false
			forward, input := plain.forwardPass(), plain.inputPass()
			if i >= len(convShapes)+len(tileShapes)+len(rowShapes) {
				if !plain.gradByPixels() {
					t.Errorf("%+v: gradient not by pixels", plain)
				}
			} else if i >= len(convShapes)+len(tileShapes) {
				if !forward.byRows() {
					t.Errorf("%+v: not by rows", plain)
				}
			} else if i >= len(convShapes) && (forward.byTiles() == nil || input.byTiles() == nil) {
				t.Errorf("%+v: not by tiles", plain)
			}
			name := fmt.Sprintf("%+v", v.Conv)
			var first [3][]float32
			for _, workers := range workers {
				p := NewPool(workers)
				got := [3][]float32{normals(len(v.y), 5), normals(len(v.x), 6), normals(len(v.w), 7)}
				all := func() {
					p.Conv(&v.Conv, got[0], v.x, v.w, v.bias)
					p.ConvGradInput(&v.Conv, got[1], v.dy, v.w)
					p.ConvGradWeights(&v.Conv, got[2], v.x, v.dy)
				}
				all()
				near(t, "forward "+name, got[0], v.y, v.yAbs, 1e-5)
				near(t, "input gradient "+name, got[1], v.dx, v.dxAbs, 1e-5)
				near(t, "weight gradient "+name, got[2], v.dw, v.dwAbs, 1e-5)
				if n := alloctest.Count(all); n != 0 {
					t.Errorf("%s: %v allocations a call", name, n)
				}
				p.Close()
				if first[0] == nil {
					first = got
				}
				for i := range got {
					if !slices.Equal(first[i], got[i]) {
						t.Fatalf("%s: %d workers give other bits than 1", name, workers)
					}
				}
			}
		}
	})
}

// The products of rows of a set against its twin: lanes fold to the same sums,
// nothing is read beyond n, and nothing written beyond the lanes.
func TestDotsVariants(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			d, nan := v.dots, float32(math.NaN())
			for taps := leastTaps; taps <= mostTaps; taps++ {
				for rows := 1; rows < len(d.run[taps]); rows++ {
					for _, n := range []int{1, 7, 8, 9, 15, 16, 17, 33, 100} {
						lda, ldb := n+3, n+5
						a, b := normals(rows*lda, 1), normals(taps*ldb, 2)
						for i := range a {
							if i%lda >= n {
								a[i] = nan
							}
						}
						for i := range b {
							if i%ldb >= n {
								b[i] = nan
							}
						}
						sums, check := fenced(t, rows*taps*d.lanes, 1)
						Fill(sums, 0.5)
						d.run[taps][rows](n, a[:(rows-1)*lda+n], b[:(taps-1)*ldb+n], sums, lda, ldb)
						check("dots")
						for at := range rows * taps {
							want := make([]float32, dotsGo.lanes)
							portableDots(1, 1)(n, a[at/taps*lda:], b[at%taps*ldb:], want, 0, 0)
							got := sums[at*d.lanes : (at+1)*d.lanes]
							for l := range want {
								for k := l; k < d.lanes; k += len(want) {
									want[l] += 0.5
								}
								sum := got[l]
								if d.lanes > len(want) {
									sum += got[l+len(want)]
								}
								if diff := math.Abs(float64(sum - want[l])); !(diff <= 1e-5) {
									t.Fatalf("%dx%d over %d: sum %d, lane %d is %v, twin %v", rows, taps, n, at, l, sum, want[l])
								}
							}
						}
					}
				}
			}
		})
	}
}

// The convolutions of the networks that the suites train.
var convBenches = []struct {
	name string
	v    Conv
}{
	{"lenet5-1", Conv{N: 100, C: 1, H: 28, W: 28, O: 20, KH: 5, KW: 5, StrideH: 1, StrideW: 1, Groups: 1}},
	{"lenet5-2", Conv{N: 100, C: 20, H: 12, W: 12, O: 50, KH: 5, KW: 5, StrideH: 1, StrideW: 1, Groups: 1}},
	{"vgg-3-16", Conv{N: 100, C: 3, H: 32, W: 32, O: 16, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, Groups: 1}},
	{"vgg-16-16", Conv{N: 100, C: 16, H: 32, W: 32, O: 16, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, Groups: 1}},
	{"vgg-32-32", Conv{N: 100, C: 32, H: 16, W: 16, O: 32, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, Groups: 1}},
	{"vgg-64-64", Conv{N: 100, C: 64, H: 8, W: 8, O: 64, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, Groups: 1}},
	{"vgg-128-128-4", Conv{N: 100, C: 128, H: 4, W: 4, O: 128, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, Groups: 1}},
	{"vgg-128-128-2", Conv{N: 100, C: 128, H: 2, W: 2, O: 128, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, Groups: 1}},
	{"resnet-stem7", Conv{N: 32, C: 3, H: 64, W: 64, O: 64, KH: 7, KW: 7, StrideH: 2, StrideW: 2, PadH: 3, PadW: 3, Groups: 1}},
	{"resnet-64", Conv{N: 32, C: 64, H: 16, W: 16, O: 64, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, Groups: 1}},
	{"resnet-64-128", Conv{N: 32, C: 64, H: 16, W: 16, O: 128, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1, Groups: 1}},
	{"resnet-128", Conv{N: 32, C: 128, H: 8, W: 8, O: 128, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, Groups: 1}},
	{"resnet-256", Conv{N: 32, C: 256, H: 4, W: 4, O: 256, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, Groups: 1}},
	{"resnet-512", Conv{N: 32, C: 512, H: 2, W: 2, O: 512, KH: 3, KW: 3, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, Groups: 1}},
}

// BenchmarkConv counts the operations of the definition, padding included, as
// papers do; taps that are skipped show as speed.
func BenchmarkConv(b *testing.B) {
	for _, s := range convBenches {
		v := s.v
		nx, nw, ny := v.sizes()
		x, w, y := normals(nx, 1), normals(nw, 2), normals(ny, 3)
		for _, workers := range []int{1, 2} {
			run := func(name string, f func(p *Pool)) {
				b.Run(fmt.Sprintf("%s/%s/workers=%d", s.name, name, workers), func(b *testing.B) {
					p := NewPool(workers)
					defer p.Close()
					for b.Loop() {
						f(p)
					}
					gflops(b, 2*ny*(v.C/v.Groups)*v.KH*v.KW)
				})
			}
			run("forward", func(p *Pool) { p.Conv(&v, y, x, w, nil) })
			run("input", func(p *Pool) { p.ConvGradInput(&v, x, y, w) })
			run("weights", func(p *Pool) { p.ConvGradWeights(&v, w, x, y) })
		}
	}
}
