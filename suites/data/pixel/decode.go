package pixel

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"sync"
)

const (
	// MaxPixels is the largest picture that is decoded. It leaves room for the largest of ILSVRC, 9331x6530.
	MaxPixels = 1 << 26
	// A progressive JPEG takes 16 bytes a pixel while it is decoded. Above so many pixels one is decoded at a time.
	largePixels = 1 << 22
)

var large sync.Mutex

// Decode is Open followed by the conversion of the whole.
func Decode(data []byte) (Image, error) {
	p, err := Open(data)
	if err != nil {
		return Image{}, err
	}
	var m Image
	return p.Image(&m), nil
}

// Open decodes a JPEG or PNG, told apart by content. It has red, green and blue planes; gray pictures are given three
// equal planes, transparency is dropped, CMYK is converted without a profile. Dimensions are checked before any memory is
// taken for them: against MaxPixels, and against the bytes at hand. An 8x8 block of a JPEG needs at least one bit, and
// deflate, in which a PNG is packed, shrinks nothing to less than a 1032nd. So a file takes at most 48 MB and 60 KB for each
// of its bytes, whatever it claims.
//
// Chroma planes of lower resolution are interpolated linearly, as libjpeg does by default ("fancy upsampling"), and
// converted in its fixed point, so that the pixels are those of Pillow up to the rounding of the inverse DCT.
func Open(data []byte) (Picture, error) {
	cfg, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return Picture{}, err
	}
	decode, most := jpeg.Decode, 64*8*int64(len(data))
	if format == "png" {
		decode, most = png.Decode, 8*1032*int64(len(data))/pngBits(cfg.ColorModel)
	}
	pixels := int64(cfg.Width) * int64(cfg.Height)
	switch {
	case pixels == 0:
		return Picture{}, fmt.Errorf("%s of %dx%d pixels", format, cfg.Width, cfg.Height)
	case pixels > MaxPixels:
		return Picture{}, fmt.Errorf("%s of %dx%d pixels, at most %d are read", format, cfg.Width, cfg.Height, MaxPixels)
	case pixels > most:
		return Picture{}, fmt.Errorf("%s of %dx%d pixels cannot be in %d bytes", format, cfg.Width, cfg.Height, len(data))
	case pixels > largePixels:
		large.Lock()
		defer large.Unlock()
	}
	decoded, err := decode(bytes.NewReader(data))
	return Picture{decoded: decoded}, err
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
