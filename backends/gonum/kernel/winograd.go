package kernel

// A convolution of stride 1 can be computed from square tiles of results by
// Winograd's F(m×m, r×r) with (m+r−1)² products where the definition has (m·r)²
// (Winograd, Arithmetic Complexity of Computations, 1980; Lavin and Gray, Fast
// Algorithms for Convolutional Neural Networks, 2016):
//
//	Y = Aᵀ·[ (G·g·Gᵀ) ⊙ (Bᵀ·d·B) ]·A
//
// for an r×r kernel g and the source pixels d of a tile; summed over source
// channels before the transform on the left, each of the products is a matrix
// product over channels. The gradient with respect to the kernel is its adjoint
// in g, Gᵀ·[ (A·dY·Aᵀ) ⊙ (Bᵀ·d·B) ]·G, summed over tiles. That with respect to
// the input is the same with the kernel turned, or the adjoint in d,
// B·[ (G·g·Gᵀ) ⊙ (A·dY·Aᵀ) ]·Bᵀ, whose tiles overlap and add up; the latter has
// fewer tiles where padding is small.
//
// Tiles are F(4×4, 3×3) and F(2×2, 5×5): both depend on 6×6 source pixels, take
// 36 products instead of 144 and 100, and share Bᵀ.
//
// The interpolation points are 0, ±3/4, ±3/2 and ∞ rather than the usual 0, ±1,
// ±2, ∞, which lose twice as much. Over 64 channels of standard normals the
// root-mean-square error is 9e-7 of the results' standard deviation, the
// largest 8e-6, of the gradients no more (winograd_test.go); direct
// summation in float32 has 4e-7 and 3e-6. Two
// things differ from a direct sum. An Inf or NaN reaches its whole tile. And
// where all that a result depends on is 0, it may come out as the rounding
// error of its tile, of either sign; Conv.Relu mends the sign where the
// operands are not negative.

const (
	winogradSpan = 6 // source pixels along an axis that a tile depends on
	winogradAll  = winogradSpan * winogradSpan
	maxTaps      = 5 * 5
)

// tiling is the tiles for one size of kernel.
type tiling struct {
	kernel, tile                             int // r and m
	output, weights, outputGrad, weightsGrad winogradKind
	cost                                     int // see byTiles
}

var tilings = []tiling{
	{3, 4, winogradOutput4, winogradKernel3, winogradOutputGrad4, winogradKernelGrad3, tileCost4},
	{5, 2, winogradOutput2, winogradKernel5, winogradOutputGrad2, winogradKernelGrad5, tileCost2},
}

// tiling returns the tiles that the convolution can be computed by, or nil.
func (v *Conv) tiling() *tiling {
	if v.KH != v.KW || v.StrideH != 1 || v.StrideW != 1 || v.Groups != 1 {
		return nil
	}
	for i := range tilings {
		if tilings[i].kernel == v.KH {
			return &tilings[i]
		}
	}
	return nil
}

func (t *tiling) taps() int { return t.kernel * t.kernel }

// count is how many tiles cover a map of h×w results.
func (t *tiling) count(h, w int) int { return ceilDiv(h, t.tile) * ceilDiv(w, t.tile) }

// winogradKind is one of the transforms. Each applies T·X·Tᵀ to n matrices:
// element j of row i of the v'th lies at src[from[i·p+j]+v], and of the result
// at dst[to[i·q+j]+v], where winogradInputGrad adds it to what is there.
type winogradKind uint8

const (
	winogradInput       winogradKind = iota // Bᵀ: 6×6 to 6×6
	winogradInputGrad                       // B: 6×6 to 6×6, added
	winogradOutput4                         // Aᵀ of m = 4: 6×6 to 4×4
	winogradOutput2                         // Aᵀ of m = 2: 6×6 to 2×2
	winogradKernel3                         // G of r = 3: 3×3 to 6×6
	winogradKernel5                         // G of r = 5: 5×5 to 6×6
	winogradOutputGrad4                     // A of m = 4: 4×4 to 6×6
	winogradOutputGrad2                     // A of m = 2: 2×2 to 6×6
	winogradKernelGrad3                     // Gᵀ of r = 3: 6×6 to 3×3
	winogradKernelGrad5                     // Gᵀ of r = 5: 6×6 to 5×5
	numWinograd
)

type winogradFunc = func(dst, src []float32, to, from []int, n int)

