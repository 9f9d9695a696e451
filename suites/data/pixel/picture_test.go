package pixel

import (
	"bytes"
	"image"
	"math/rand/v2"
	"testing"
)

// A window has the bits of the same part of the whole, however the chroma is reduced and wherever
// the window lies.
func TestWindowIsPartOfTheWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	noise := func(p []uint8) {
		for i := range p {
			p[i] = uint8(r.Uint32())
		}
	}
	for _, size := range [][2]int{{13, 17}, {16, 8}, {1, 1}, {2, 5}, {7, 1}} {
		var pictures []Picture
		rect := image.Rect(0, 0, size[1], size[0])
		for ratio := image.YCbCrSubsampleRatio444; ratio <= image.YCbCrSubsampleRatio410; ratio++ {
			m := image.NewYCbCr(rect, ratio)
			noise(m.Y)
			noise(m.Cb)
			noise(m.Cr)
			pictures = append(pictures, Picture{decoded: m})
		}
		gray, cmyk := image.NewGray(rect), image.NewCMYK(rect)
		noise(gray.Pix)
		noise(cmyk.Pix)
		rgb := New(3, size[0], size[1])
		noise(rgb.Pix)
		pictures = append(pictures, Picture{decoded: gray}, Picture{decoded: cmyk}, rgb.Picture())
		for i, p := range pictures {
			var scratch, want, got Image
			whole := p.Image(&scratch)
			for range 200 {
				h, w := 1+r.IntN(size[0]), 1+r.IntN(size[1])
				y, x := r.IntN(size[0]-h+1), r.IntN(size[1]-w+1)
				want.Crop(whole, y, x, h, w)
				p.Window(&got, y, x, h, w)
				if got.C != 3 || got.H != h || got.W != w || !bytes.Equal(got.Pix, want.Pix) {
					t.Fatalf("picture %d of %v: window %dx%d at %d,%d differs", i, size, h, w, y, x)
				}
			}
		}
	}
}

// So has a window of a resized picture, of which only a part of the source is filtered.
func TestResizedWindowIsPartOfTheWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	src := New(3, 21, 34)
	for i := range src.Pix {
		src.Pix[i] = uint8(r.Uint32())
	}
	for range 500 {
		h, w := 1+r.IntN(60), 1+r.IntN(60)
		height, width := 1+r.IntN(h), 1+r.IntN(w)
		y, x := r.IntN(h-height+1), r.IntN(w-width+1)
		filter := Filter(r.IntN(2))
		var whole, want, got Image
		whole.Resize(src, h, w, filter)
		want.Crop(whole, y, x, height, width)
		got.resize(src.Picture(), h, w, y, x, height, width, filter)
		if !bytes.Equal(got.Pix, want.Pix) {
			t.Fatalf("%dx%d at %d,%d of %dx%d differs", height, width, y, x, h, w)
		}
	}
}
