package pixel

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // Decode reads these two formats, told apart by content
	_ "image/png"
)

// MaxPixels is the largest picture that Decode accepts. It leaves room for the largest of ILSVRC, 9331x6530.
const MaxPixels = 1 << 26

// Decode reads a JPEG or PNG as red, green and blue planes; gray pictures are given three equal planes, transparency is
// dropped. Dimensions are checked before any memory is taken for them: against MaxPixels and against the bytes at hand, of
// which each 8x8 block of pixels of a JPEG needs at least one bit, and a byte of which unpacks to at most 1032 in a PNG. So
// a file takes at most 48 MB and 60 KB for each of its bytes, whatever it claims.
//
// Chroma planes of lower resolution are interpolated linearly, as libjpeg does by default ("fancy upsampling"), and
// converted in its fixed point, so that the pixels are those of Pillow up to the rounding of the inverse DCT.
func Decode(data []byte) (Image, error) {
	cfg, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return Image{}, err
	}
	pixels := int64(cfg.Width) * int64(cfg.Height)
	switch {
	case pixels == 0:
		return Image{}, fmt.Errorf("%s of %dx%d pixels", format, cfg.Width, cfg.Height)
	case pixels > MaxPixels:
		return Image{}, fmt.Errorf("%s of %dx%d pixels, at most %d are read", format, cfg.Width, cfg.Height, MaxPixels)
	case format == "jpeg" && pixels > 64*8*int64(len(data)), format == "png" && pixels*pngBits(cfg.ColorModel) > 8*1032*int64(len(data)):
		return Image{}, fmt.Errorf("%s of %dx%d pixels cannot be in %d bytes", format, cfg.Width, cfg.Height, len(data))
	}
	decoded, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return Image{}, err
	}
	b := decoded.Bounds()
	m := New(3, b.Dy(), b.Dx())
	switch src := decoded.(type) {
	case *image.YCbCr:
		m.fromYCbCr(src)
	case *image.Gray:
		for y := range m.H {
			row := src.Pix[y*src.Stride:][:m.W]
			for c := range 3 {
				copy(m.Plane(c)[y*m.W:], row)
			}
		}
	default:
		for y := range m.H {
			for x := range m.W {
				p := color.NRGBAModel.Convert(decoded.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
				i := y*m.W + x
				m.Plane(0)[i], m.Plane(1)[i], m.Plane(2)[i] = p.R, p.G, p.B
			}
		}
	}
	return m, nil
}

// pngBits is the least number of bits that a PNG has for a pixel of that model.
func pngBits(m color.Model) int64 {
	switch m {
	case color.RGBA64Model:
		return 48
	case color.NRGBA64Model: // with gray for the colour
		return 32
	case color.RGBAModel:
		return 24
	case color.NRGBAModel, color.Gray16Model:
		return 16
	}
	return 1 // gray or a palette
}

// fromYCbCr converts src, which has m's size.
func (m *Image) fromYCbCr(src *image.YCbCr) {
	cb, cr := make([]uint8, m.W), make([]uint8, m.W)
	var sums []int32
	red, green, blue := m.Plane(0), m.Plane(1), m.Plane(2)
	for y := range m.H {
		sums = chromaRow(cb, src.Cb, src, m.H, y, sums)
		sums = chromaRow(cr, src.Cr, src, m.H, y, sums)
		luma := src.Y[y*src.YStride:][:m.W]
		r, g, b := red[y*m.W:][:m.W], green[y*m.W:][:m.W], blue[y*m.W:][:m.W]
		for x, l := range luma {
			u, v := int32(cb[x])-128, int32(cr[x])-128
			r[x] = clip(int32(l) + (91881*v+1<<15)>>16)
			g[x] = clip(int32(l) + (-22554*u-46802*v+1<<15)>>16)
			b[x] = clip(int32(l) + (116130*u+1<<15)>>16)
		}
	}
}

func clip(v int32) uint8 { return uint8(min(max(v, 0), 255)) }

// chromaRow writes row y of a chroma plane at full resolution to dst. A sample of the reduced plane lies in the middle of
// the pixels it stands for; a pixel is 3/4 the nearer and 1/4 the next nearer sample in each reduced direction. sums is
// scratch memory, returned for the next call.
func chromaRow(dst, plane []uint8, src *image.YCbCr, height, y int, sums []int32) []int32 {
	wide, high := 1, 1
	switch src.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		wide = 2
	case image.YCbCrSubsampleRatio420:
		wide, high = 2, 2
	case image.YCbCrSubsampleRatio440:
		high = 2
	case image.YCbCrSubsampleRatio411:
		wide = 4
	case image.YCbCrSubsampleRatio410:
		wide, high = 4, 2
	}
	row := func(i int) []uint8 { return plane[i*src.CStride:][:(len(dst)+wide-1)/wide] }
	if wide == 4 { // repeated, not interpolated, as libjpeg does
		near := row(y / high)
		for x := range dst {
			dst[x] = near[x/4]
		}
		return sums
	}
	if high == 1 && wide == 1 {
		copy(dst, row(y))
		return sums
	}
	// unit is the weight of one sample after the vertical step.
	near, unit := row(y/high), int32(1)
	far := near
	if high == 2 {
		unit = 4
		last := (height+1)/2 - 1
		if y%2 == 0 {
			far = row(max(y/2-1, 0))
		} else {
			far = row(min(y/2+1, last))
		}
	}
	n := len(near)
	if cap(sums) < n {
		sums = make([]int32, n)
	}
	sums = sums[:n]
	for i, v := range near {
		sums[i] = int32(v)
		if high == 2 {
			sums[i] = 3*int32(v) + int32(far[i])
		}
	}
	if wide == 1 {
		// Rounding alternates between rows, so that it does not shift the mean.
		round := int32(1 + y%2)
		for x := range dst {
			dst[x] = uint8((sums[x] + round) >> 2)
		}
		return sums
	}
	// Rounding alternates between columns. libjpeg's constants: 1 and 2 of 4, 8 and 7 of 16.
	even, odd, shift := int32(1), int32(2), 2
	if unit == 4 {
		even, odd, shift = 8, 7, 4
	}
	for x := range dst {
		i := x / 2
		if x%2 == 0 {
			dst[x] = uint8((3*sums[i] + sums[max(i-1, 0)] + even) >> shift)
		} else {
			dst[x] = uint8((3*sums[i] + sums[min(i+1, n-1)] + odd) >> shift)
		}
	}
	return sums
}
