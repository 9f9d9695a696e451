package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"bayesbench/backends/rng"
)

// normals returns n standard normals.
func normals(n int, stream uint32) []float32 {
	x := make([]float32, n)
	rng.Normal(x, rng.Key{1, 2}, stream)
	return x
}

// near fails the test unless got is within tol·scale of want everywhere.
func near(t *testing.T, what string, got []float32, want, scale []float64, tol float64) {
	t.Helper()
	for i, g := range got {
		if d := math.Abs(float64(g) - want[i]); !(d <= tol*(scale[i]+1e-6)) {
			t.Fatalf("%s: element %d is %v, want %v (off by %.2g of scale %.3g)", what, i, g, want[i], d, scale[i])
		}
	}
}

// productWanted computes g in float64 by the definition, and the sum of
// absolute terms, which bounds the rounding error.
func productWanted(g *Gemm, c, a, b []float32, bias Bias) (want, scale []float64) {
	d := g.defaults()
	want, scale = make([]float64, len(c)), make([]float64, len(c))
	for i, v := range c {
		want[i] = float64(v)
	}
	fa, fb := widened(g.MapA, a), widened(g.MapB, b)
	alpha := 1.0
	if g.Scale != 0 {
		alpha = float64(g.Scale)
	}
	for i := range d.M {
		for j := range d.N {
			var s, abs float64
			if d.Accumulate {
				s = float64(c[i*d.LDC+j])
				abs = math.Abs(s)
			}
			for k := range d.K {
				ai, bi := i*d.LDA+k, k*d.LDB+j
				if d.TransA {
					ai = k*d.LDA + i
				}
				if d.TransB {
					bi = j*d.LDB + k
				}
				p := alpha * fa[ai] * fb[bi]
				s += p
				abs += math.Abs(p)
			}
			if bias.Row != nil {
				s += float64(bias.Row[j])
				abs += math.Abs(float64(bias.Row[j]))
			}
			if bias.Col != nil {
				s += float64(bias.Col[i])
				abs += math.Abs(float64(bias.Col[i]))
			}
			if d.Relu {
				s = max(s, 0)
			}
			want[i*d.LDC+j], scale[i*d.LDC+j] = s, abs
		}
	}
	return want, scale
}

// withSets runs f under the portable kernels and under every set that lies
// over them on this CPU.
func withSets(t *testing.T, f func(t *testing.T)) {
	saved := active
	defer func() { active = saved }()
	active = portable
	t.Run(active.name, f)
	for _, v := range variants() {
		active = active.overlaid(v)
		t.Run(active.name, f)
	}
}

// gemmCase is a product with its arguments, and what comes of them by the definition in float64,
// with the scale of its rounding errors.
type gemmCase struct {
	Gemm
	c, a, b     []float32
	bias        Bias
	want, scale []float64
}

func newGemmCase(m, n, k, variant int) *gemmCase {
	g := Gemm{M: m, N: n, K: k, TransA: variant&1 != 0, TransB: variant&2 != 0, Accumulate: variant&4 != 0}
	var bias Bias
	pad := 0
	if variant&8 != 0 {
		g.MapA, g.MapB, g.Scale, g.Relu, pad = Square, Exp, 0.5, true, 3
		bias = Bias{Row: normals(g.N, 5), Col: normals(g.M, 6)}
	}
	d := g.defaults()
	g.LDA, g.LDB, g.LDC = d.LDA+pad, d.LDB+pad, d.LDC+pad
	rowsA, rowsB := g.M, g.K
	if g.TransA {
		rowsA = g.K
	}
	if g.TransB {
		rowsB = g.N
	}
	c := &gemmCase{Gemm: g, c: normals(g.M*g.LDC, 3), a: normals(rowsA*g.LDA, 1), b: normals(rowsB*g.LDB, 2), bias: bias}
	c.want, c.scale = productWanted(&g, c.c, c.a, c.b, bias)
	return c
}

func TestGemm(t *testing.T) {
	shapes := [][3]int{{1, 1, 1}, {3, 5, 7}, {16, 32, 8}, {14, 33, 20}, {100, 10, 30}, {17, 300, 64}, {29, 47, 1100}, {5, 9, 5000}, {65, 1, 3}, {1, 65, 3}, {8, 8, 0}, {300, 100, 64}, {70, 45, 1100}}
	var cases []*gemmCase
	for _, s := range shapes {
		for variant := range 16 {
			cases = append(cases, newGemmCase(s[0], s[1], s[2], variant))
		}
	}
	workers := []int{1, 2, 3}
	if testing.Short() {
		workers = []int{1, 3}
	}
	withSets(t, func(t *testing.T) {
		for _, g := range cases {
			name := fmt.Sprintf("%+v", g.Gemm)
			var first []float32
			for _, workers := range workers {
				p := NewPool(workers)
				got := slices.Clone(g.c)
				p.Gemm(&g.Gemm, got, g.a, g.b, g.bias)
				p.Close()
				near(t, name, got, g.want, g.scale, 1e-6*(3+math.Sqrt(float64(g.K))))
				if first == nil {
					first = got
				} else if !slices.Equal(first, got) {
					t.Fatalf("%s: %d workers give other bits than 1", name, workers)
				}
			}
		}
	})
}

func TestGemmDoesNotAllocate(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	for _, g := range []Gemm{{M: 100, N: 300, K: 784}, {M: 20, N: 25, K: 5000, TransB: true}} {
		a, b, c := normals(g.M*g.K, 1), normals(g.K*g.N, 2), make([]float32, g.M*g.N)
		bias := Bias{Row: normals(g.N, 3)}
		p.Reserve(p.GemmScratch(&g))
		if n := testing.AllocsPerRun(10, func() { p.Gemm(&g, c, a, b, bias) }); n != 0 {
			t.Errorf("%d×%d×%d: %v allocations a call", g.M, g.K, g.N, n)
		}
	}
}

func BenchmarkGemm(b *testing.B) {
	for _, s := range [][3]int{{100, 300, 784}, {100, 100, 300}, {300, 784, 100}, {2048, 2048, 2048}} {
		for variant := range 4 {
			g := Gemm{M: s[0], N: s[1], K: s[2], TransA: variant&1 != 0, TransB: variant&2 != 0}
			if g.M > 1000 && variant > 0 {
				continue
			}
			x, y, c := normals(g.M*g.K, 1), normals(g.K*g.N, 2), make([]float32, g.M*g.N)
			for _, workers := range []int{1, 2} {
				b.Run(fmt.Sprintf("%dx%dx%d/%s%s/workers=%d", g.M, g.K, g.N, transLetter(g.TransA), transLetter(g.TransB), workers), func(b *testing.B) {
					p := NewPool(workers)
					defer p.Close()
					b.ReportAllocs()
					for b.Loop() {
						p.Gemm(&g, c, x, y, Bias{})
					}
					gflops(b, 2*g.M*g.N*g.K)
				})
			}
		}
	}
}

func transLetter(t bool) string {
	if t {
		return "T"
	}
	return "N"
}

// gflops reports the rate of a benchmark that does flops operations a round.
func gflops(b *testing.B, flops int) {
	b.ReportMetric(float64(flops)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
}
