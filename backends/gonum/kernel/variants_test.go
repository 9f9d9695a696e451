package kernel

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bayesbench/backends/rng"
	"bayesbench/internal/alloctest"
)

// ulpLimit is the stated error of each elementary function against float64,
// in units of the last place of the result. The other unary functions are exact.
var ulpLimit = map[UnaryOp]float64{
	Exp: 1.5, Log: 1.5, Log1p: 2.5, Tanh: 2, Sigmoid: 2.5, Softplus: 2.5,
	Sin: 1.5, Cos: 1.5,
}

// wide are the functions in float64.
var wide = map[UnaryOp]func(float64) float64{
	Exp: math.Exp, Log: math.Log, Log1p: math.Log1p, Tanh: math.Tanh, Sin: math.Sin, Cos: math.Cos,
	Sigmoid:  func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
	Softplus: func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) },
}

// ulps is the distance of got from want in units in the last place of want;
// 0 where both are the same infinity or NaN.
func ulps(got float32, want float64) float64 {
	w := float32(want)
	if got == w || got != got && w != w {
		return 0
	}
	unit := float64(math.Float32frombits(math.Float32bits(max(w, -w))+1)) - math.Abs(float64(w))
	return math.Abs(float64(got)-want) / max(unit, 0x1p-149)
}

// specials are the values at which functions break.
var specials = func() []float32 {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	s := []float32{0, 1, 0.5, 2, 0.625, 0.7071067, 1.4142135, 88, 88.72, 88.73, 89, 103.9, 104, 105, 1e-3, 1e-7, 1e-10, 1e-38, 1e-45, 1e-40, 1.17549435e-38,
		3.4028235e38, 1e30, 16777216, 0.99999994, 1.0000001, 0.9999, 20, 10, 9, 2.5, 3.5, inf, nan}
	for _, v := range slices.Clone(s) {
		s = append(s, -v)
	}
	return s
}()

// sweep is a dense walk over all magnitudes, with the specials in front.
func sweep() []float32 {
	x := slices.Clone(specials)
	for e := -40.0; e < 38; e += 0.01 {
		x = append(x, float32(math.Pow(10, e)), -float32(math.Pow(10, e)))
	}
	for v := -110.0; v < 110; v += 0.013 {
		x = append(x, float32(v))
	}
	return x
}

// sizes and offsets reach every tail and every misalignment.
var sizes = []int{0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 1000}

const canary = 12345.678

// fenced returns a slice of n floats at an odd offset within a larger array of
// canaries, and a check that they stand.
func fenced(t *testing.T, n, offset int) (x []float32, check func(what string)) {
	all := make([]float32, n+offset+40)
	Fill(all, canary)
	x = all[offset+17 : offset+17+n : offset+17+n]
	return x, func(what string) {
		t.Helper()
		for i, v := range all {
			if (i < offset+17 || i >= offset+17+n) && v != canary {
				t.Fatalf("%s of %d elements wrote outside, %d from its start", what, n, i-offset-17)
			}
		}
	}
}

// sameBits says whether two results are equal, all NaNs being one and both
// zeros.
func sameBits(a, b float32) bool { return a == b || a != a && b != b }

// places runs f for every set, size and offset, with inputs full of specials.
func places(t *testing.T, f func(t *testing.T, v set, n, offset int, in [3][]float32)) {
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			for _, n := range sizes {
				for offset := range 3 {
					var in [3][]float32
					for j := range in {
						in[j], _ = fenced(t, n, (offset+j)%3)
						copy(in[j], normals(n, uint32(j)))
						for i := range in[j] {
							if i%(3+j) == 1 {
								in[j][i] = specials[(i*(7+j)+n)%len(specials)]
							}
						}
					}
					f(t, v, n, offset, in)
				}
			}
		})
	}
}

// A group takes max(x, 0) for ir.Relu: in every variant a NaN stays, and −0 becomes 0, as in ref.
func TestMaxWithZero(t *testing.T) {
	for _, v := range variants() {
		if v.binaryScalar[Max] == nil {
			continue
		}
		for _, n := range sizes {
			x, dst := make([]float32, n), make([]float32, n)
			Fill(x, float32(math.Copysign(0, -1)))
			if n > 0 {
				x[n-1] = float32(math.NaN())
			}
			v.binaryScalar[Max](dst, x, 0)
			for i, y := range dst {
				if i < n-1 && math.Float32bits(y) != 0 || i == n-1 && y == y {
					t.Fatalf("%s: max(%v, 0) of %d elements is %v (%#x)", v.name, x[i], n, y, math.Float32bits(y))
				}
			}
		}
	}
}

