package augment

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"bayesbench/backends/rng"
	"bayesbench/suites/data/draw"
	"bayesbench/suites/data/internal/reference"
	"bayesbench/suites/data/pixel"
)

func stream(n uint32) *draw.Stream {
	s := draw.New(rng.Key{7, n}, 0)
	return &s
}

func TestOperationsArePillows(t *testing.T) {
	square := reference.Synthetic(3, 32, 32)
	dull := reference.Synthetic(3, 32, 32)
	for i, v := range dull.Pix {
		dull.Pix[i] = v/3 + 60
	}
	var m pixel.Image
	autocontrast(&m, dull, nil, 0)
	reference.Compare(t, "autocontrast", m, 0, 0)
	equalize(&m, dull, nil, 0)
	reference.Compare(t, "equalize", m, 0, 0)
	// Strengths are drawn; try streams until the one of the reference comes up.
	for name, op := range map[string]operation{"posterize-3": posterize, "solarize-200": solarize} {
		want, _ := reference.Load(t, name)
		found := false
		for n := uint32(0); n < 5000 && !found; n++ {
			op(&m, square, stream(n), 10)
			found = bytes.Equal(m.Pix, want.Pix)
		}
		if !found {
			t.Errorf("%s is never drawn", name)
		}
	}
}

// A transform is a function of its stream, does not touch its input, and keeps to bytes and shape.
func TestTransformsAreFunctionsOfTheStream(t *testing.T) {
	for _, name := range []string{"flip", "pad-crop-4", "random-resized-crop", "resize-crop-40", "augmix-3"} {
		tr, err := Parse(name, 32)
		if err != nil {
			t.Fatal(err)
		}
		if tr.String() != name {
			t.Errorf("%s calls itself %s", name, tr)
		}
		src := reference.Synthetic(3, 32, 32)
		if _, ok := tr.(Sizer); ok {
			src = reference.Synthetic(3, 50, 41)
		}
		before := bytes.Clone(src.Pix)
		different := map[string]bool{}
		for n := range uint32(20) {
			var a, b pixel.Image
			tr.Apply(&a, src, stream(n))
			tr.Apply(&b, src, stream(n))
			if !bytes.Equal(a.Pix, b.Pix) || a.C != 3 || a.H != 32 || a.W != 32 {
				t.Fatalf("%s: two results from one stream, or shape %d %d %d", name, a.C, a.H, a.W)
			}
			different[string(a.Pix)] = true
		}
		if !bytes.Equal(before, src.Pix) {
			t.Errorf("%s changes its input", name)
		}
		if want := map[string]int{"flip": 2, "resize-crop-40": 1}[name]; want != 0 && len(different) != want || want == 0 && len(different) < 10 {
			t.Errorf("%s: %d different results in 20", name, len(different))
		}
	}
}

func TestFlipMirrorsHalf(t *testing.T) {
	src := reference.Synthetic(3, 8, 9)
	mirrored := 0
	for n := range uint32(1000) {
		var m pixel.Image
		Flip{}.Apply(&m, src, stream(n))
		if bytes.Equal(m.Pix, src.Pix) {
			continue
		}
		mirrored++
		for i := range m.Pix {
			if row, x := i/9, i%9; m.Pix[i] != src.Pix[row*9+8-x] {
				t.Fatalf("pixel %d is not the mirrored one", i)
			}
		}
	}
	if mirrored < 430 || mirrored > 570 { // 500 ± 4.4 standard deviations
		t.Errorf("%d of 1000 mirrored", mirrored)
	}
}

// Against the definition: pad, then cut out. All 81 windows come up, none more often than chance
// allows.
func TestPadCrop(t *testing.T) {
	src := reference.Synthetic(2, 6, 7)
	for i := range src.Pix {
		src.Pix[i] = uint8(i + 1)
	}
	padded := pixel.New(2, 14, 15)
	for c := range 2 {
		for y := range 6 {
			copy(padded.Plane(c)[(y+4)*15+4:], src.Plane(c)[y*7:(y+1)*7])
		}
	}
	windows := map[string]int{}
	for y := range 9 {
		for x := range 9 {
			var m pixel.Image
			m.Crop(padded, y, x, 6, 7)
			windows[string(m.Pix)] = 0
		}
	}
	for n := range uint32(8100) {
		var m pixel.Image
		PadCrop{4}.Apply(&m, src, stream(n))
		if _, ok := windows[string(m.Pix)]; !ok {
			t.Fatal("a window that is none")
		}
		windows[string(m.Pix)]++
	}
	chi := 0.0
	for _, n := range windows {
		chi += float64((n-100)*(n-100)) / 100
	}
	if len(windows) != 81 || chi > 124.8 { // 0.1 % critical value at 80 degrees of freedom
		t.Errorf("%d windows, chi-squared %.1f", len(windows), chi)
	}
}

