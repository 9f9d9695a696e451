package data

import (
	"context"
	"fmt"
	"io"

	"bayesbench/backends/rng"
	"bayesbench/suites/data/augment"
	"bayesbench/suites/data/draw"
	"bayesbench/suites/data/pixel"
)

func init() { feeders[Pixels] = pixelFeeder{} }

// images tells whether the examples are images, which can be resized, augmented and corrupted.
func (e Examples) images() bool { return e.Kind == Pixels }

// anySize tells whether Options.Size decides the size of the examples.
func (e Examples) anySize() bool { return e.images() && e.Shape[1] == 0 }

// image is the shape of images: channels, height, width.
func (e Examples) image() [3]int { return [3]int(e.Shape) }

// Augmentations are the transforms of those names, for the examples of the set. Only images have
// some.
func (info Info) Augmentations(names []string) ([]augment.Transform, error) {
	if len(names) > 0 && !info.images() {
		return nil, fmt.Errorf("only images are augmented, and the examples of %s are %s", info.Name, info.Examples)
	}
	var out []augment.Transform
	for _, name := range names {
		transform, err := augment.Parse(name, info.Shape[1])
		if err != nil {
			return nil, err
		}
		out = append(out, transform)
	}
	return out, nil
}

// pixelFeeder feeds images.
type pixelFeeder struct{}

func (pixelFeeder) schemes(info Info) []Scheme {
	if info.Mean == nil {
		return []Scheme{Unit255, Unit256}
	}
	return []Scheme{Unit255, Unit256, Standard}
}

func (pixelFeeder) inputs(scheme Scheme, set *Set) (inputs, error) {
	return pixelInputs(pixelTable(scheme, set.Info)), nil
}

func (pixelFeeder) notes(*Set) ([]string, error) { return nil, nil }

// store writes images in the shape of the split.
func (pixelFeeder) store(ctx context.Context, to io.Writer, s Split) error {
	shape := s.Examples().image()
	var m pixel.Image
	return storeRows(ctx, to, s, func(e Example) []uint8 {
		if e.Picture.Shape() == shape {
			return e.Picture.Image(&m).Pix
		}
		m.Fit(e.Picture, shape[1])
		return m.Pix
	})
}

// pixelInputs is a channel's value of each byte.
type pixelInputs [][256]float32

func (p pixelInputs) String() string      { return fmt.Sprintf("%d channels of pixels", len(p)) }
func (p pixelInputs) fit(e Examples) bool { return e.images() && e.Shape[0] == len(p) }

// span is black and white.
func (p pixelInputs) span(channel int) (least, greatest float32) {
	return p[channel][0], p[channel][255]
}

// pixelTable is the scheme's value of each byte by channel.
func pixelTable(scheme Scheme, info Info) [][256]float32 {
	table := make([][256]float32, info.Shape[0])
	for c := range table {
		scale, mean, std := 255.0, 0.0, 1.0
		switch scheme {
		case Unit256:
			scale = 256
		case Standard:
			mean, std = info.Mean[c], info.Std[c]
		}
		for x := range table[c] {
			table[c][x] = float32((float64(x)/scale - mean) / std)
		}
	}
	return table
}

// image writes the normalised pixels of m to dst.
func (p pixelInputs) image(dst []float32, m pixel.Image) {
	for c := range m.C {
		table := &p[c]
		plane := m.Plane(c)
		out := dst[c*len(plane):][:len(plane)]
		for i, x := range plane {
			out[i] = table[x]
		}
	}
}

// writer makes images under the loader's augmentation.
func (p pixelInputs) writer(l *Loader) writer {
	w := &pixelWriter{table: p, shape: l.split.Examples().image(), chain: l.cfg.Augment}
	if len(w.chain) > 0 {
		w.sizer, _ = w.chain[0].(augment.Sizer)
	}
	return w
}

// pixelWriter is the memory of one goroutine.
type pixelWriter struct {
	table  pixelInputs
	shape  [3]int
	chain  []augment.Transform
	sizer  augment.Sizer // the first transform, if it wants images as stored
	a, b   pixel.Image
	stream draw.Stream
}

func (w *pixelWriter) write(dst []float32, e Example, i int, epoch rng.Key) error {
	m, err := w.image(e.Picture, i, epoch)
	if err != nil {
		return err
	}
	w.table.image(dst, m)
	return nil
}

// image is picture p of example i after augmentation, in the split's shape.
func (w *pixelWriter) image(p pixel.Picture, i int, epoch rng.Key) (pixel.Image, error) {
	stream := func(transform int) *draw.Stream {
		w.stream = draw.New(epoch.Fold(uint32(i)), uint32(transform))
		return &w.stream
	}
	var m pixel.Image
	switch {
	case w.sizer != nil:
		w.sizer.View(&w.a, p, stream(0))
		m = w.a
	case p.Shape() != w.shape:
		w.a.Fit(p, w.shape[1])
		m = w.a
	default:
		m = p.Image(&w.a)
	}
	for t, transform := range w.chain {
		if t == 0 && w.sizer != nil {
			continue // seen to above
		}
		transform.Apply(&w.b, m, stream(t))
		w.a, w.b = w.b, w.a
		m = w.a
	}
	if got := [3]int{m.C, m.H, m.W}; got != w.shape {
		return m, fmt.Errorf("augmentation: want images of shape %v, found %v", w.shape, got)
	}
	return m, nil
}
