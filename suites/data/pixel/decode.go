package pixel

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"sync"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

const (
	// MaxPixels is the largest picture that is decoded. It leaves room for the largest of ILSVRC,
	// 9331x6530.
	MaxPixels = 1 << 26
	// A progressive JPEG takes 16 bytes a pixel while it is decoded. Above so many pixels one is
	// decoded at a time.
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

// Formats names the formats that Open decodes, for messages.
const Formats = "JPEG, PNG, BMP, WebP, TIFF"

// Extensions are the endings under which files of these formats are found, in lower case. Open goes
// by the content alone.
var Extensions = []string{".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".webp", ".tif", ".tiff"}

// Open decodes a JPEG, PNG, BMP, WebP or TIFF, told apart by content; of a TIFF the first page. It
// has red, green and blue planes; gray pictures are given three equal planes, transparency is
// dropped, CMYK is converted without a profile. Dimensions are checked before any memory is taken
// for them, see Check.
//
// Chroma planes of lower resolution are interpolated linearly, as libjpeg and libwebp do by default
// ("fancy upsampling"), and converted in their fixed point, so that the pixels are those of Pillow
// up to the rounding of the inverse DCT.
func Open(data []byte) (Picture, error) {
	cfg, decode, err := check(data)
	if err != nil {
		return Picture{}, err
	}
	if int64(cfg.Width)*int64(cfg.Height) > largePixels {
		large.Lock()
		defer large.Unlock()
	}
	decoded, err := decode(bytes.NewReader(data))
	if err != nil {
		return Picture{}, err
	}
	p := Picture{decoded: decoded}
	if m, ok := decoded.(*image.NYCbCrA); ok {
		p.decoded = &m.YCbCr
	}
	if _, ok := p.decoded.(*image.YCbCr); ok {
		p.limited = isWebP(data)
	}
	if got := p.Shape(); got[1] != cfg.Height || got[2] != cfg.Width {
		return Picture{}, fmt.Errorf("%dx%d pixels, its header says %dx%d", got[2], got[1], cfg.Width, cfg.Height)
	}
	return p, nil
}

// Check reads no more than the header: it fails for what is in none of the formats or has more
// pixels than are decoded, which is more than MaxPixels or more than can be in so many bytes. An
// 8x8 block of a JPEG needs at least one bit, a pixel of a BMP too, and deflate, in which a PNG and
// many a TIFF is packed, shrinks nothing to less than a 1032nd. WebP and a TIFF's fax codes know no
// such bound: 4 million pixels are believed of any file. So a file takes at most 128 MB and 60 KB
// for each of its bytes, whatever it claims.
func Check(data []byte) error {
	_, _, err := check(data)
	return err
}

func check(data []byte) (image.Config, func(io.Reader) (image.Image, error), error) {
	cfg, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		if errors.Is(err, image.ErrFormat) {
			err = fmt.Errorf("unknown format: want %s", Formats)
		}
		return cfg, nil, err
	}
	var decode func(io.Reader) (image.Image, error)
	most := 8 * int64(len(data))
	switch format {
	case "jpeg":
		decode, most = jpeg.Decode, 64*most
	case "png":
		decode, most = png.Decode, 1032*most/pngBits(cfg.ColorModel)
	case "bmp":
		decode = bmp.Decode
	case "webp":
		decode, most = webp.Decode, max(most, largePixels)
	case "tiff":
		decode, most = tiff.Decode, max(1032*most, largePixels)
	default:
		return cfg, nil, fmt.Errorf("format %s: want %s", format, Formats)
	}
	pixels := int64(cfg.Width) * int64(cfg.Height)
	switch {
	case cfg.Width < 1 || cfg.Height < 1:
		err = fmt.Errorf("%s of %dx%d pixels", format, cfg.Width, cfg.Height)
	case pixels > MaxPixels:
		err = fmt.Errorf("%s of %dx%d pixels, at most %d are read", format, cfg.Width, cfg.Height, MaxPixels)
	case pixels > most:
		err = fmt.Errorf("%s of %dx%d pixels cannot be in %d bytes", format, cfg.Width, cfg.Height, len(data))
	}
	return cfg, decode, err
}

func isWebP(data []byte) bool {
	return len(data) > 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP"
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