// The interpolation points are 0, ±wa, ±wb and ∞; wna and wnb are the products
// of the differences of one of them from the other finite ones.
const (
	wa, wb   = 0.75, 1.5
	wa2, wb2 = wa * wa, wb * wb
	wna, wnb = 2 * wa2 * (wa2 - wb2), 2 * wb2 * (wb2 - wa2)
)

var winogradGo = [numWinograd]winogradFunc{
	winogradInput: twice(6, 6, false, func(y, x *[winogradSpan]float32) {
		ea, oa := x[4]-wb2*x[2], x[3]-wb2*x[1]
		eb, ob := x[4]-wa2*x[2], x[3]-wa2*x[1]
		y[0] = x[4] - (wa2+wb2)*x[2] + wa2*wb2*x[0]
		y[1], y[2] = ea+wa*oa, ea-wa*oa
		y[3], y[4] = eb+wb*ob, eb-wb*ob
		y[5] = x[5] - (wa2+wb2)*x[3] + wa2*wb2*x[1]
	}),
	winogradInputGrad: twice(6, 6, true, func(x, m *[winogradSpan]float32) {
		sa, da, sb, db := m[1]+m[2], m[1]-m[2], m[3]+m[4], m[3]-m[4]
		x[0] = wa2 * wb2 * m[0]
		x[1] = wa2*wb2*m[5] - wa*wb2*da - wb*wa2*db
		x[2] = -(wa2+wb2)*m[0] - wb2*sa - wa2*sb
		x[3] = wa*da + wb*db - (wa2+wb2)*m[5]
		x[4] = m[0] + sa + sb
		x[5] = m[5]
	}),
	winogradOutput4: twice(6, 4, false, func(y, m *[winogradSpan]float32) {
		sa, da, sb, db := m[1]+m[2], m[1]-m[2], m[3]+m[4], m[3]-m[4]
		y[0] = m[0] + sa + sb
		y[1] = wa*da + wb*db
		y[2] = wa2*sa + wb2*sb
		y[3] = m[5] + wa2*wa*da + wb2*wb*db
	}),
	winogradOutput2: twice(6, 2, false, func(y, m *[winogradSpan]float32) {
		y[0] = m[0] + (m[1] + m[2]) + (m[3] + m[4])
		y[1] = m[5] + wa*(m[1]-m[2]) + wb*(m[3]-m[4])
	}),
	winogradKernel3: twice(3, 6, false, func(u, g *[winogradSpan]float32) {
		ea, oa := 1/wna*g[0]+wa2/wna*g[2], wa/wna*g[1]
		eb, ob := 1/wnb*g[0]+wb2/wnb*g[2], wb/wnb*g[1]
		u[0] = 1 / (wa2 * wb2) * g[0]
		u[1], u[2] = ea+oa, ea-oa
		u[3], u[4] = eb+ob, eb-ob
		u[5] = g[2]
	}),
	winogradKernel5: twice(5, 6, false, func(u, g *[winogradSpan]float32) {
		ea, oa := 1/wna*g[0]+wa2/wna*g[2]+wa2*wa2/wna*g[4], wa/wna*g[1]+wa*wa2/wna*g[3]
		eb, ob := 1/wnb*g[0]+wb2/wnb*g[2]+wb2*wb2/wnb*g[4], wb/wnb*g[1]+wb*wb2/wnb*g[3]
		u[0] = 1 / (wa2 * wb2) * g[0]
		u[1], u[2] = ea+oa, ea-oa
		u[3], u[4] = eb+ob, eb-ob
		u[5] = g[4]
	}),
	winogradOutputGrad4: twice(4, 6, false, func(m, y *[winogradSpan]float32) {
		ea, oa := y[0]+wa2*y[2], y[1]+wa2*y[3]
		eb, ob := y[0]+wb2*y[2], y[1]+wb2*y[3]
		m[0] = y[0]
		m[1], m[2] = ea+wa*oa, ea-wa*oa
		m[3], m[4] = eb+wb*ob, eb-wb*ob
		m[5] = y[3]
	}),
	winogradOutputGrad2: twice(2, 6, false, func(m, y *[winogradSpan]float32) {
		m[0] = y[0]
		m[1], m[2] = y[0]+wa*y[1], y[0]-wa*y[1]
		m[3], m[4] = y[0]+wb*y[1], y[0]-wb*y[1]
		m[5] = y[1]
	}),
	winogradKernelGrad3: twice(6, 3, false, func(g, u *[winogradSpan]float32) {
		sa, da, sb, db := u[1]+u[2], u[1]-u[2], u[3]+u[4], u[3]-u[4]
		g[0] = 1/(wa2*wb2)*u[0] + 1/wna*sa + 1/wnb*sb
		g[1] = wa/wna*da + wb/wnb*db
		g[2] = u[5] + wa2/wna*sa + wb2/wnb*sb
	}),
	winogradKernelGrad5: twice(6, 5, false, func(g, u *[winogradSpan]float32) {
		sa, da, sb, db := u[1]+u[2], u[1]-u[2], u[3]+u[4], u[3]-u[4]
		g[0] = 1/(wa2*wb2)*u[0] + 1/wna*sa + 1/wnb*sb
		g[1] = wa/wna*da + wb/wnb*db
		g[2] = wa2/wna*sa + wb2/wnb*sb
		g[3] = wa*wa2/wna*da + wb*wb2/wnb*db
		g[4] = u[5] + wa2*wa2/wna*sa + wb2*wb2/wnb*sb
	}),
}