func TestUnaryVariants(t *testing.T) {
	places(t, func(t *testing.T, v set, n, offset int, in [3][]float32) {
		for op, f := range v.unary {
			if f == nil {
				continue
			}
			name := UnaryOp(op).String()
			want := make([]float32, n)
			unaryGo[op](want, in[0])
			dst, check := fenced(t, n, offset)
			f(dst, in[0])
			check(name)
			limit := ulpLimit[UnaryOp(op)]
			for i := range dst {
				if limit == 0 && !sameBits(dst[i], want[i]) || limit > 0 && ulps(dst[i], float64(want[i])) > limit+0.5 {
					t.Fatalf("%s(%v) = %v, twin %v", name, in[0][i], dst[i], want[i])
				}
			}
			copyOf := slices.Clone(in[0])
			f(copyOf, copyOf)
			for i := range dst {
				if math.Float32bits(dst[i]) != math.Float32bits(copyOf[i]) {
					t.Fatalf("%s in place differs at %d of %d", name, i, n)
				}
			}
			// The bits of an element do not depend on where it stands.
			for i := range min(n, 5) {
				f(copyOf[:1], in[0][i:i+1])
				if math.Float32bits(dst[i]) != math.Float32bits(copyOf[0]) {
					t.Fatalf("%s(%v) depends on its place", name, in[0][i])
				}
			}
		}
	})
}

func TestAccuracy(t *testing.T) {
	x := sweep()
	y := make([]float32, len(x))
	withSets(t, func(t *testing.T) {
		for op, limit := range ulpLimit {
			op.Apply(y, x)
			worst, at := 0.0, float32(0)
			for i, v := range x {
				if u := ulps(y[i], wide[op](float64(v))); !(u <= worst) {
					worst, at = u, v
				}
			}
			if !(worst <= limit) {
				t.Errorf("%s(%v): %.2f ulp, stated %.2f", op, at, worst, limit)
			}
			t.Logf("%s: %.2f ulp at %v", op, worst, at)
		}
	})
}

