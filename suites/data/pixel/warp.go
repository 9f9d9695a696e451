package pixel

import "math"

// Affine makes m, which keeps src's shape, by pulling each pixel from where the map sends it. In
// coordinates whose whole numbers are pixel edges, the centre (x+½, y+½) is pulled from
//
//	(a[0](x+½) + a[1](y+½) + a[2],  a[3](x+½) + a[4](y+½) + a[5])
//
// bilinearly, as Pillow's transform(AFFINE, BILINEAR) does: what comes from outside src is black,
// and the half pixel along its edge is constant.
func (m *Image) Affine(src Image, a [6]float64) {
	m.Reshape(src.C, src.H, src.W)
	w, h := float64(src.W), float64(src.H)
	for y := range src.H {
		for x := range src.W {
			cx, cy := float64(x)+0.5, float64(y)+0.5
			sx := a[0]*cx + a[1]*cy + a[2]
			sy := a[3]*cx + a[4]*cy + a[5]
			at := y*src.W + x
			if sx < 0 || sx >= w || sy < 0 || sy >= h {
				for c := range src.C {
					m.Pix[c*src.H*src.W+at] = 0
				}
				continue
			}
			sx -= 0.5
			sy -= 0.5
			fx, fy := math.Floor(sx), math.Floor(sy)
			dx, dy := sx-fx, sy-fy
			x0, x1 := max(int(fx), 0), min(int(fx)+1, src.W-1)
			y0, y1 := max(int(fy), 0), min(int(fy)+1, src.H-1)
			for c := range src.C {
				p := src.Plane(c)
				top := float64(p[y0*src.W+x0]) + dx*(float64(p[y0*src.W+x1])-float64(p[y0*src.W+x0]))
				low := float64(p[y1*src.W+x0]) + dx*(float64(p[y1*src.W+x1])-float64(p[y1*src.W+x0]))
				m.Pix[c*src.H*src.W+at] = uint8(top + dy*(low-top))
			}
		}
	}
}

// About is the map for Affine that pulls through the 2x2 matrix [[xx xy] [yx yy]] about m's centre.
func About(m Image, xx, xy, yx, yy float64) [6]float64 {
	cx, cy := float64(m.W)/2, float64(m.H)/2
	return [6]float64{
		xx, xy, cx - xx*cx - xy*cy,
		yx, yy, cy - yx*cx - yy*cy,
	}
}

// Rotation is the map for Affine that turns m by degrees counter-clockwise about its centre.
func Rotation(m Image, degrees float64) [6]float64 {
	s, c := math.Sincos(degrees * math.Pi / 180)
	return About(m, c, -s, s, c)
}
