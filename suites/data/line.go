package data

import (
	"context"

	"bayesbench/backends/rng"
)

// line is generated: targets that are a linear function of four inputs, with Gaussian noise of
// deviation 1/2. It is for tests of the program, where the posterior is known in closed form and no
// file may be needed.
func init() {
	register(&source{
		Info: Info{
			Name:     "line",
			About:    "generated: 450 + 50 points of a linear function of four numbers with noise of deviation 0.5, 5 splits, for tests",
			Examples: Examples{Numbers, []int{len(lineColumns)}},
			Targets:  Targets{Width: 1},
			Licence:  "none needed",
			Splits:   5,
		},
		load: func(_ context.Context, info Info, _ string, opt Options) (*Set, error) {
			return tableSet(info, makeLine(), lineDivisions(info.Splits), opt), nil
		},
	})
}

const (
	linePoints    = 500
	lineTest      = 50
	lineIntercept = 20.0
	lineNoise     = 0.5
)

// lineColumns are the inputs: input j is mean + scale·n with n nearly standard normal, and adds
// weight·n to the target. All are powers of two or whole, so that every number below is exact and
// has the same bits on every machine.
var lineColumns = []struct{ mean, scale, weight float64 }{
	{0, 1, 2},
	{100, 16, -1},
	{-3, 0.25, 0.5},
	{0, 1024, 0},
}

// makeLine draws the points.
func makeLine() *table {
	columns := len(lineColumns)
	t := &table{inputs: columns, targets: 1}
	words := make([]uint32, 12*(columns+1)*linePoints)
	rng.Bits(words, rng.Key{}, 1)
	normal := func() float64 { // the sum of twelve uniforms less its mean, in steps of 2^-16
		var sum int64
		for _, w := range words[:12] {
			sum += int64(w >> 16)
		}
		words = words[12:]
		return float64(sum-6<<16) * 0x1p-16
	}
	for range linePoints {
		y := lineIntercept
		for _, c := range lineColumns {
			n := normal()
			t.x = append(t.x, c.mean+c.scale*n)
			y += c.weight * n
		}
		t.y = append(t.y, y+lineNoise*normal())
	}
	return t
}

// lineDivisions draws so many divisions into train and test.
func lineDivisions(n int) []division {
	all := make([]division, n)
	for split := range all {
		order := rng.Perm(linePoints, rng.Key{}.Fold(uint32(split)), 2)
		all[split] = division{train: order[lineTest:], test: order[:lineTest]}
	}
	return all
}
