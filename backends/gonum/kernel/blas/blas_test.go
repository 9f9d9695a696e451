package blas

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/gonum"
	"gonum.org/v1/gonum/blas/testblas"

	"bayesbench/backends/gonum/kernel"
	"bayesbench/backends/rng"
)

// double lets gonum's suite, which speaks float64, call Sgemm. The suite's
// matrices are small integers and halves, which float32 holds exactly.
type double struct{ *Implementation }

func (d double) Dgemm(tA, tB blas.Transpose, m, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	c32 := narrow(c)
	d.Sgemm(tA, tB, m, n, k, float32(alpha), narrow(a), lda, narrow(b), ldb, float32(beta), c32, ldc)
	for i, v := range c32 {
		c[i] = float64(v)
	}
}

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

func normals(n int, stream uint32) []float32 {
	x := make([]float32, n)
	rng.Normal(x, rng.Key{3, 4}, stream)
	return x
}

func TestGonumSuite(t *testing.T) {
	pool := kernel.NewPool(2)
	defer pool.Close()
	testblas.TestDgemm(t, double{New(pool)})
}

func TestAgainstGonum(t *testing.T) {
	pool := kernel.NewPool(2)
	defer pool.Close()
	ours := New(pool)
	for trial := range uint32(200) {
		draws := uint32(0)
		below := func(n int) int {
			w, _ := rng.Block(rng.Key{trial, 1}, draws, 0)
			draws++
			return int(w) % n
		}
		random := func(n int) []float32 {
			draws++
			return normals(n, draws)
		}
		m, n, k := 1+below(70), 1+below(70), below(70)
		tA, tB := []blas.Transpose{blas.NoTrans, blas.Trans, blas.ConjTrans}[below(3)], []blas.Transpose{blas.NoTrans, blas.Trans}[below(2)]
		lda, ldb, ldc := max(m, k, 1)+below(4), max(n, k, 1)+below(4), n+below(4)
		alpha, beta := []float32{0, 1, -0.5}[below(3)], []float32{0, 1, 0.25}[below(3)]
		a, b, c := random(lda*max(m, k, 1)), random(ldb*max(n, k, 1)), random(ldc*m)
		if beta == 0 {
			c[0] = float32(math.NaN()) // beta = 0 means that C is not read
		}
		got, want := append([]float32(nil), c...), append([]float32(nil), c...)
		ours.Sgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, got, ldc)
		gonum.Implementation{}.Sgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, want, ldc)
		for i := range want {
			if d := math.Abs(float64(got[i] - want[i])); !(d <= 1e-4) {
				t.Fatalf("%d×%d×%d %c%c alpha %v beta %v: element %d is %v, gonum says %v", m, k, n, tA, tB, alpha, beta, i, got[i], want[i])
			}
		}
	}
}

func TestBadArgumentsPanicAsGonumDoes(t *testing.T) {
	pool := kernel.NewPool(1)
	defer pool.Close()
	ours := New(pool)
	x := make([]float32, 100)
	message := func(f func()) (s string) {
		defer func() { s = fmt.Sprint(recover()) }()
		f()
		return
	}
	for _, args := range []struct {
		t                   blas.Transpose
		m, n, k, a, b, c, l int
	}{
		{'X', 2, 2, 2, 2, 2, 2, 100}, {blas.NoTrans, -1, 2, 2, 2, 2, 2, 100}, {blas.NoTrans, 2, 3, 2, 1, 3, 3, 100},
		{blas.NoTrans, 2, 3, 2, 2, 2, 3, 100}, {blas.NoTrans, 2, 3, 2, 2, 3, 2, 100}, {blas.NoTrans, 9, 9, 9, 9, 9, 9, 80},
	} {
		call := func(s interface {
			Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int)
		}) string {
			return message(func() {
				s.Sgemm(args.t, blas.NoTrans, args.m, args.n, args.k, 1, x[:args.l], args.a, x[:args.l], args.b, 0, x[:args.l], args.c)
			})
		}
		if got, want := call(ours), call(gonum.Implementation{}); got != want || !strings.Contains(want, "blas") {
			t.Errorf("%+v: panic %q, gonum's %q", args, got, want)
		}
	}
}

func BenchmarkSgemm(b *testing.B) {
	pool := kernel.NewPool(0)
	defer pool.Close()
	defer blas32.Use(gonum.Implementation{})
	const m, k, n = 100, 784, 300
	x := blas32.General{Rows: m, Cols: k, Stride: k, Data: normals(m*k, 1)}
	y := blas32.General{Rows: k, Cols: n, Stride: n, Data: normals(k*n, 2)}
	z := blas32.General{Rows: m, Cols: n, Stride: n, Data: make([]float32, m*n)}
	for _, s := range []struct {
		name string
		impl blas.Float32
	}{{"kernel", New(pool)}, {"gonum", gonum.Implementation{}}} {
		b.Run(s.name, func(b *testing.B) {
			blas32.Use(s.impl)
			b.ReportAllocs()
			for b.Loop() {
				blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, x, y, 0, z)
			}
			b.ReportMetric(2*m*k*n*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
		})
	}
}
