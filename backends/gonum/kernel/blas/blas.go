package blas

import (
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"bayesbench/backends/gonum/kernel"
)

// Implementation is a gonum blas.Float32 implementation. Its methods may be
// called by several goroutines; products take turns on one pool.
type Implementation struct {
	gonum.Implementation
	mu   sync.Mutex
	pool *kernel.Pool
}

var (
	_ blas.Float32       = (*Implementation)(nil)
	_ blas.Float32Level3 = (*Implementation)(nil)
)

// New returns an implementation that computes on the pool given, which must
// serve no one else.
func New(pool *kernel.Pool) *Implementation { return &Implementation{pool: pool} }

// Sgemm computes C = alpha·op(A)·op(B) + beta·C as gonum's Sgemm documents it,
// panics on bad arguments included.
func (i *Implementation) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	transA, transB := tA != blas.NoTrans, tB != blas.NoTrans
	// gonum's own says what is wrong with arguments, and does what needs no
	// product.
	if alpha == 0 || k == 0 || !valid(tA, m, k, a, lda) || !valid(tB, k, n, b, ldb) || !valid(blas.NoTrans, m, n, c, ldc) {
		i.Implementation.Sgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	if beta != 0 && beta != 1 {
		for r := range m {
			row := c[r*ldc : r*ldc+n]
			kernel.Mul.ApplyScalar(row, row, beta)
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.pool.Gemm(&kernel.Gemm{
		M: m, N: n, K: k,
		TransA: transA, TransB: transB,
		LDA: lda, LDB: ldb, LDC: ldc,
		Scale: alpha, Accumulate: beta != 0,
	}, c, a, b, kernel.Bias{})
}

// valid says whether x holds op(X) of rows×cols, which is not empty.
func valid(t blas.Transpose, rows, cols int, x []float32, ld int) bool {
	switch t {
	default:
		return false
	case blas.NoTrans:
	case blas.Trans, blas.ConjTrans:
		rows, cols = cols, rows
	}
	return rows > 0 && cols > 0 && ld >= cols && len(x) >= (rows-1)*ld+cols
}
