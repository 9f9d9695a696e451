package corrupt

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bayesbench/internal/nearest"
	"bayesbench/suites/data/draw"
	"bayesbench/suites/data/pixel"
)

// Corruption changes an image in one way at one strength.
type Corruption struct {
	name  string
	level int
	scale ladder
	apply func(f field, level int, scale ladder, s *draw.Stream) field
}

// String is the name that Parse reads.
func (c Corruption) String() string { return fmt.Sprintf("%s-%d", c.name, c.level) }

// Apply writes the corrupted src to dst, which shares no memory with it. What is random is drawn
// from s.
func (c Corruption) Apply(dst *pixel.Image, src pixel.Image, s *draw.Stream) {
	f := newField(src.C, src.H, src.W)
	for i, v := range src.Pix {
		f.v[i] = float64(v) / 255
	}
	c.apply(f, c.level, c.scale, s).bytes(dst)
}

// ladder chooses among the published lists of constants.
type ladder int

const (
	mnistC    ladder = iota // one channel
	cifarC                  // colour, up to 48 pixels
	tinyC                   // colour, up to 128 pixels
	imagenetC               // colour, above that
)

func ladderFor(shape [3]int) ladder {
	switch {
	case shape[0] == 1:
		return mnistC
	case shape[1] <= 48:
		return cifarC
	case shape[1] <= 128:
		return tinyC
	}
	return imagenetC
}

// kind is a corruption at any strength. Level counts from 1: the severity, or degrees for rotate.
type kind struct {
	name  string
	most  int
	apply func(f field, level int, scale ladder, s *draw.Stream) field
}

var kinds = slices.Concat(noises, blurs, weathers, digitals, geometries)

// Names lists the kinds of corruption, each with its highest level.
func Names() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, fmt.Sprintf("%s-1…%d", k.name, k.most))
	}
	return names
}

// Parse reads a name such as gaussian-noise-3 or rotate-60, for images of the given shape.
func Parse(name string, shape [3]int) (Corruption, error) {
	i := strings.LastIndexByte(name, '-')
	level, err := strconv.Atoi(name[i+1:])
	kindName := name
	if err == nil && i >= 0 {
		kindName = name[:i]
	}
	for _, k := range kinds {
		if k.name != kindName {
			continue
		}
		if err != nil || level < 1 || level > k.most {
			return Corruption{}, fmt.Errorf("corruption: want %s-N with N from 1 to %d, found %q", k.name, k.most, name)
		}
		return Corruption{k.name, level, ladderFor(shape), k.apply}, nil
	}
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return Corruption{}, fmt.Errorf("corruption %q: unknown; did you mean %q?", name, nearest.Name(kindName, names)+"-1")
}
