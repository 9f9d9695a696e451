package data

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"bayesbench/suites/data/internal/reference"
)

// clutter adds to a tree what is no part of it, and returns what is to be said of it.
func clutter(files map[string][]byte) []Skipped {
	for path, b := range map[string]string{
		".DS_Store": "x", "__MACOSX/train/n01/._0.JPEG": "x", "README": "x", "test/1.JPEG": "x", "test/2.JPEG": "x",
		"train/.ipynb_checkpoints/0-checkpoint.JPEG": "x", "train/.ipynb_checkpoints/1-checkpoint.JPEG": "x",
		"train/n01/._0.JPEG": "x", "train/n01/Thumbs.db": "x", "train/n01/notes.TXT": "x", "val/boxes.csv": "x",
		"train/n02/a.gif": "x", "train/n02/deep/b.npy": "x", "val/n03/noending": "x",
	} {
		files[path] = []byte(b)
	}
	hidden := []string{".DS_Store", "__MACOSX", "train/.ipynb_checkpoints", "train/n01/._0.JPEG", "train/n01/Thumbs.db"}
	return []Skipped{
		{Beside, 3, []string{"LICENSE", "README", "test"}},
		{Hidden, len(hidden), hidden},
		{Unsupported, 3, []string{"train/n02/a.gif", "train/n02/deep/b.npy", "val/n03/noending"}},
		{NoImage, 2, []string{"train/n01/notes.TXT", "val/boxes.csv"}},
	}
}

func sameSkipped(a, b []Skipped) bool {
	return slices.EqualFunc(a, b, func(a, b Skipped) bool {
		return a.Reason == b.Reason && a.Count == b.Count && slices.Equal(a.Examples, b.Examples)
	})
}

// What is left out is named and counted, in a folder as in a tar, and changes nothing of the set.
func TestSkippedFilesAreNamedAndCounted(t *testing.T) {
	clean, err := openFolder(t, writeTree(t, sampleTree(t)))
	if err != nil {
		t.Fatal(err)
	}
	if want := []Skipped{{Beside, 1, []string{"LICENSE"}}}; !sameSkipped(clean.Skipped, want) {
		t.Errorf("skipped %v, want %v", clean.Skipped, want)
	}
	files := sampleTree(t)
	want := clutter(files)
	for _, place := range []string{writeTree(t, files), writeTar(t, files)} {
		set, err := openFolder(t, place)
		if err != nil {
			t.Fatal(err)
		}
		if !sameSkipped(set.Skipped, want) {
			t.Errorf("%s: skipped\n%v, want\n%v", place, set.Skipped, want)
		}
		if set.Hash != clean.Hash || set.Classes != 3 || set.Train.Len() != 9 || set.Test.Len() != 3 {
			t.Errorf("%s: %d classes, %d + %d images, hash %s, want 3, 9 + 3 and %s", place, set.Classes, set.Train.Len(), set.Test.Len(), set.Hash, clean.Hash)
		}
		report, err := Verify(t.Context(), "imagenet-folder", Options{Dir: place})
		if err != nil {
			t.Fatal(err)
		}
		if !sameSkipped(report.Skipped, want) || faults(report) == nil || !strings.Contains(faults(report).Error(), "3 skipped") || strings.Contains(faults(report).Error(), "LICENSE") {
			t.Errorf("%s: verified as %+v: %v", place, report, faults(report))
		}
	}
	// What lies there harmlessly is named, and no fault.
	report, err := Verify(t.Context(), "imagenet-folder", Options{Dir: writeTree(t, sampleTree(t))})
	if err != nil || faults(report) != nil || len(report.Skipped) != 1 {
		t.Errorf("%v, %+v", err, report)
	}
}

