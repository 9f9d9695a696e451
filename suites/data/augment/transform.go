package augment

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"bayesbench/internal/nearest"
	"bayesbench/suites/data/draw"
	"bayesbench/suites/data/pixel"
)

// Transform makes a changed copy of an image.
type Transform interface {
	fmt.Stringer // the name that Parse reads
	// Apply writes the changed src to dst, which never shares memory with it.
	Apply(dst *pixel.Image, src pixel.Image, s *draw.Stream)
}

// Sizer is a Transform that takes images of any size and gives one size. As the first of a chain it
// is given images as they are stored, not yet resized to the set's shape, and converts only what it
// keeps of them.
type Sizer interface {
	Transform
	// View is Apply of a picture.
	View(dst *pixel.Image, src pixel.Picture, s *draw.Stream)
}

// scratch is for images that live within one Apply.
var scratch = sync.Pool{New: func() any { return new(pixel.Image) }}

// Parse reads the name of a transform for images of side x side: flip, pad-crop-P,
// random-resized-crop, resize-crop-S, augmix-S.
func Parse(name string, side int) (Transform, error) {
	kind, number, numbered := name, 0, false
	if i := strings.LastIndexByte(name, '-'); i >= 0 {
		if n, err := strconv.Atoi(name[i+1:]); err == nil {
			kind, number, numbered = name[:i], n, true
		}
	}
	for _, k := range kinds {
		if k.name != kind {
			continue
		}
		if numbered != (k.most > 0) || numbered && (number < k.least || number > k.most) {
			if k.most == 0 {
				return nil, fmt.Errorf("transform: want %s without a number, found %q", k.name, name)
			}
			return nil, fmt.Errorf("transform: want %s-N with N from %d to %d, found %q", k.name, k.least, k.most, name)
		}
		t := k.make(number, side)
		if r, ok := t.(ResizeCrop); ok && r.Short < side {
			return nil, fmt.Errorf("transform %q: the image would be smaller than the crop of %d", name, side)
		}
		return t, nil
	}
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return nil, fmt.Errorf("transform %q: unknown; did you mean %q?", name, nearest.Name(kind, names))
}

// Names lists the transforms that Parse reads, each with the range of its number, and what they do.
func Names() (names, about []string) {
	for _, k := range kinds {
		name := k.name
		if k.most > 0 {
			name = fmt.Sprintf("%s-%d…%d", k.name, k.least, k.most)
		}
		names, about = append(names, name), append(about, k.about)
	}
	return names, about
}

// kindOf is a transform's name, the range of its number (0, 0: it takes none), what it does, and
// how it is made.
type kindOf struct {
	name        string
	least, most int
	about       string
	make        func(number, side int) Transform
}

var kinds = []kindOf{
	{"flip", 0, 0, "left and right exchanged, half of the time", func(int, int) Transform { return Flip{} }},
	{"pad-crop", 1, 64, "padded by N black pixels, a window of the old size", func(n, _ int) Transform { return PadCrop{n} }},
	{"random-resized-crop", 0, 0, "a window of 8 to 100 % of the area, resized to the input", func(_, side int) Transform { return ResizedCrop{side} }},
	{"resize-crop", 8, 2048, "shorter side resized to N, the centre kept", func(n, side int) Transform { return ResizeCrop{n, side} }},
	{"augmix", 1, 10, "AugMix at severity N (Hendrycks et al. 2020)", func(n, _ int) Transform { return AugMix{n} }},
}
