package kernel

// A 3×3 convolution of stride 1 can be computed from tiles of 4×4 results by
// Winograd's F(4×4, 3×3) with 36 products where the definition has 144
// (Winograd, Arithmetic Complexity of Computations, 1980; Lavin and Gray, Fast
// Algorithms for Convolutional Neural Networks, 2016):
//
//	Y = Aᵀ·[ (G·g·Gᵀ) ⊙ (Bᵀ·d·B) ]·A
//
// for a 3×3 kernel g and the 6×6 source pixels d of a tile; summed over source
// channels before the transform on the left, each of the 36 products is a
// matrix product over channels. The gradient with respect to the input is the
// same with the kernel turned; that with respect to the kernel is its adjoint
// in g, Gᵀ·[ (A·dY·Aᵀ) ⊙ (Bᵀ·d·B) ]·G, summed over tiles.
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
	winogradTile = 4                // results of a tile along an axis
	winogradSpan = winogradTile + 2 // source pixels that they depend on
	winogradAll  = winogradSpan * winogradSpan
)

// winogradKind is one of the transforms. Each applies T·X·Tᵀ to n matrices:
// element j of row i of the v'th lies at src[from[i·p+j]+v], and of the result
// at dst[to[i·q+j]+v].
type winogradKind uint8

const (
	winogradInput      winogradKind = iota // Bᵀ: 6×6 to 6×6
	winogradOutput                         // Aᵀ: 6×6 to 4×4
	winogradKernel                         // G: 3×3 to 6×6
	winogradOutputGrad                     // A: 4×4 to 6×6
	winogradKernelGrad                     // Gᵀ: 6×6 to 3×3
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
	winogradInput: twice(6, 6, func(y, x *[winogradSpan]float32) {
		ea, oa := x[4]-wb2*x[2], x[3]-wb2*x[1]
		eb, ob := x[4]-wa2*x[2], x[3]-wa2*x[1]
		y[0] = x[4] - (wa2+wb2)*x[2] + wa2*wb2*x[0]
		y[1], y[2] = ea+wa*oa, ea-wa*oa
		y[3], y[4] = eb+wb*ob, eb-wb*ob
		y[5] = x[5] - (wa2+wb2)*x[3] + wa2*wb2*x[1]
	}),
	winogradOutput: twice(6, 4, func(y, m *[winogradSpan]float32) {
		sa, da, sb, db := m[1]+m[2], m[1]-m[2], m[3]+m[4], m[3]-m[4]
		y[0] = m[0] + sa + sb
		y[1] = wa*da + wb*db
		y[2] = wa2*sa + wb2*sb
		y[3] = m[5] + wa2*wa*da + wb2*wb*db
	}),
	winogradKernel: twice(3, 6, func(u, g *[winogradSpan]float32) {
		ea, oa := 1/wna*g[0]+wa2/wna*g[2], wa/wna*g[1]
		eb, ob := 1/wnb*g[0]+wb2/wnb*g[2], wb/wnb*g[1]
		u[0] = 1 / (wa2 * wb2) * g[0]
		u[1], u[2] = ea+oa, ea-oa
		u[3], u[4] = eb+ob, eb-ob
		u[5] = g[2]
	}),
	winogradOutputGrad: twice(4, 6, func(m, y *[winogradSpan]float32) {
		ea, oa := y[0]+wa2*y[2], y[1]+wa2*y[3]
		eb, ob := y[0]+wb2*y[2], y[1]+wb2*y[3]
		m[0] = y[0]
		m[1], m[2] = ea+wa*oa, ea-wa*oa
		m[3], m[4] = eb+wb*ob, eb-wb*ob
		m[5] = y[3]
	}),
	winogradKernelGrad: twice(6, 3, func(g, u *[winogradSpan]float32) {
		sa, da, sb, db := u[1]+u[2], u[1]-u[2], u[3]+u[4], u[3]-u[4]
		g[0] = 1/(wa2*wb2)*u[0] + 1/wna*sa + 1/wnb*sb
		g[1] = wa/wna*da + wb/wnb*db
		g[2] = u[5] + wa2/wna*sa + wb2/wnb*sb
	}),
}

// twice makes the transform of p×p matrices to q×q from its form in one
// dimension: columns first, then rows.
func twice(p, q int, f func(y, x *[winogradSpan]float32)) winogradFunc {
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
	tileCost   = 1000
	kernelCost = 900
)

// byTiles reports whether the correlation is computed by Winograd's transforms.
// It depends on the shape alone.
func (c *correlation) byTiles() bool {
	v := &c.v
	if v.KH != 3 || v.KW != 3 || v.StrideH != 1 || v.StrideW != 1 || v.Groups != 1 {
		return false
	}
	y, x := c.phase(0)
	taps, pixels := y.taken(c.srcH)*x.taken(c.srcW), c.dstH*c.dstW
	tiles := ceilDiv(c.dstH, winogradTile) * ceilDiv(c.dstW, winogradTile)
	images, pairs, channels := active.tile.width(v.N), c.srcC*c.dstC, c.srcC+c.dstC
	direct := images * (taps*pairs + pixels*pixelCost*channels)
	return images*tiles*(winogradAll*pairs+tileCost*channels)+kernelCost*pairs < direct
}

// gradByTiles reports the same of the gradient with respect to the weights.
func (v *Conv) gradByTiles() bool {
	c := v.forwardPass()
	return c.byTiles()
}
