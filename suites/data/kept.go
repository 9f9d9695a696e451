package data

import (
	"sync/atomic"

	"bayesbench/suites/data/pixel"
)

// kept holds images that were costly to make, until a budget of bytes is spent; the rest is made each time. Keeping the
// first ones serves repeated passes better than keeping the latest, of which none would still be there when the next pass
// comes to them.
type kept struct {
	budget *atomic.Int64 // shared by the splits of a set
	images []atomic.Pointer[pixel.Image]
}

func newKept(n int, budget *atomic.Int64) *kept {
	return &kept{budget, make([]atomic.Pointer[pixel.Image], n)}
}

// budget is what Options.CacheBytes says.
func (opt Options) budget() *atomic.Int64 {
	b := new(atomic.Int64)
	b.Store(opt.CacheBytes)
	if opt.CacheBytes == 0 {
		b.Store(256 << 20)
	}
	return b
}

// image is image i, made if it is not kept.
func (k *kept) image(i int, make func() (pixel.Image, error)) (pixel.Image, error) {
	if m := k.images[i].Load(); m != nil {
		return *m, nil
	}
	m, err := make()
	if err != nil {
		return m, err
	}
	cost := int64(len(m.Pix))
	if k.budget.Add(-cost) < 0 || !k.images[i].CompareAndSwap(nil, &m) {
		k.budget.Add(cost) // no room, or another worker was first
	}
	return m, nil
}
