package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

var windowShapes = []Window{
	{Planes: 3, H: 6, W: 8, KH: 2, KW: 2, StrideH: 2, StrideW: 2},
	{Planes: 70, H: 7, W: 9, KH: 2, KW: 2, StrideH: 2, StrideW: 2},
	{Planes: 9, H: 24, W: 24, KH: 2, KW: 2, StrideH: 2, StrideW: 2},
	{Planes: 3, H: 4, W: 39, KH: 2, KW: 2, StrideH: 2, StrideW: 2},
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
			if v.GradInPlace() {
				over := slices.Clone(x)
				p.MaxPoolGrad(&v, over, over, dy)
				if !slices.Equal(over, dx) {
					t.Errorf("%+v: max pool gradient over its operand differs", v)
				}
			}
			p.AvgPool(&v, y, x)
			near(t, "average pool", y, wantAvg, ones, 1e-6)
			p.AvgPoolGrad(&v, dx, dy)
			near(t, "average pool gradient", dx, gradAvg, ones, 2e-6)
			p.Close()
		}
	})
}

func BenchmarkPool(b *testing.B) {
	for _, v := range []Window{
		{Planes: 2000, H: 24, W: 24, KH: 2, KW: 2, StrideH: 2, StrideW: 2},
		{Planes: 2048, H: 32, W: 32, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1},
	} {
		oh, ow := v.Out()
		x, y, dx := normals(v.Planes*v.H*v.W, 1), normals(v.Planes*oh*ow, 2), make([]float32, v.Planes*v.H*v.W)
		p := NewPool(1)
		defer p.Close()
		run := func(name string, f func()) {
			b.Run(fmt.Sprintf("%s/%dx%d", name, v.KH, v.KW), func(b *testing.B) {
				for b.Loop() {
					f()
				}
				perElement(b, len(x))
			})
		}
		run("max", func() { p.MaxPool(&v, y, x) })
		run("maxgrad", func() { p.MaxPoolGrad(&v, dx, x, y) })
		run("average", func() { p.AvgPool(&v, y, x) })
		run("averagegrad", func() { p.AvgPoolGrad(&v, dx, y) })
	}
}
