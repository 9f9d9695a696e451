package kernel

// Bands is a product that is computed a band of rows at a time, by whoever asks
// for the band: every worker packs all of B for itself at its first band, and a
// panel of A just before it multiplies. So nothing but the operands passes from
// one core to another, and what comes before and after the product can be done
// band by band while the rows are in cache.
type Bands struct {
	g       Gemm
	c, a, b []float32
	bias    Bias
	scratch []float32
	has     []bool // of each worker: B, packed
}

// NewBands makes the product of g for the workers of the pool.
func (p *Pool) NewBands(g *Gemm) *Bands {
	return &Bands{g: g.defaults(), has: make([]bool, p.workers)}
}

// BandCount is the number of bands that m rows are cut into.
func BandCount(m int) int { return panels(m, active.tile.rows) }

// BandRows is the rows lo to hi of one of the bands of m rows.
func BandRows(m, band int) (lo, hi int) { return part(m, BandCount(m), band) }

// Count is the number of bands.
func (b *Bands) Count() int { return BandCount(b.g.M) }

// Scratch is how many floats of scratch the product needs.
func (b *Bands) Scratch() int { return len(b.has) * b.g.bandScratch() }

// bandScratch is one worker's share of it: B, and a panel of A.
func (g *Gemm) bandScratch() int {
	t := active.tile
	return roundUp(g.K*t.width(g.N)+g.K*t.rows, 16)
}

// Begin binds the operands of a run. Scratch is the product's own until End.
func (b *Bands) Begin(c, a, bb []float32, bias Bias, scratch []float32) {
	b.c, b.a, b.b, b.bias, b.scratch = c, a, bb, bias, scratch
	clear(b.has)
}

// End lets the operands go.
func (b *Bands) End() { b.c, b.a, b.b, b.bias, b.scratch = nil, nil, nil, Bias{}, nil }

// Do computes one band.
func (b *Bands) Do(band, worker int) {
	g := &b.g
	width := active.tile.width(g.N)
	own := b.scratch[worker*g.bandScratch():]
	packedB, packedA := own[:g.K*width], own[g.K*width:]
	parts := kParts(g.K)
	if !b.has[worker] {
		for i := range parts {
			k0, k1 := part(g.K, parts, i)
			packB(g, packedB[k0*width:k1*width], b.b, k0, k1, 0, g.N)
		}
		b.has[worker] = true
	}
	lo, hi := BandRows(g.M, band)
	for i := range parts {
		k0, k1 := part(g.K, parts, i)
		panel := packedA[:(hi-lo)*(k1-k0)]
		packA(g, panel, b.a, lo, hi, k0, k1)
		multiplyPanel(g, b.c[lo*g.LDC:], panel, packedB[k0*width:], hi-lo, g.N, k1-k0, g.Accumulate || i > 0)
	}
	epilogue(g, b.c, &b.bias, lo, hi, 0, g.N)
}
