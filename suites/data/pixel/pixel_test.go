package pixel_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"bayesbench/internal/alloctest"
	"bayesbench/suites/data/internal/reference"
	"bayesbench/suites/data/pixel"
)

// Pillow's decoders are libjpeg-turbo, with the same colour arithmetic and another inverse DCT, and
// libwebp, which rounds twice where it interpolates chroma. What loses nothing is the same to the
// bit.
func TestDecodeAgreesWithPillow(t *testing.T) {
	for _, format := range []struct {
		names []string
		most  int
		mean  float64
	}{
		{[]string{"jpeg-444", "jpeg-422", "jpeg-420", "jpeg-420-even", "jpeg-progressive", "jpeg-gray", "jpeg-cmyk"}, 3, 0.1},
		{[]string{"webp", "webp-even", "webp-alpha"}, 3, 0.5},
		{[]string{"webp-lossless", "bmp", "bmp-gray", "bmp-palette", "tiff", "tiff-lzw", "tiff-deflate", "tiff-gray"}, 0, 0},
	} {
		for _, name := range format.names {
			_, file := reference.Load(t, name)
			m, err := pixel.Decode(file)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			reference.Compare(t, name, m, format.most, format.mean)
		}
	}
}

func TestResizeIsPillows(t *testing.T) {
	src := reference.Synthetic(1, 29, 37)
	for _, size := range [][2]int{{16, 16}, {29, 20}, {12, 37}, {50, 61}} {
		var m pixel.Image
		m.Resize(src, size[0], size[1], pixel.Bilinear)
		reference.Compare(t, fmt.Sprintf("bilinear-%dx%d", size[0], size[1]), m, 0, 0)
		m.Resize(src, size[0], size[1], pixel.Box)
		reference.Compare(t, fmt.Sprintf("box-%dx%d", size[0], size[1]), m, 0, 0)
	}
}

// From the file to the input, as a random resized crop does it: the decoder's tolerance is not
// added to.
func TestCropAgreesWithPillow(t *testing.T) {
	_, file := reference.Load(t, "jpeg-420-even")
	p, err := pixel.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	var crop, m pixel.Image
	p.Window(&crop, 3, 5, 21, 33)
	m.Resize(crop, 24, 24, pixel.Bilinear)
	reference.Compare(t, "cropped", m, 3, 0.1)
}

func TestFitIsTorchvisionsResizeAndCentreCrop(t *testing.T) {
	for _, size := range []int{20, 29} {
		var m pixel.Image
		m.Fit(reference.Synthetic(3, 29, 37).Picture(), size)
		reference.Compare(t, fmt.Sprintf("fit-%d", size), m, 0, 0)
	}
}

func TestAffineIsPillows(t *testing.T) {
	src := reference.Synthetic(3, 32, 32)
	for name, a := range map[string][6]float64{
		"rotate-30":   pixel.Rotation(src, 30),
		"rotate-201":  pixel.Rotation(src, 201),
		"shear-x":     {1, 0.2, 0, 0, 1, 0},
		"translate-y": {1, 0, 0, 0, 1, -7},
	} {
		var m pixel.Image
		m.Affine(src, a)
		// Pillow rounds a rotation's sine and cosine to 15 digits, and truncates; at a whole number
		// either may win.
		reference.Compare(t, name, m, 1, 0.01)
	}
}

