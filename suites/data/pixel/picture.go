package pixel

import (
	"image"
	"image/color"
)

// Picture is an image that may still be as its decoder left it: planes of luma and of reduced
// chroma, say. What is asked of it is converted then, and nothing else.
type Picture struct {
	rgb     Image
	decoded image.Image // nil where rgb is the picture
	limited bool        // decoded has luma of 16 to 235 and chroma of 16 to 240, as WebP does, not 0 to 255 as JPEG
}

// Picture returns m as a picture, which shares its memory.
func (m Image) Picture() Picture { return Picture{rgb: m} }

// Shape is the picture's channels, height and width.
func (p Picture) Shape() [3]int {
	if p.decoded == nil {
		return [3]int{p.rgb.C, p.rgb.H, p.rgb.W}
	}
	b := p.decoded.Bounds()
	return [3]int{3, b.Dy(), b.Dx()}
}

// Image returns all of p: p's own memory, which the caller must not change, or scratch if it had to
// be converted.
func (p Picture) Image(scratch *Image) Image {
	shape := p.Shape()
	return p.window(scratch, 0, 0, shape[1], shape[2])
}

// Window makes dst the h x w window of p whose top left corner is (y, x). The window must lie
// inside p.
func (p Picture) Window(dst *Image, y, x, h, w int) {
	if p.decoded == nil {
		dst.Crop(p.rgb, y, x, h, w)
		return
	}
	p.window(dst, y, x, h, w)
}

// window returns a window of p, in p's memory if it is all of a converted picture, else in scratch.
func (p Picture) window(scratch *Image, y, x, h, w int) Image {
	if p.decoded == nil {
		if h != p.rgb.H || w != p.rgb.W {
			scratch.Crop(p.rgb, y, x, h, w)
			return *scratch
		}
		return p.rgb
	}
	scratch.Reshape(3, h, w)
	switch src := p.decoded.(type) {
	case *image.YCbCr:
		if p.limited {
			scratch.fromYCbCr(src, y, x, limitedToRGB)
		} else {
			scratch.fromYCbCr(src, y, x, toRGB)
		}
	case *image.Gray:
		for r := range h {
			row := src.Pix[(y+r)*src.Stride+x:][:w]
			for c := range 3 {
				copy(scratch.Plane(c)[r*w:], row)
			}
		}
	default:
		b := src.Bounds()
		red, green, blue := scratch.Plane(0), scratch.Plane(1), scratch.Plane(2)
		for r := range h {
			for s := range w {
				p := color.NRGBAModel.Convert(src.At(b.Min.X+x+s, b.Min.Y+y+r)).(color.NRGBA)
				red[r*w+s], green[r*w+s], blue[r*w+s] = p.R, p.G, p.B
			}
		}
	}
	return *scratch
}

// fromYCbCr converts the window of src, of m's size, whose top left corner is (y, x), a line at a
// time.
func (m *Image) fromYCbCr(src *image.YCbCr, y, x int, convert func(r, g, b, luma, cb, cr []uint8)) {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	full := src.Bounds()
	c := chroma{src: src, height: full.Dy(), width: full.Dx(), x: x, n: m.W}
	c.wide, c.high = reduction(src.SubsampleRatio)
	s.cb, s.cr = grown(s.cb, m.W+2), grown(s.cr, m.W+2)
	s.sums = grown(s.sums, m.W+4)
	red, green, blue := m.Plane(0), m.Plane(1), m.Plane(2)
	for r := range m.H {
		cb := c.row(s.cb, s.sums, src.Cb, y+r)
		cr := c.row(s.cr, s.sums, src.Cr, y+r)
		luma := src.Y[(y+r)*src.YStride+x:][:m.W]
		convert(red[r*m.W:][:m.W], green[r*m.W:][:m.W], blue[r*m.W:][:m.W], luma, cb, cr)
	}
}

// toRGB converts a line in libjpeg's fixed point.
func toRGB(r, g, b, luma, cb, cr []uint8) {
	// Equal lengths that the compiler sees, so that it checks no index below.
	r, g, b, cb, cr = r[:len(luma)], g[:len(luma)], b[:len(luma)], cb[:len(luma)], cr[:len(luma)]
	for x, l := range luma {
		u, v := int32(cb[x])-128, int32(cr[x])-128
		y := int32(l)<<16 + 1<<15
		r[x] = clip((y + 91881*v) >> 16)
		g[x] = clip((y - 22554*u - 46802*v) >> 16)
		b[x] = clip((y + 116130*u) >> 16)
	}
}

