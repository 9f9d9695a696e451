package kernel

// The forward pass from few channels puts the pixels of a row in lanes. An image
// is copied once, with its padding, as [height][channel][width], so that the
// window of a row of results is one panel whose terms lie one float apart: the
// tiles read it where it is and write the rows of the result where they belong.

// rowChannels is how many source channels are few: images in lanes take a
// transposition of every result, which is then most of the work.
const rowChannels = 4

// byRows reports whether the correlation is computed with rows in lanes. It
// depends on the shape alone.
func (c *correlation) byRows() bool {
	v := &c.v
	return c.forward && v.Groups == 1 && v.StrideW == 1 && c.srcC <= rowChannels && c.dstW >= 16
}

// rowsScratch is the packed weights, and an image for each worker.
func (c *correlation) rowsScratch() Scratch {
	v := &c.v
	image := (v.H + 2*v.PadH) * c.srcC * (v.W + 2*v.PadW)
	return Scratch{Shared: c.dstC * c.srcC * v.KH * v.KW, Own: image + overRead}
}

func (p *Pool) correlateRows(c *correlation, dst, src, w, bias []float32) {
	r := &p.conv
	r.c = *c
	p.ReserveBoth(c.rowsScratch())
	r.dst, r.src, r.bias = dst, src, bias
	r.packRowWeights(w)
	p.Run(min(c.v.N, 8*p.workers), r.multiplyRows)
	r.dst, r.src, r.bias = nil, nil, nil
}

// packRowWeights packs the panels of result channels in the order kernel row,
// source channel, kernel column.
func (r *convRun) packRowWeights(w []float32) {
	c, v := &r.c, &r.c.v
	r.packedW = r.pool.scratch[:len(w)]
	panels := panels(c.dstC, active.tile.rows)
	at := 0
	for p := range panels {
		lo, hi := part(c.dstC, panels, p)
		for ky := range v.KH {
			for ch := range c.srcC {
				for kx := range v.KW {
					for o := lo; o < hi; o++ {
						r.packedW[at] = w[((o*c.srcC+ch)*v.KH+ky)*v.KW+kx]
						at++
					}
				}
			}
		}
	}
	if v.MapW != Identity {
		active.unary[v.MapW](r.packedW, r.packedW)
	}
}

// doMultiplyRows computes the results of some images.
func (r *convRun) doMultiplyRows(task, worker int) {
	c, v, t := &r.c, &r.c.v, active.tile
	wide := v.W + 2*v.PadW
	packed := r.pool.own[worker][:(v.H+2*v.PadH)*c.srcC*wide+overRead]
	plane, terms, panels := c.dstH*c.dstW, c.srcC*v.KH*v.KW, panels(c.dstC, t.rows)
	first, end := part(v.N, min(v.N, 8*r.pool.workers), task)
	for n := first; n < end; n++ {
		r.packRows(packed, r.src[n*c.srcC*v.H*v.W:])
		for p := range panels {
			lo, hi := part(c.dstC, panels, p)
			weights, to := r.packedW[lo*terms:hi*terms], r.dst[(n*c.dstC+lo)*plane:][:(hi-lo)*plane]
			for y := range c.dstH {
				for x := 0; x < c.dstW; {
					cols, lanes := t.block(c.dstW - x)
					width, _ := t.size(lanes)
					t.run[width][hi-lo](v.KW, v.KH*c.srcC, weights, packed[y*v.StrideH*c.srcC*wide+x:], to[y*c.dstW+x:],
						hi-lo, 1, 0, wide-v.KW, plane, cols, 0)
					x += cols
				}
			}
			for o := lo; r.bias != nil && o < hi; o++ {
				at := to[(o-lo)*plane : (o-lo+1)*plane]
				active.binaryScalar[Add](at, at, r.bias[o])
			}
			if c.relu {
				active.unary[Relu](to, to)
			}
		}
	}
}

// packRows copies an image with its padding, row by row, all channels of a row
// together.
func (r *convRun) packRows(packed, x []float32) {
	c, v := &r.c, &r.c.v
	wide := v.W + 2*v.PadW
	if v.PadH > 0 || v.PadW > 0 {
		clear(packed)
	}
	for ch := range c.srcC {
		for y := range v.H {
			to := packed[((y+v.PadH)*c.srcC+ch)*wide+v.PadW:][:v.W]
			if row := x[(ch*v.H+y)*v.W:][:v.W]; v.MapX == Identity {
				copy(to, row)
			} else {
				active.unary[v.MapX](to, row)
			}
		}
	}
}
