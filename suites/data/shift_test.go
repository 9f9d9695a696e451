package data

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"bayesbench/backends/rng"
	"bayesbench/suites/data/corrupt"
	"bayesbench/suites/data/draw"
	"bayesbench/suites/data/pixel"
)

func TestShiftedSet(t *testing.T) {
	clean := openBlobs(t, Options{TestLimit: 50})
	open := func(name string, opt Options) *Set {
		t.Helper()
		set, err := Open(t.Context(), name, opt)
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	a := open("blobs+gaussian-noise-3", Options{TestLimit: 50})
	b := open("blobs+gaussian-noise-3", Options{RandomLabels: RandomTrainLabels, CacheBytes: 1})
	if a.Name != "blobs+gaussian-noise-3" || a.Hash != clean.Hash {
		t.Errorf("name %s, hash %s", a.Name, a.Hash)
	}
	c, err := corrupt.Parse("gaussian-noise-3", a.Info.image())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		got := read(t, a.Test, i)
		if bytes.Equal(got, read(t, clean.Test, i)) || label(a.Test, i) != label(clean.Test, i) {
			t.Fatalf("test image %d is clean, or its label changed", i)
		}
		if !bytes.Equal(got, read(t, b.Test, i)) || !bytes.Equal(got, read(t, a.Test, i)) {
			t.Fatalf("test image %d depends on labels, limit or cache", i)
		}
		if !bytes.Equal(read(t, a.Train, i), read(t, clean.Train, i)) {
			t.Fatalf("training image %d is corrupted", i)
		}
		// As its documentation says: a function of the corruption's name and the place.
		var want pixel.Image
		s := draw.New(rng.Key{0x6e477309, uint32(i)}, 0) // FNV-1a of gaussian-noise-3
		c.Apply(&want, pixel.Image{C: 1, H: 8, W: 8, Pix: read(t, clean.Test, i)}, &s)
		if !bytes.Equal(got, want.Pix) {
			t.Fatalf("test image %d is not the documented one", i)
		}
	}
	for name, want := range map[string]string{
		"blobs+fgo-1":   `"fog-1"`,
		"blobs+":        "unknown",
		"blubs+fog-1":   `"blobs"`,
		"blobs+fog-9":   "from 1 to 5",
		"blobs+fog-1+x": "fog",
	} {
		if _, err := Open(t.Context(), name, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

func TestOpenAgainst(t *testing.T) {
	isolate(t)
	in := Info{Name: "in", Examples: Examples{Pixels, []int{3, 24, 24}}}
	place := writeTree(t, sampleTree(t))
	set, err := OpenAgainst(t.Context(), in, "imagenet-folder+fog-1", Options{Dir: place})
	if err != nil {
		t.Fatal(err)
	}
	if got := set.Test.Examples().Shape; !slices.Equal(got, in.Shape) || set.Test.Len() != 3 {
		t.Errorf("shape %v, %d images", got, set.Test.Len())
	}
	for _, name := range []string{"blobs", "mnist", "nowhere"} {
		if _, err := OpenAgainst(t.Context(), in, name, Options{}); err == nil {
			t.Errorf("%s fits nothing: no error", name)
		}
	}
	for _, info := range List() {
		for _, other := range info.Against {
			if s, err := lookup(other); err != nil || s.Shape[0] != info.Shape[0] {
				t.Errorf("%s is set against %s: %v", info.Name, other, err)
			}
		}
	}
}
