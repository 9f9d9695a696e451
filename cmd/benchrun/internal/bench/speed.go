package bench

import (
	"time"

	"bayesbench/backends"
	"bayesbench/backends/ir"
)

// share is how much of a matrix product's speed a training step was seen to
// reach; the rest goes to elementwise work, noise and small layers.
const share = 0.35

// Speed estimates how many floating-point operations a second a job's
// programs get through on a backend, from a matrix product timed now.
func Speed(backend string) (float64, error) {
	be, err := backends.Open(backend)
	if err != nil {
		return 0, err
	}
	defer be.Close()
	const n = 256
	p, err := ir.Build("speed", func(b *ir.Builder) {
		b.Result("c", b.MatMul(b.Param("a", ir.Float(n, n)), b.Param("b", ir.Float(n, n)), false, true))
	})
	if err != nil {
		return 0, err
	}
	exe, err := be.Compile(p)
	if err != nil {
		return 0, err
	}
	defer exe.Close()
	var bufs [3]backends.Buffer
	for i := range bufs {
		if bufs[i], err = be.Alloc(ir.Float(n, n)); err != nil {
			return 0, err
		}
	}
	c := make([]float32, n*n)
	best := time.Duration(1 << 62)
	for deadline := time.Now().Add(100 * time.Millisecond); ; {
		start := time.Now()
		if err := exe.Run(bufs[:2], bufs[2:]); err != nil {
			return 0, err
		}
		if err := bufs[2].Read(backends.Data{F32: c}); err != nil {
			return 0, err
		}
		best = min(best, time.Since(start))
		if time.Now().After(deadline) {
			return share * p.FLOPs() / best.Seconds(), nil
		}
	}
}