// A class that only one split has is said; so is an empty folder, and a line of the annotations
// without its image.
func TestLostClassesAreNamed(t *testing.T) {
	files := sampleTree(t)
	delete(files, "val/n02/9.jpg")
	place := writeTree(t, files)
	if err := os.MkdirAll(filepath.Join(place, "val", "n09"), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(place, "val"), map[string][]byte{"val_annotations.txt": []byte("a.JPEG n01\n9.jpg n01\n")})
	set, err := openFolder(t, place)
	if err != nil {
		t.Fatal(err)
	}
	want := []Skipped{
		{Empty, 1, []string{"val/n09"}},
		{Untested, 2, []string{"n02", "n03"}}, // both pictures are n01's by the annotations
		{Beside, 1, []string{"LICENSE"}},
		{NotListed, 1, []string{"a.JPEG"}},
	}
	if !sameSkipped(set.Skipped, want) {
		t.Errorf("skipped %v, want %v", set.Skipped, want)
	}
}

// What should be an image and cannot be read is an error that names it, before any training.
func TestUnreadableFilesAreNamed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("makes links")
	}
	isolate(t)
	link := func(to string) func(string) error {
		return func(path string) error { return os.Symlink(to, path) }
	}
	write := func(b string) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(b), 0o644) }
	}
	for want, c := range map[string]struct {
		path string
		make func(path string) error
	}{
		"is a link to /nowhere/x.png, which is not there": {"val/n02/x.png", link("/nowhere/x.png")},
		"is a link to nowhere, which is not there":        {"train/n01/more", link("nowhere")},
		"is a link to gone, which is not there":           {"train/n09", link("gone")},
		"is a device, want a regular file":                {"train/n01/x.jpg", link("/dev/zero")},
		"folders lie more than 16 deep":                   {"train/n01/loop", link(".")},
		"is empty":                                        {"val/n03/0.png", write("")},
		"unknown format: want JPEG, PNG":                  {"val/n03/0.png", write("<html>gone</html>")},
		"unexpected EOF":                                  {"train/n03/7.png", write("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00")},
	} {
		place := writeTree(t, sampleTree(t))
		if err := c.make(filepath.Join(place, c.path)); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), "imagenet-folder", Options{Dir: place, Size: 16})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: %v, want %q", c.path, err, want)
		}
		report, err := Verify(t.Context(), "imagenet-folder", Options{Dir: place})
		if err != nil || faults(report) == nil || !strings.Contains(faults(report).Error(), want) {
			t.Errorf("%s: verified as %v, %v; want %q", c.path, faults(report), err, want)
		}
	}
}

// Every fault is in the report; an error says the first three.
func TestManyFaults(t *testing.T) {
	files := sampleTree(t)
	for i := range 20 {
		files[fmt.Sprintf("train/n01/bad%02d.png", i)] = nil
	}
	place := writeTree(t, files)
	report, err := Verify(t.Context(), "imagenet-folder", Options{Dir: place})
	if err != nil || len(report.Files) != 20 || report.Count != 12 {
		t.Errorf("%d faults of %d images, want 20 of 12: %v", len(report.Files), report.Count, err)
	}
	if _, err := openFolder(t, place); err == nil || !strings.Contains(err.Error(), "and 17 more") || strings.Contains(err.Error(), "bad03") {
		t.Errorf("got %v", err)
	}
}