// limitedToRGB converts a line in libwebp's fixed point (ITU-R BT.601 of limited range):
//
//	R = 1.164 (Y−16) + 1.596 (V−128)
//	G = 1.164 (Y−16) − 0.391 (U−128) − 0.813 (V−128)
//	B = 1.164 (Y−16) + 2.018 (U−128)
func limitedToRGB(r, g, b, luma, cb, cr []uint8) {
	r, g, b, cb, cr = r[:len(luma)], g[:len(luma)], b[:len(luma)], cb[:len(luma)], cr[:len(luma)]
	scaled := func(v uint8, by int32) int32 { return int32(v) * by >> 8 }
	for x, l := range luma {
		y := scaled(l, 19077)
		r[x] = clip((y + scaled(cr[x], 26149) - 14234) >> 6)
		g[x] = clip((y - scaled(cb[x], 6419) - scaled(cr[x], 13320) + 8708) >> 6)
		b[x] = clip((y + scaled(cb[x], 33050) - 17685) >> 6)
	}
}

// clip is v within 0 … 255. Most values are, so a branch costs less than two comparisons.
func clip(v int32) uint8 {
	if uint32(v) > 255 {
		v = ^(v >> 31) // all ones above, zeros below
	}
	return uint8(v)
}

// reduction is how many pixels a chroma sample stands for across and down.
func reduction(r image.YCbCrSubsampleRatio) (wide, high int) {
	switch r {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 1, 1
}

// chroma brings columns x … x+n-1 of a chroma plane to full resolution. A sample of the reduced
// plane lies in the middle of the pixels it stands for; a pixel is 3/4 the nearer and 1/4 the next
// nearer sample in each reduced direction.
type chroma struct {
	src           *image.YCbCr
	wide, high    int
	height, width int // of the picture
	x, n          int
}

// row returns row y of the plane: in out, of at least n+2 bytes, or in the plane itself. sums holds
// n+4 numbers.
func (c *chroma) row(out []uint8, sums []int32, plane []uint8, y int) []uint8 {
	all := (c.width + c.wide - 1) / c.wide // samples in a row
	line := func(i int) []uint8 { return plane[i*c.src.CStride:][:all] }
	near := line(y / c.high)
	if c.wide == 4 { // repeated, not interpolated, as libjpeg does
		out = out[:c.n]
		for i := range out {
			out[i] = near[(c.x+i)/4]
		}
		return out
	}
	if c.wide == 1 && c.high == 1 {
		return near[c.x:][:c.n]
	}
	first, last := c.x/c.wide, (c.x+c.n-1)/c.wide // the samples whose pixels are wanted
	from, to := max(first-1, 0), min(last+2, all) // and their neighbours
	// sums[0] is the neighbour on the left of the first sample, and so on; at an edge it is the
	// sample itself.
	sums = sums[:last-first+3]
	inner := sums[from-(first-1):][:to-from]
	if c.high == 1 {
		for i, v := range near[from:to] {
			inner[i] = int32(v)
		}
	} else {
		far := line(max(y/2-1, 0))
		if y%2 == 1 {
			far = line(min(y/2+1, (c.height+1)/2-1))
		}
		near, far := near[from:to], far[from:to]
		far = far[:len(near)]
		inner = inner[:len(near)]
		for i, v := range near {
			inner[i] = 3*int32(v) + int32(far[i])
		}
	}
	if c.wide == 1 {
		// Rounding alternates between rows, so that it does not shift the mean.
		round := int32(1 + y%2)
		out = out[:c.n]
		for i, v := range sums[1:][:c.n] {
			out[i] = uint8((v + round) >> 2)
		}
		return out
	}
	if first == 0 {
		sums[0] = sums[1]
	}
	if last == all-1 {
		sums[len(sums)-1] = sums[len(sums)-2]
	}
	// Rounding alternates between columns. libjpeg's constants: 1 and 2 of 4, 8 and 7 of 16.
	even, odd, shift := int32(1), int32(2), 2
	if c.high == 2 {
		even, odd, shift = 8, 7, 4
	}
	left, mid := sums[0], sums[1]
	pairs := out[:2*(last-first+1)]
	for _, right := range sums[2:] {
		pairs[0] = uint8((3*mid + left + even) >> shift)
		pairs[1] = uint8((3*mid + right + odd) >> shift)
		pairs = pairs[2:]
		left, mid = mid, right
	}
	return out[c.x-2*first:][:c.n]
}