func TestBinaryVariants(t *testing.T) {
	places(t, func(t *testing.T, v set, n, offset int, in [3][]float32) {
		s := float32(1.5)
		if offset < len(specials) && n > 0 {
			s = specials[(n+offset)%len(specials)]
		}
		want := make([]float32, n)
		// fma in float64 rounds twice, so it may be one ulp off.
		check := func(name string, want []float32, limit float64, f func(dst []float32)) {
			t.Helper()
			dst, fence := fenced(t, n, offset)
			f(dst)
			fence(name)
			for i := range dst {
				if !sameBits(dst[i], want[i]) && ulps(dst[i], float64(want[i])) > limit {
					t.Fatalf("%s at %d of %d with a = %v, b = %v, s = %v: %v, twin %v", name, i, n, in[0][i], in[1][i], s, dst[i], want[i])
				}
			}
		}
		for op := range numBinary {
			if f := v.binary[op]; f != nil {
				portable.binary[op](want, in[0], in[1])
				check(op.String(), want, 0, func(dst []float32) { f(dst, in[0], in[1]) })
			}
			if f := v.binaryScalar[op]; f != nil {
				portable.binaryScalar[op](want, in[0], s)
				check(op.String()+" scalar", want, 0, func(dst []float32) { f(dst, in[0], s) })
			}
			if f := v.scalarBinary[op]; f != nil {
				portable.scalarBinary[op](want, in[0], s)
				check("scalar "+op.String(), want, 0, func(dst []float32) { f(dst, in[0], s) })
			}
		}
		if v.sel != nil {
			portable.sel(want, in[2], in[0], in[1])
			check("select", want, 0, func(dst []float32) { v.sel(dst, in[2], in[0], in[1]) })
		}
		if v.fma != nil {
			for i := range want {
				want[i] = float32(math.FMA(float64(in[0][i]), float64(in[1][i]), float64(in[2][i])))
			}
			check("fma", want, 1, func(dst []float32) { v.fma(dst, in[0], in[1], in[2]) })
		}
		if v.fnma != nil {
			for i := range want {
				want[i] = float32(math.FMA(-float64(in[0][i]), float64(in[1][i]), float64(in[2][i])))
			}
			check("fnma", want, 1, func(dst []float32) { v.fnma(dst, in[0], in[1], in[2]) })
		}
		if v.fmaScalar != nil {
			for i := range want {
				want[i] = float32(math.FMA(float64(in[0][i]), float64(s), float64(in[2][i])))
			}
			check("fma scalar", want, 1, func(dst []float32) { v.fmaScalar(dst, in[0], in[2], s) })
		}
		// The first product of a weighted sum is not rounded, the other is.
		if v.weighted != nil {
			for i := range want {
				want[i] = float32(math.FMA(float64(in[0][i]), float64(s), float64(in[1][i]*0.3)))
			}
			check("weighted", want, 1, func(dst []float32) { v.weighted(dst, in[0], in[1], s, 0.3) })
		}
		if v.weightedProduct != nil {
			for i := range want {
				want[i] = float32(math.FMA(float64(in[0][i]), float64(s), float64(in[1][i]*in[2][i]*0.3)))
			}
			check("weighted product", want, 1, func(dst []float32) { v.weightedProduct(dst, in[0], in[1], in[2], s, 0.3) })
		}
		if v.adam != nil {
			// As the operations one by one.
			k := [6]float32{0.9, 0.1, 0.999, 0.001, s, 1e-8}
			positive := slices.Clone(in[1])
			for i, x := range positive {
				positive[i] = max(x, -x)
			}
			var got [3][]float32
			var fences []func(string)
			for j := range got {
				var fence func(string)
				got[j], fence = fenced(t, n, offset)
				fences = append(fences, fence)
			}
			v.adam(got[0], got[1], got[2], in[2], in[0], positive, in[0], &k)
			for j, want := range [3][]float32{make([]float32, n), make([]float32, n), make([]float32, n)} {
				fences[j]("adam")
				for i := range n {
					switch j {
					case 1:
						v.weighted(want[i:i+1], in[0][i:i+1], in[0][i:i+1], k[0], k[1])
						want[i] = normalOrZero(want[i])
					case 2:
						v.weightedProduct(want[i:i+1], positive[i:i+1], in[0][i:i+1], in[0][i:i+1], k[2], k[3])
						want[i] = normalOrZero(want[i])
					default:
						v.overRoot(want[i:i+1], got[1][i:i+1], got[2][i:i+1], k[5])
						v.fmaScalar(want[i:i+1], want[i:i+1], in[2][i:i+1], k[4])
					}
					if !sameBits(got[j][i], want[i]) {
						t.Fatalf("adam at %d of %d, result %d: %v, want %v", i, n, j, got[j][i], want[i])
					}
				}
			}
		}
		if v.overRoot != nil {
			portable.overRoot(want, in[0], in[1], s)
			check("over root", want, 0, func(dst []float32) { v.overRoot(dst, in[0], in[1], s) })
		}
	})
}

func TestNoise(t *testing.T) {
	k := rng.Key{99, 12}
	const total = 5000
	wantU, wantN := make([]float32, total), make([]float32, total)
	rng.Uniform(wantU, k, 7)
	rng.Normal(wantN, k, 7)
	withSets(t, func(t *testing.T) {
		whole := make([]float32, total)
		Normal(whole, k, 7, 0)
		for _, n := range sizes {
			for _, start := range []int{0, 16, 1600, 3984, 1, 17, 1607, 3999} {
				if start%16 != 0 && n < 16 {
					continue
				}
				u, checkU := fenced(t, n, 1)
				Uniform(u, k, 7, uint64(start))
				checkU("uniform")
				if !slices.Equal(u, wantU[start:start+n]) {
					t.Fatalf("%d uniforms from %d on differ from the definition", n, start)
				}
				z, checkN := fenced(t, n, 1)
				Normal(z, k, 7, uint64(start))
				checkN("normal")
				if a := alloctest.Count(func() { Uniform(u, k, 7, uint64(start)); Normal(z, k, 7, uint64(start)) }); a != 0 {
					t.Fatalf("noise of %d elements: %v allocations", n, a)
				}
				if !slices.Equal(z, whole[start:start+n]) {
					t.Fatalf("%d normals from %d on are not those of the whole stream", n, start)
				}
				for i, v := range z {
					want := wantN[start+i]
					if d := math.Abs(float64(v - want)); d > 0x1p-24 && ulps(v, float64(want)) > 4 {
						t.Fatalf("normal %d is %v, want %v", start+i, v, want)
					}
				}
			}
		}
		// Counters go on from 2³²−1 at 0.
		u := make([]float32, 100)
		Uniform(u, k, 7, 1<<33-37)
		if !slices.Equal(u[37:], wantU[:63]) {
			t.Error("the stream does not begin again after 2³³ elements")
		}
	})
}

