package kernel

import (
	"math"
	"testing"
)

var windowShapes = []Window{
	{Planes: 3, H: 6, W: 8, KH: 2, KW: 2, StrideH: 2, StrideW: 2},
	{Planes: 70, H: 7, W: 9, KH: 2, KW: 2, StrideH: 2, StrideW: 2},
	{Planes: 5, H: 7, W: 9, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1},
	{Planes: 2, H: 5, W: 5, KH: 3, KW: 2, StrideH: 1, StrideW: 2, PadH: 2, PadW: 1},
	{Planes: 40, H: 4, W: 4, KH: 4, KW: 4, StrideH: 4, StrideW: 4},
}

// The pools against their definition: a padded copy and float64.
func TestPools(t *testing.T) {
	withSets(t, func(t *testing.T) {
		for _, v := range windowShapes {
			oh, ow := v.Out()
			x, dy := normals(v.Planes*v.H*v.W, 1), normals(v.Planes*oh*ow, 2)
			for i := range x {
				x[i] = float32(math.Round(float64(x[i]) * 2)) // many ties
			}
			wantMax, wantAvg := make([]float64, len(dy)), make([]float64, len(dy))
			gradMax, gradAvg := make([]float64, len(x)), make([]float64, len(x))
			for yi := range dy {
				plane, oy, ox := yi/(oh*ow), yi/ow%oh, yi%ow
				best, at := math.Inf(-1), -1
				for ky := range v.KH {
					for kx := range v.KW {
						iy, ix := oy*v.StrideH+ky-v.PadH, ox*v.StrideW+kx-v.PadW
						if iy < 0 || ix < 0 || iy >= v.H || ix >= v.W {
							continue
						}
						xi := (plane*v.H+iy)*v.W + ix
						if e := float64(x[xi]); e > best {
							best, at = e, xi
						}
						wantAvg[yi] += float64(x[xi]) / float64(v.KH*v.KW)
						gradAvg[xi] += float64(dy[yi]) / float64(v.KH*v.KW)
					}
				}
				wantMax[yi] = best
				gradMax[at] += float64(dy[yi])
			}
			ones := make([]float64, len(x)+len(dy))
			for i := range ones {
				ones[i] = 1
			}
			p := NewPool(2)
			y, dx := normals(len(dy), 3), normals(len(x), 4)
			p.MaxPool(&v, y, x)
			near(t, "max pool", y, wantMax, ones, 0)
			p.MaxPoolGrad(&v, dx, x, dy)
			near(t, "max pool gradient", dx, gradMax, ones, 2e-6)
			p.AvgPool(&v, y, x)
			near(t, "average pool", y, wantAvg, ones, 1e-6)
			p.AvgPoolGrad(&v, dx, dy)
			near(t, "average pool gradient", dx, gradAvg, ones, 2e-6)
			p.Close()
		}
	})
}
