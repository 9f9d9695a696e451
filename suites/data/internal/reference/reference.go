package reference

import (
	_ "embed"
	"encoding/json"
	"testing"

	"bayesbench/suites/data/pixel"
)

//go:embed reference.json
var file []byte

// Picture is one result, and for decoding the file that it was decoded from.
type Picture struct {
	Shape  [3]int
	Pixels []byte
	File   []byte
}

// Load returns the picture of that name.
func Load(t testing.TB, name string) (m pixel.Image, packed []byte) {
	t.Helper()
	var all map[string]Picture
	if err := json.Unmarshal(file, &all); err != nil {
		t.Fatal(err)
	}
	p, ok := all[name]
	if !ok {
		t.Fatalf("reference.json has no %q", name)
	}
	return pixel.Image{C: p.Shape[0], H: p.Shape[1], W: p.Shape[2], Pix: p.Pixels}, p.File
}

// Synthetic is a gradient with steps, the same as synthetic() of reference.py.
func Synthetic(c, h, w int) pixel.Image {
	m := pixel.New(c, h, w)
	for k := range c {
		for y := range h {
			for x := range w {
				m.Plane(k)[y*w+x] = uint8(5*x + 3*y + 40*k + (x/7+y/5)%2*90)
			}
		}
	}
	return m
}

// Compare fails if got differs from the picture of that name by more than most levels anywhere, or
// by more than mean levels on average.
func Compare(t testing.TB, name string, got pixel.Image, most int, mean float64) {
	t.Helper()
	want, _ := Load(t, name)
	if got.C != want.C || got.H != want.H || got.W != want.W {
		t.Errorf("%s: shape %d %d %d, want %d %d %d", name, got.C, got.H, got.W, want.C, want.H, want.W)
		return
	}
	worst, sum := 0, 0
	for i, v := range got.Pix {
		d := max(int(v), int(want.Pix[i])) - min(int(v), int(want.Pix[i]))
		worst = max(worst, d)
		sum += d
	}
	if average := float64(sum) / float64(len(got.Pix)); worst > most || average > mean {
		t.Errorf("%s: differs by up to %d levels, %.3f on average, allowed are %d and %.3f", name, worst, average, most, mean)
	} else {
		t.Logf("%s: differs by up to %d levels, %.3f on average", name, worst, average)
	}
}
