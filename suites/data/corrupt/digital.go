package corrupt

import (
	"bytes"
	"image"
	"image/jpeg"

	"bayesbench/suites/data/draw"
	"bayesbench/suites/data/pixel"
)

var digitals = []kind{
	{"contrast", 5, contrast},
	{"elastic", 5, elastic},
	{"pixelate", 5, pixelate},
	{"jpeg", 5, jpegCompression},
}

// contrast pulls each plane towards its mean.
func contrast(f field, level int, scale ladder, _ *draw.Stream) field {
	c := [...][5]float64{
		{.4, .3, .2, .1, .05},
		{.75, .5, .4, .3, .15},
		{.4, .3, .2, .1, .05},
		{.4, .3, .2, .1, .05},
	}[scale][level-1]
	for k := range f.c {
		p := f.plane(k)
		mean := 0.0
		for _, v := range p {
			mean += v / float64(len(p))
		}
		for i, v := range p {
			p[i] = (v-mean)*c + mean
		}
	}
	return f
}

// pixelate shrinks the image and enlarges it again, with a box filter.
func pixelate(f field, level int, scale ladder, _ *draw.Stream) field {
	c := [...][5]float64{
		{.6, .5, .4, .3, .25},
		{.95, .9, .85, .75, .65},
		{.9, .8, .7, .6, .5},
		{.6, .5, .4, .3, .25},
	}[scale][level-1]
	return f.throughBytes(func(m pixel.Image) pixel.Image {
		var small, out pixel.Image
		small.Resize(m, int(float64(m.H)*c), int(float64(m.W)*c), pixel.Box)
		out.Resize(small, m.H, m.W, pixel.Box)
		return out
	})
}

// jpegCompression compresses at a low quality, with halved colour resolution.
func jpegCompression(f field, level int, scale ladder, _ *draw.Stream) field {
	quality := [...][5]int{
		{25, 18, 15, 10, 7},
		{80, 65, 58, 50, 40},
		{65, 58, 50, 40, 25},
		{25, 18, 15, 10, 7},
	}[scale][level-1]
	return f.throughBytes(func(m pixel.Image) pixel.Image {
		var src image.Image
		if m.C == 1 {
			src = &image.Gray{Pix: m.Pix, Stride: m.W, Rect: image.Rect(0, 0, m.W, m.H)}
		} else {
			rgba := image.NewRGBA(image.Rect(0, 0, m.W, m.H))
			for i := range m.H * m.W {
				rgba.Pix[4*i], rgba.Pix[4*i+1], rgba.Pix[4*i+2], rgba.Pix[4*i+3] = m.Plane(0)[i], m.Plane(1)[i], m.Plane(2)[i], 255
			}
			src = rgba
		}
		var file bytes.Buffer
		err := jpeg.Encode(&file, src, &jpeg.Options{Quality: quality})
		if err == nil {
			var back pixel.Image
			if back, err = pixel.Decode(file.Bytes()); err == nil {
				return pixel.Image{C: m.C, H: m.H, W: m.W, Pix: back.Pix[:len(m.Pix)]}
			}
		}
		panic(err) // writing to and reading from memory does not fail
	})
}

// throughBytes applies a change that works on bytes.
func (f field) throughBytes(change func(pixel.Image) pixel.Image) field {
	var m pixel.Image
	f.bytes(&m)
	for i, v := range change(m).Pix {
		f.v[i] = float64(v) / 255
	}
	return f
}

// elastic moves three points of the image at random and pulls the rest along (an affine map), then
// shifts each pixel by a smooth random field.
func elastic(f field, level int, scale ladder, s *draw.Stream) field {
	type stretch struct{ strength, smooth, affine float64 } // in image sides
	c := [...][5]stretch{
		{{2, .7, .1}, {2, .08, .2}, {.05, .01, .02}, {.07, .01, .02}, {.12, .01, .02}},
		{{0, 0, .08}, {.05, .2, .07}, {.08, .06, .06}, {.1, .04, .05}, {.1, .03, .03}},
		{{0, 0, .08}, {.05, .3, .06}, {.1, .08, .06}, {.1, .03, .03}, {.16, .03, .02}},
		{{2, .7, .1}, {2, .08, .2}, {.05, .01, .02}, {.07, .01, .02}, {.12, .01, .02}},
	}[scale][level-1]
	side := float64(f.w)
	centre, reach := float64(f.w/2), float64(min(f.h, f.w)/3)
	from := [3][2]float64{{centre + reach, centre + reach}, {centre + reach, centre - reach}, {centre - reach, centre - reach}}
	to := from
	for i := range to {
		for k := range to[i] {
			to[i][k] += side * s.Between(-c.affine, c.affine)
		}
	}
	pull := affineThrough(to, from)
	outside := edge(mirrorEdge)
	if scale == mnistC {
		outside = nearestEdge // digits have a black rim
	}
	moved := f.like()
	for k := range f.c {
		p := moved.plane(k)
		for y := range f.h {
			for x := range f.w {
				fx, fy := float64(x), float64(y)
				p[y*f.w+x] = f.sample(k, pull[3]*fx+pull[4]*fy+pull[5], pull[0]*fx+pull[1]*fy+pull[2], outside)
			}
		}
	}
	shift := func() []float64 {
		d := newField(1, f.h, f.w)
		for i := range d.v {
			d.v[i] = s.Between(-1, 1)
		}
		d = d.gaussian(c.smooth*side, 3, reflectEdge)
		for i := range d.v {
			d.v[i] *= c.strength * side
		}
		return d.v
	}
	dx, dy := shift(), shift()
	outside = reflectEdge
	if scale == mnistC {
		outside = nearestEdge
	}
	out := f.like()
	for k := range f.c {
		p := out.plane(k)
		for y := range f.h {
			for x := range f.w {
				i := y*f.w + x
				p[i] = moved.sample(k, float64(y)+dy[i], float64(x)+dx[i], outside)
			}
		}
	}
	return out
}

// affineThrough is the map (x, y) → (a0 x + a1 y + a2, a3 x + a4 y + a5) that sends the points
// from[i] to to[i].
func affineThrough(from, to [3][2]float64) (a [6]float64) {
	x1, y1 := from[1][0]-from[0][0], from[1][1]-from[0][1]
	x2, y2 := from[2][0]-from[0][0], from[2][1]-from[0][1]
	det := x1*y2 - x2*y1
	for k := range 2 {
		u1, u2 := to[1][k]-to[0][k], to[2][k]-to[0][k]
		gx, gy := (u1*y2-u2*y1)/det, (x1*u2-x2*u1)/det
		a[3*k], a[3*k+1] = gx, gy
		a[3*k+2] = to[0][k] - gx*from[0][0] - gy*from[0][1]
	}
	return a
}