// An image is told by its content: the ending says only that it is one.
func TestFormats(t *testing.T) {
	src := reference.Synthetic(3, 16, 16)
	rgba := image.NewRGBA(image.Rect(0, 0, 16, 16))
	for i := range 256 {
		copy(rgba.Pix[4*i:], []byte{src.Plane(0)[i], src.Plane(1)[i], src.Plane(2)[i], 255})
	}
	encode := func(do func(w io.Writer) error) []byte {
		var b bytes.Buffer
		if err := do(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	asPNG := encode(func(w io.Writer) error { return png.Encode(w, rgba) })
	files := map[string][]byte{
		"train/a/1.png":  asPNG,
		"train/a/2.PnG":  asPNG,
		"train/a/3.jpg":  asPNG,
		"train/a/4.bmp":  encode(func(w io.Writer) error { return bmp.Encode(w, rgba) }),
		"train/a/5.BMP":  encode(func(w io.Writer) error { return bmp.Encode(w, rgba) }),
		"train/a/6.tiff": encode(func(w io.Writer) error { return tiff.Encode(w, rgba, nil) }),
		"train/a/7.tif":  encode(func(w io.Writer) error { return tiff.Encode(w, rgba, &tiff.Options{Compression: tiff.Deflate}) }),
		"val/a/1.png":    asPNG,
	}
	_, lossless := reference.Load(t, "webp-lossless")
	files["train/a/8.webp"] = lossless
	for _, place := range []string{writeTree(t, files), writeTar(t, files)} {
		set, err := openFolder(t, place)
		if err != nil {
			t.Fatal(err)
		}
		if set.Train.Len() != 8 || set.Skipped != nil {
			t.Fatalf("%d images, skipped %v", set.Train.Len(), set.Skipped)
		}
		for i := range 7 {
			if got := read(t, set.Train, i); !bytes.Equal(got, src.Pix) {
				t.Errorf("%s has other pixels", set.Train.(*images).entries[i].path)
			}
		}
		if m := native(t, set.Train, 7); m.H != 29 || m.W != 37 {
			t.Errorf("WebP of %dx%d, want 29x37", m.H, m.W)
		}
	}
}

// Whatever lies in a tree and in whatever order a tar has it, folder and tar are the same set.
func TestFolderAndTarAgreeOnAnyTree(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	pictures := [][]byte{photograph(t, 8, 8, 10, false), photograph(t, 9, 7, 90, true), photograph(t, 12, 8, 200, false)}
	folders := []string{"", "images/", "2021/batch_a/", "a/b/c/d/e/", ".hidden/", "train/", "val/", "x/__MACOSX/"}
	names := []string{"1.jpg", "2.JPEG", "3.png", "4.gif", "5.txt", "6", ".7.jpg", "Thumbs.db", "8.JPG"}
	for range 30 {
		files := map[string][]byte{}
		for _, class := range []string{"a", "b", "val", "train"}[:2+r.IntN(3)] {
			files["train/"+class+"/0.jpg"] = pictures[0]
			files["val/"+class+"/0.jpg"] = pictures[1]
			for range r.IntN(8) {
				path := []string{"train/", "val/"}[r.IntN(2)] + class + "/" + folders[r.IntN(len(folders))] + names[r.IntN(len(names))]
				files[path] = pictures[r.IntN(len(pictures))]
			}
		}
		files["val/README"], files["more/1.jpg"] = []byte("x"), pictures[0]
		folder, err := openFolder(t, writeTree(t, files))
		if err != nil {
			t.Fatal(err)
		}
		var members []tar.Header
		for _, name := range slices.Sorted(maps.Keys(files)) {
			members = append(members, member("./"+name, files[name]))
		}
		for range 3 {
			r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
			place := filepath.Join(t.TempDir(), "set.tar")
			if err := os.WriteFile(place, tarOf(t, members...), 0o644); err != nil {
				t.Fatal(err)
			}
			packed, err := openFolder(t, place)
			if err != nil {
				t.Fatal(err)
			}
			if folder.Hash != packed.Hash || !slices.Equal(folder.ClassNames, packed.ClassNames) || !sameSkipped(folder.Skipped, packed.Skipped) {
				t.Fatalf("the folder is %s %v %v\nthe tar %s %v %v", folder.Hash, folder.ClassNames, folder.Skipped, packed.Hash, packed.ClassNames, packed.Skipped)
			}
			for _, split := range [][2]Split{{folder.Train, packed.Train}, {folder.Test, packed.Test}} {
				for i := range split[0].Len() {
					if label(split[0], i) != label(split[1], i) || !bytes.Equal(read(t, split[0], i), read(t, split[1], i)) {
						t.Fatalf("image %d differs", i)
					}
				}
			}
		}
	}
}

// A part of a set that is stored class by class has every class, in proportion, and more of it
// holds less of it; it is the same for every seed.
func TestLimitsOfAFolder(t *testing.T) {
	isolate(t)
	picture := photograph(t, 8, 8, 10, false)
	files := map[string][]byte{}
	sizes := map[string]int{"a": 40, "b": 20, "c": 2, "d": 18}
	for class, n := range sizes {
		for i := range n {
			files[fmt.Sprintf("train/%s/%02d.jpg", class, i)] = picture
			files[fmt.Sprintf("val/%s/%02d.jpg", class, i)] = picture
		}
	}
	place := writeTree(t, files)
	open := func(name string, opt Options) *Set {
		opt.Dir, opt.Size = place, 8
		set, err := Open(t.Context(), name, opt)
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	before := map[string]bool{}
	for _, n := range []int{4, 8, 16, 40, 79} {
		set := open("imagenet-folder", Options{TrainLimit: n, TestLimit: n})
		count := make([]int, 4)
		now := map[string]bool{}
		index := set.Train.(subset).index
		for i := range set.Train.Len() {
			count[label(set.Train, i)]++
			now[set.Train.(subset).Split.(*images).entries[index[i]].path] = true
		}
		if !slices.IsSorted(index) {
			t.Errorf("%d: not in stored order: %v", n, index)
		}
		for path := range before {
			if !now[path] {
				t.Errorf("%d images have not %s, which fewer have", n, path)
			}
		}
		before = now
		for i, class := range []string{"a", "b", "c", "d"} {
			share := float64(n*sizes[class]) / 80
			if got := float64(count[i]); got < 1 || got < share-2 || got > share+2 {
				t.Errorf("%d images: %v of class %s, want %.1f", n, got, class, share)
			}
		}
		other := open("imagenet-folder+fog-1", Options{TrainLimit: n, TestLimit: n, RandomLabels: RandomAllLabels})
		if !slices.Equal(other.Train.(subset).index, index) || !slices.Equal(other.Test.(subset).index, set.Test.(subset).index) {
			t.Errorf("%d: other labels or a corruption choose other images", n)
		}
	}
	held := open("imagenet-folder", Options{TrainLimit: 10, Validation: 20})
	seen := map[int]bool{}
	for i := range held.Train.Len() {
		seen[label(held.Train, i)] = true
	}
	if len(seen) < 3 { // the validation set may hold both of class c
		t.Errorf("10 images beside a validation set have the classes %v", seen)
	}
}

// EMNIST's letters are stored from A to Z: a part of them has all.
func TestLimitOfLetters(t *testing.T) {
	saved := slices.Clone(emnistFiles)
	defer copy(emnistFiles, saved)
	labels := make([]byte, 26*4)
	for i := range labels {
		labels[i] = byte(1 + i/4)
	}
	content := map[string][]byte{emnistFiles[0].Name: idx(make([]byte, len(labels)*784), len(labels), 28, 28), emnistFiles[1].Name: idx(labels, len(labels))}
	for i := range emnistFiles {
		b := content[emnistFiles[i].Name]
		emnistFiles[i].Size, emnistFiles[i].SHA256 = int64(len(b)), sha256Of(b)
	}
	dir := t.TempDir()
	put(t, dir, content)
	set, err := Open(t.Context(), "emnist-letters", Options{Dir: dir, Offline: true, TestLimit: 52})
	if err != nil {
		t.Fatal(err)
	}
	count := make([]int, 26)
	for i := range set.Test.Len() {
		count[label(set.Test, i)]++
	}
	for l, n := range count {
		if n != 2 {
			t.Errorf("%d examples of letter %d, want 2", n, l)
		}
	}
}

// faults joins what a report says is wrong, among it what was left out and may have been meant.
func faults(r Report) error {
	var all []error
	for _, f := range r.Files {
		if f.Err != nil {
			all = append(all, f.Err)
		}
	}
	for _, s := range r.Skipped {
		if s.Reason.Lost() {
			all = append(all, errors.New(s.String()))
		}
	}
	return errors.Join(all...)
}