// twice makes the transform of p×p matrices to q×q from its form in one
// dimension: columns first, then rows. Its results are added, or replace what
// is there.
func twice(p, q int, add bool, f func(y, x *[winogradSpan]float32)) winogradFunc {
	return func(dst, src []float32, to, from []int, n int) {
		for v := range n {
			var middle [winogradSpan][winogradSpan]float32
			var x, y [winogradSpan]float32
			for j := range p {
				for i := range p {
					x[i] = src[from[i*p+j]+v]
				}
				f(&y, &x)
				for i := range q {
					middle[i][j] = y[i]
				}
			}
			for i := range q {
				f(&y, &middle[i])
				for j := range q {
					if add {
						y[j] += dst[to[i*q+j]+v]
					}
					dst[to[i*q+j]+v] = y[j]
				}
			}
		}
	}
}

// evenly sets offsets to multiples of step.
func evenly(offsets []int, step int) {
	for i := range offsets {
		offsets[i] = i * step
	}
}

// square sets offsets to where the pixels of a square of a map of h×w are, n
// numbers each; those outside the map are at outside.
func square(offsets []int, size, y0, x0, h, w, n, outside int) {
	for i := range size {
		y := y0 + i
		row := offsets[i*size : (i+1)*size]
		for j := range row {
			if x := x0 + j; 0 <= y && y < h && 0 <= x && x < w {
				row[j] = (y*w + x) * n
			} else {
				row[j] = outside
			}
		}
	}
}

// What decides between the two ways, in multiply-adds of a direct sum: one of
// the 36 products costs as much; to pack a channel's pixel takes pixelCost,
// to transform a channel's tile tileCost, to transform a kernel kernelCost.
// They are fitted to the times of both ways for 2 to 64 pixels a side and 3 to
// 512 channels, where what they foretell is right to 20 %.
const (
	pixelCost  = 30
	tileCost4  = 1000
	tileCost2  = 300
	kernelCost = 900
)

// byTiles returns the tiles by which the correlation is computed, or nil. It
// depends on the shape alone.
func (c *correlation) byTiles() *tiling {
	v := &c.v
	t := v.tiling()
	if t == nil {
		return nil
	}
	y, x := c.phase(0)
	taps, pixels := y.taken(c.srcH)*x.taken(c.srcW), c.dstH*c.dstW
	tiles := t.count(c.dstH, c.dstW)
	if c.scatters(t) {
		tiles = t.count(c.srcH, c.srcW)
	}
	images, pairs, channels := active.tile.width(v.N), c.srcC*c.dstC, c.srcC+c.dstC
	direct := images * (taps*pairs + pixels*pixelCost*channels)
	if images*tiles*(winogradAll*pairs+t.cost*channels)+kernelCost*pairs < direct {
		return t
	}
	return nil
}

// scatters reports whether the tiles are those of the source, whose results
// overlap, rather than those of the result: an input gradient of which the
// source is the smaller map.
func (c *correlation) scatters(t *tiling) bool {
	return !c.forward && t.count(c.srcH, c.srcW) < t.count(c.dstH, c.dstW)
}

// gradByTiles returns the same of the gradient with respect to the weights.
func (v *Conv) gradByTiles() *tiling {
	c := v.forwardPass()
	return c.byTiles()
}