func TestReductions(t *testing.T) {
	withSets(t, func(t *testing.T) {
		for _, n := range append(sizes, 4096, 4097, 100000) {
			a, b := normals(n, 1), normals(n, 2)
			var sum, sumAbs, dot, dotAbs, exp float64
			best := math.Inf(-1)
			for i := range a {
				sum += float64(a[i])
				sumAbs += math.Abs(float64(a[i]))
				dot += float64(a[i]) * float64(b[i])
				dotAbs += math.Abs(float64(a[i]) * float64(b[i]))
				exp += math.Exp(float64(a[i]))
				best = max(best, float64(a[i]))
			}
			near(t, "sum", []float32{Sum(a)}, []float64{sum}, []float64{sumAbs}, 1e-6)
			near(t, "dot", []float32{Dot(a, b)}, []float64{dot}, []float64{dotAbs}, 1e-6)
			near(t, "sum of exp", []float32{active.sumExp(a)}, []float64{exp}, []float64{exp}, 2e-6)
			if m := MaxOf(a); float64(m) != best {
				t.Fatalf("max of %d is %v, want %v", n, m, best)
			}
			if n > 0 {
				a[n/2] = float32(math.NaN())
				if m := MaxOf(a); m == m {
					t.Fatalf("max of %d with a NaN is %v", n, m)
				}
			}
			if n <= sumChunk && n > 0 {
				a[n/2] = 1
				if got, want := active.sum(a), sumGo(a); got != want {
					t.Fatalf("sum of %d: lanes joined in another order: %v, twin %v", n, got, want)
				}
			}
		}
	})
}

func TestColumns(t *testing.T) {
	withSets(t, func(t *testing.T) {
		const rows, cols = 13, 37
		x := normals(rows*cols, 1)
		gotCols, maxCols := make([]float32, cols-5), make([]float32, cols)
		SumCols(gotCols, x[5:], rows, cols)
		MaxCols(maxCols, x, rows, cols)
		for c := range cols {
			var s float64
			best := math.Inf(-1)
			for r := range rows {
				s += float64(x[r*cols+c])
				best = max(best, float64(x[r*cols+c]))
			}
			if c >= 5 && math.Abs(s-float64(gotCols[c-5])) > 1e-5 || best != float64(maxCols[c]) {
				t.Errorf("column %d: sum want %v; max %v, want %v", c, s, maxCols[c], best)
			}
		}
	})
}

func TestMoves(t *testing.T) {
	withSets(t, func(t *testing.T) {
		for _, rows := range []int{1, 2, 5, 8, 13, 16, 33} {
			for _, cols := range []int{1, 3, 8, 15, 24, 50} {
				x := normals(rows*cols, 1)
				dst, check := fenced(t, rows*cols, 1)
				Transpose(dst, x, rows, cols)
				check("transpose")
				for r := range rows {
					for c := range cols {
						if dst[c*rows+r] != x[r*cols+c] {
							t.Fatalf("transpose of %d×%d: element %d, %d out of place", rows, cols, r, c)
						}
					}
				}
			}
		}
		for _, rows := range []int{1, 3, 8} {
			for cols := 1; cols < 40; cols++ {
				x := normals((rows-1)*45+cols, 1)
				dst, check := fenced(t, (rows-1)*50+cols, 1)
				Fill(dst, canary)
				active.copyRows(dst, 50, x, 45, rows, cols)
				check("copyRows")
				for i, v := range dst {
					if r, c := i/50, i%50; c < cols && v != x[r*45+c] || c >= cols && v != canary {
						t.Fatalf("copy of %d×%d: element %d, %d is %v", rows, cols, r, c, v)
					}
				}
			}
		}
		for _, r := range []int{1, 3, 16, 40} {
			x := normals(7, 1)
			dst := make([]float32, 7*r)
			RepeatEach(dst, x, r)
			tiled := make([]float32, 7*r)
			TileRow(tiled, x, 9)
			for i := range dst {
				if dst[i] != x[i/r] || tiled[i] != x[(i+9)%7] {
					t.Fatalf("r = %d: element %d out of place", r, i)
				}
			}
		}
	})
}