// Windows lie inside the image, with areas and ratios in range (up to rounding), and cover the
// range.
func TestCropWindows(t *testing.T) {
	least, most := 1.0, 0.0
	for n := range uint32(3000) {
		y, x, h, w := cropWindow(200, 300, stream(n))
		if y < 0 || x < 0 || h < 1 || w < 1 || y+h > 200 || x+w > 300 {
			t.Fatalf("window %d %d %d %d", y, x, h, w)
		}
		area, ratio := float64(h*w)/60000, float64(w)/float64(h)
		least, most = min(least, area), max(most, area)
		if area < 0.079 || area > 1 || ratio < 0.74 || ratio > 1.35 {
			t.Fatalf("area %.3f, ratio %.3f", area, ratio)
		}
	}
	if least > 0.09 || most < 0.85 {
		t.Errorf("areas from %.3f to %.3f", least, most)
	}
	// No allowed window fits a strip: torchvision's fallback is the central one.
	if y, x, h, w := cropWindow(10, 300, stream(0)); y != 0 || h != 10 || w != 13 || x != 143 {
		t.Errorf("fallback %d %d %d %d", y, x, h, w)
	}
}

// With weights that sum to m and an image of one gray, mixing leaves it as it is where every
// operation does.
func TestAugMixKeepsTheMean(t *testing.T) {
	src := pixel.New(3, 16, 16)
	for i := range src.Pix {
		src.Pix[i] = 200
	}
	sum := 0.0
	for n := range uint32(300) {
		var m pixel.Image
		AugMix{1}.Apply(&m, src, stream(n))
		sum += float64(m.Pix[8*16+8]) // the centre, which shears and shifts of severity 1 do not reach
	}
	// Posterizing to 4 bits gives 192; solarizing at most inverts what is at or above 231: nothing
	// here.
	if mean := sum / 300; math.Abs(mean-199) > 1.5 {
		t.Errorf("mean %.2f, want about 199", mean)
	}
}

func TestParseRefusesNonsense(t *testing.T) {
	for name, want := range map[string]string{
		"flop":                  `"flip"`,
		"pad-crop":              "pad-crop-N",
		"pad-crop-0":            "from 1 to 64",
		"flip-3":                "without a number",
		"resize-crop-20":        "smaller than the crop",
		"random-resized-crop-8": "without a number",
		"augmix-11":             "from 1 to 10",
		"":                      "unknown",
	} {
		if _, err := Parse(name, 32); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", name, err, want)
		}
	}
}

func BenchmarkTransforms(b *testing.B) {
	for _, c := range []struct {
		name     string
		from, to int
	}{{"flip", 32, 32}, {"pad-crop-4", 32, 32}, {"augmix-3", 32, 32}, {"random-resized-crop", 64, 64}, {"random-resized-crop", 224, 224}} {
		b.Run(fmt.Sprintf("%s/side=%d", c.name, c.to), func(b *testing.B) {
			tr, err := Parse(c.name, c.to)
			if err != nil {
				b.Fatal(err)
			}
			src := reference.Synthetic(3, c.from, c.from)
			var m pixel.Image
			n := uint32(0)
			for b.Loop() {
				s := draw.New(rng.Key{1, n}, 0)
				tr.Apply(&m, src, &s)
				n++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}

// What is listed can be parsed at both ends of its range.
func TestNamesParse(t *testing.T) {
	names, about := Names()
	for i, name := range names {
		stem, most, numbered := strings.Cut(name, "…")
		if _, err := Parse(stem, 8); err != nil || about[i] == "" {
			t.Errorf("%s: %v, %q", name, err, about[i])
		}
		if numbered {
			stem = stem[:strings.LastIndexByte(stem, '-')+1] + most
			if _, err := Parse(stem, 8); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