func TestDecodeReadsOtherColourModels(t *testing.T) {
	gray := image.NewGray(image.Rect(0, 0, 3, 2))
	gray.SetGray(2, 1, color.Gray{77})
	see := image.NewNRGBA(image.Rect(0, 0, 3, 2))
	see.SetNRGBA(2, 1, color.NRGBA{77, 88, 99, 10})
	for _, src := range []image.Image{gray, see} {
		var file bytes.Buffer
		if err := png.Encode(&file, src); err != nil {
			t.Fatal(err)
		}
		m, err := pixel.Decode(file.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		want := [3]uint8{77, 77, 77}
		if src == image.Image(see) {
			want = [3]uint8{77, 88, 99}
		}
		if got := [3]uint8{m.Plane(0)[5], m.Plane(1)[5], m.Plane(2)[5]}; got != want {
			t.Errorf("%T: %v, want %v", src, got, want)
		}
	}
}

// header is a JPEG that claims h x w pixels and holds none.
func header(h, w, channels int) []byte {
	b := []byte{0xff, 0xd8, 0xff, 0xc0, 0, byte(8 + 3*channels), 8, byte(h >> 8), byte(h), byte(w >> 8), byte(w), byte(channels)}
	for c := range channels {
		b = append(b, byte(c+1), 0x11, 0)
	}
	return append(b, 0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0) // a scan begins
}

func TestDecodeRefusesBombs(t *testing.T) {
	for _, c := range []struct {
		file []byte
		want string
	}{
		{header(65000, 65000, 3), "at most"},
		{header(8000, 8000, 3), "cannot be in"},
		{header(8000, 8000, 1), "cannot be in"},
		{header(0, 10, 3), ""},
		{header(10, 10, 2), ""},
		{nil, ""},
		{[]byte("GIF89a"), "unknown format"},
	} {
		if _, err := pixel.Decode(c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

// A header of 64 million pixels costs no more than what the decoder needs for itself.
func TestBombsCostNothing(t *testing.T) {
	for name, file := range map[string][]byte{
		"jpeg":       header(8000, 8000, 3),
		"gray png":   pngHeader(t, image.NewGray(image.Rect(0, 0, 1, 1)), 8000, 8000),
		"colour png": pngHeader(t, image.NewNRGBA(image.Rect(0, 0, 1, 1)), 8000, 8000),
		"deep png":   pngHeader(t, image.NewNRGBA64(image.Rect(0, 0, 1, 1)), 8000, 8000),
		"endless":    pngHeader(t, image.NewGray(image.Rect(0, 0, 1, 1)), 1<<31-1, 1<<31-1),
	} {
		alloctest.AtMost(t, 256<<10, func() {
			if _, err := pixel.Decode(file); err == nil || !strings.Contains(err.Error(), "pixels") && !strings.Contains(err.Error(), "dimension overflow") {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	// 4 million equal pixels are in a few KB, and are read.
	var flat bytes.Buffer
	if err := png.Encode(&flat, image.NewGray(image.Rect(0, 0, 2000, 2000))); err != nil {
		t.Fatal(err)
	}
	if m, err := pixel.Decode(flat.Bytes()); err != nil || m.W != 2000 {
		t.Errorf("%d bytes of a flat picture: %v", flat.Len(), err)
	}
}

// pngHeader is a PNG that claims other dimensions than it has.
func pngHeader(t testing.TB, m image.Image, w, h uint32) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := png.Encode(&file, m); err != nil {
		t.Fatal(err)
	}
	b := file.Bytes()
	binary.BigEndian.PutUint32(b[16:], w)
	binary.BigEndian.PutUint32(b[20:], h)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

// What is decoded has its shape, costs what Decode says, and without loss is read back the same.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"jpeg-444", "jpeg-422", "jpeg-420", "jpeg-progressive", "jpeg-gray",
		"webp", "webp-alpha", "webp-lossless", "bmp", "bmp-palette", "tiff", "tiff-lzw", "tiff-deflate"} {
		_, file := reference.Load(f, name)
		f.Add(file)
		f.Add(file[:len(file)/2])
	}
	f.Add(header(65000, 65000, 3))
	f.Add(header(400, 400, 4))
	f.Add(header(1, 65000, 3))
	for _, m := range []image.Image{
		image.NewGray(image.Rect(0, 0, 3, 2)), image.NewNRGBA(image.Rect(0, 0, 3, 2)), image.NewNRGBA64(image.Rect(0, 0, 3, 2)),
		image.NewPaletted(image.Rect(0, 0, 3, 2), color.Palette{color.Black, color.Transparent}),
	} {
		f.Add(pngHeader(f, m, 3, 2))
		f.Add(pngHeader(f, m, 8000, 8000))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		var m pixel.Image
		var err error
		alloctest.AtMost(t, 128<<20+60<<10*len(file), func() { m, err = pixel.Decode(file) })
		if err != nil {
			return
		}
		if m.C != 3 || m.H < 1 || m.W < 1 || len(m.Pix) != 3*m.H*m.W || m.H*m.W > pixel.MaxPixels {
			t.Fatalf("shape %d %d %d with %d bytes", m.C, m.H, m.W, len(m.Pix))
		}
		if m.H*m.W > 1<<12 {
			return
		}
		lossless := image.NewNRGBA(image.Rect(0, 0, m.W, m.H))
		for i := range m.H * m.W {
			copy(lossless.Pix[4*i:], []byte{m.Plane(0)[i], m.Plane(1)[i], m.Plane(2)[i], 255})
		}
		var again bytes.Buffer
		if err := png.Encode(&again, lossless); err != nil {
			t.Fatal(err)
		}
		if back, err := pixel.Decode(again.Bytes()); err != nil || !bytes.Equal(back.Pix, m.Pix) {
			t.Fatalf("other pixels after a PNG of them: %v", err)
		}
	})
}

// A photograph-like picture, as training reads it.
func photograph(b *testing.B, side int) []byte {
	src := reference.Synthetic(3, side, side)
	rgba := image.NewRGBA(image.Rect(0, 0, side, side))
	for i := range side * side {
		rgba.Pix[4*i], rgba.Pix[4*i+1], rgba.Pix[4*i+2], rgba.Pix[4*i+3] = src.Plane(0)[i], src.Plane(1)[i], src.Plane(2)[i], 255
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, rgba, &jpeg.Options{Quality: 88}); err != nil {
		b.Fatal(err)
	}
	return file.Bytes()
}

func BenchmarkDecode(b *testing.B) {
	for _, side := range []int{64, 224} {
		b.Run(fmt.Sprintf("side=%d", side), func(b *testing.B) {
			file := photograph(b, side)
			for b.Loop() {
				if _, err := pixel.Decode(file); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}

func BenchmarkResize(b *testing.B) {
	src := reference.Synthetic(3, 224, 224)
	var m pixel.Image
	for b.Loop() {
		m.Resize(src, 64, 64, pixel.Bilinear)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
}
