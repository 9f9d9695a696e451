package data

import (
	"sync/atomic"

	"bayesbench/suites/data/pixel"
)

// kept holds images that were costly to make, until a budget of bytes is spent; the rest is made
// each time. Keeping the first ones serves repeated passes better than keeping the latest, of which
// none would still be there when the next pass comes to them.
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

// picture is picture i, made if it is not kept.
func (k *kept) picture(i int, make func() (pixel.Picture, error)) (pixel.Picture, error) {
	if m := k.images[i].Load(); m != nil {
		return m.Picture(), nil
	}
	p, err := make()
	if err != nil {
		return p, err
	}
	shape := p.Shape()
	cost := int64(shape[0]) * int64(shape[1]) * int64(shape[2])
	if k.budget.Add(-cost) < 0 { // no room
		k.budget.Add(cost)
		return p, nil
	}
	var m pixel.Image
	m = p.Image(&m)
	if !k.images[i].CompareAndSwap(nil, &m) { // another worker was first
		k.budget.Add(cost)
	}
	return m.Picture(), nil
}