func TestLogSoftmax(t *testing.T) {
	withSets(t, func(t *testing.T) {
		for _, cols := range []int{1, 2, 10, 17, 100, 1000} {
			const rows = 5
			x := normals(rows*cols, 1)
			for i := range x {
				x[i] *= 30
			}
			y := make([]float32, len(x))
			LogSoftmax(y, x, rows, cols)
			for r := range rows {
				lo := r * cols
				top, sum := math.Inf(-1), 0.0
				for i := lo; i < lo+cols; i++ {
					top = max(top, float64(x[i]))
				}
				for i := lo; i < lo+cols; i++ {
					sum += math.Exp(float64(x[i]) - top)
				}
				for i := lo; i < lo+cols; i++ {
					want := float64(x[i]) - top - math.Log(sum)
					if math.Abs(float64(y[i])-want) > 2e-6*(1+math.Abs(want)) {
						t.Fatalf("%d columns: log-softmax %v, want %v", cols, y[i], want)
					}
				}
			}
		}
	})
}

// A function of the AVX2 set that touched a register or mask of AVX-512 would
// run here and fault elsewhere.
func TestAVX2KeepsToItsRegisters(t *testing.T) {
	text, err := os.ReadFile("asm_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	beyond := regexp.MustCompile(`\b(Z\d+|K[0-7]|[XY](1[6-9]|[23]\d))\b|VPROLD|VRNDSCALE|VSCALEF|BLENDM`)
	seen := 0
	for _, f := range strings.Split(string(text), "\nTEXT ")[1:] {
		name, _, _ := strings.Cut(f, "(SB)")
		if !strings.Contains(name, "AVX2") {
			continue
		}
		seen++
		if hit := beyond.FindString(f); hit != "" {
			t.Errorf("%s uses %s", name, hit)
		}
	}
	if seen < 50 {
		t.Errorf("only %d functions of the AVX2 set found", seen)
	}
}

// perElement reports nanoseconds an element.
func perElement(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/element")
}

func BenchmarkVector(b *testing.B) {
	const n = 1024
	x, y, z, dst := normals(n, 1), normals(n, 2), normals(n, 3), make([]float32, n)
	saved := active
	defer func() { active = saved }()
	active = portable
	for _, v := range append([]set{portable}, variants()...) {
		active = active.overlaid(v)
		run := func(name string, f func()) {
			b.Run(fmt.Sprintf("%s/%s", name, v.name), func(b *testing.B) {
				for b.Loop() {
					f()
				}
				perElement(b, n)
			})
		}
		for op := Neg; op < numUnary; op++ {
			run(op.String(), func() { op.Apply(dst, x) })
		}
		for op := range numBinary {
			run(op.String(), func() { op.Apply(dst, x, y) })
		}
		run("fma", func() { FMA(dst, x, y, z) })
		run("select", func() { Select(dst, x, y, z) })
		run("uniform", func() { Uniform(dst, rng.Key{1, 2}, 3, 0) })
		run("normal", func() { Normal(dst, rng.Key{1, 2}, 3, 0) })
		run("sum", func() { Sum(x) })
		run("dot", func() { Dot(x, y) })
		run("maxof", func() { MaxOf(x) })
		run("logsoftmax16", func() { LogSoftmax(dst, x, n/16, 16) })
		run("transpose", func() { Transpose(dst, x, 32, 32) })
	}
}
