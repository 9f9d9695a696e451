package data

import (
	"archive/tar"
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"bayesbench/backends/rng"
	"bayesbench/suites/data/augment"
)

// photograph is a JPEG of h x w pixels, brighter for larger shade, gray if asked for.
func photograph(t testing.TB, h, w int, shade uint8, gray bool) []byte {
	t.Helper()
	var m interface {
		image.Image
		Set(x, y int, c color.Color)
	} = image.NewRGBA(image.Rect(0, 0, w, h))
	if gray {
		m = image.NewGray(image.Rect(0, 0, w, h))
	}
	for y := range h {
		for x := range w {
			m.Set(x, y, color.RGBA{shade, shade / 2, uint8(x), 255})
		}
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, m, nil); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// sampleTree is a small collection with pictures of several sizes, one of them gray.
func sampleTree(t testing.TB) map[string][]byte {
	files := map[string][]byte{"LICENSE": []byte("text")}
	for c, class := range []string{"n02", "n01", "n03"} {
		for i := range 3 {
			files[fmt.Sprintf("train/%s/%d.JPEG", class, i)] = photograph(t, 20+10*i, 30, uint8(50+60*c), i == 2)
		}
		files["val/"+class+"/9.jpg"] = photograph(t, 16, 16, uint8(50+60*c), false)
	}
	return files
}

func writeTree(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		put(t, filepath.Join(dir, filepath.Dir(name)), map[string][]byte{filepath.Base(name): b})
	}
	return dir
}

func writeTar(t testing.TB, files map[string][]byte, more ...tar.Header) string {
	t.Helper()
	members := []tar.Header{{Name: "top/", Typeflag: tar.TypeDir}}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		members = append(members, member("top/"+name, files[name]))
	}
	path := filepath.Join(t.TempDir(), "set.tar")
	if err := os.WriteFile(path, tarOf(t, append(members, more...)...), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func openFolder(t testing.TB, place string) (*Set, error) {
	t.Helper()
	isolate(t)
	return Open(t.Context(), "imagenet-folder", Options{Dir: place, Size: 16})
}

func TestFolderAndTarAreTheSameSet(t *testing.T) {
	files := sampleTree(t)
	folder, err := openFolder(t, writeTree(t, files))
	if err != nil {
		t.Fatal(err)
	}
	packed, err := openFolder(t, writeTar(t, files))
	if err != nil {
		t.Fatal(err)
	}
	if folder.Hash != packed.Hash {
		t.Errorf("hashes %s and %s", folder.Hash, packed.Hash)
	}
	if folder.Classes != 3 || !slices.Equal(folder.Shape, []int{3, 16, 16}) || !slices.Equal(folder.ClassNames, []string{"n01", "n02", "n03"}) {
		t.Fatalf("%+v", folder.Info)
	}
	if folder.Train.Len() != 9 || folder.Test.Len() != 3 {
		t.Fatalf("%d + %d images", folder.Train.Len(), folder.Test.Len())
	}
	for i := range folder.Train.Len() {
		a, b := read(t, folder.Train, i), read(t, packed.Train, i)
		if !bytes.Equal(a, b) || label(folder.Train, i) != label(packed.Train, i) || label(folder.Train, i) != i/3 {
			t.Errorf("image %d differs, or has label %d", i, label(folder.Train, i))
		}
		m := native(t, packed.Train, i)
		if m.H != 20+10*(i%3) || m.W != 30 || m.C != 3 {
			t.Errorf("image %d has shape %d %d %d", i, m.C, m.H, m.W)
		}
		if i%3 == 2 && (!bytes.Equal(m.Plane(0), m.Plane(1)) || !bytes.Equal(m.Plane(0), m.Plane(2))) {
			t.Errorf("gray image %d has colours", i)
		}
		// n01 was drawn with shade 110, n02 with 50; n03 with 170. JPEG may be off by a few levels.
		if shade := int(m.Plane(0)[0]); i%3 != 2 && max(shade, []int{110, 50, 170}[i/3])-min(shade, []int{110, 50, 170}[i/3]) > 6 {
			t.Errorf("image %d of class %d has shade %d", i, i/3, shade)
		}
	}
	files["train/n01/0.JPEG"][100] ^= 1
	other, err := openFolder(t, writeTree(t, files))
	if err == nil && other.Hash == folder.Hash {
		t.Error("a flipped bit does not change the hash")
	}
}

func TestTinyImageNetLayout(t *testing.T) {
	files := map[string][]byte{"val/val_annotations.txt": []byte("val_0.JPEG\tb\t0\t32\t44\t62\nval_1.JPEG\ta\t1\t2\t3\t4\n")}
	for _, class := range []string{"a", "b"} {
		files["train/"+class+"/images/"+class+"_0.JPEG"] = photograph(t, 16, 16, 9, false)
		files["train/"+class+"/"+class+"_boxes.txt"] = []byte("x")
	}
	for i := range 2 {
		files[fmt.Sprintf("val/images/val_%d.JPEG", i)] = photograph(t, 16, 16, 9, false)
	}
	for _, place := range []string{writeTree(t, files), writeTar(t, files)} {
		set, err := openFolder(t, place)
		if err != nil {
			t.Fatal(err)
		}
		if set.Train.Len() != 2 || set.Test.Len() != 2 || label(set.Test, 0) != 0 || label(set.Test, 1) != 1 {
			t.Errorf("%d + %d images", set.Train.Len(), set.Test.Len())
		}
		if path := set.Test.(*images).entries[0].path; path != "val/images/val_1.JPEG" {
			t.Errorf("class a has %s", path)
		}
	}
}

func TestUnfitTreesAreRefused(t *testing.T) {
	for want, change := range map[string]func(map[string][]byte) []tar.Header{
		"0 in val": func(f map[string][]byte) []tar.Header {
			for name := range f {
				if strings.HasPrefix(name, "val/") {
					delete(f, name)
				}
			}
			return nil
		},
		`class "n04" has no images in train`: func(f map[string][]byte) []tar.Header {
			f["val/n04/1.JPEG"] = f["val/n01/9.jpg"]
			return nil
		},
		"lies in no class folder": func(f map[string][]byte) []tar.Header {
			f["val/1.JPEG"] = f["val/n01/9.jpg"]
			return nil
		},
		"leads out": func(f map[string][]byte) []tar.Header {
			return []tar.Header{member("../../train/n01/x.JPEG", nil)}
		},
		`"/train/n01/x.JPEG" leads out`: func(f map[string][]byte) []tar.Header {
			return []tar.Header{member("/train/n01/x.JPEG", nil)}
		},
		"is a link": func(f map[string][]byte) []tar.Header {
			return []tar.Header{{Name: "train/n01/x.JPEG", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}}
		},
		"a link or": func(f map[string][]byte) []tar.Header {
			return []tar.Header{{Name: "train/n01/x.JPEG", Typeflag: tar.TypeLink, Linkname: "top/LICENSE"}}
		},
		"is there twice": func(f map[string][]byte) []tar.Header {
			return []tar.Header{member("top/train/n01/0.JPEG", f["train/n01/0.JPEG"])}
		},
		"holds train and val twice, in . and in top": func(f map[string][]byte) []tar.Header {
			return []tar.Header{member("train/n01/0.JPEG", f["train/n01/0.JPEG"])}
		},
		"class folder train/n04 has no image; want JPEG": func(f map[string][]byte) []tar.Header {
			return []tar.Header{{Name: "top/train/n04/", Typeflag: tar.TypeDir}}
		},
		"train/n04 has no image that is read, and 1 files in other formats, such as train/n04/1.heic": func(f map[string][]byte) []tar.Header {
			f["train/n04/1.heic"] = []byte("x")
			return nil
		},
		"if its folder valid is meant, call it val": func(f map[string][]byte) []tar.Header {
			for name, b := range f {
				if rest, ok := strings.CutPrefix(name, "val/"); ok {
					delete(f, name)
					f["valid/"+rest] = b
				}
			}
			return nil
		},
		`class "cafe\u0301" of val and class "caf\u00e9" of train look the same`: func(f map[string][]byte) []tar.Header {
			f["train/caf\u00e9/1.JPEG"], f["val/cafe\u0301/1.JPEG"] = f["val/n01/9.jpg"], f["val/n01/9.jpg"]
			return nil
		},
		`classes "cafe\u0301" and "caf\u00e9" of train look the same`: func(f map[string][]byte) []tar.Header {
			f["train/caf\u00e9/1.JPEG"], f["train/cafe\u0301/1.JPEG"] = f["val/n01/9.jpg"], f["val/n01/9.jpg"]
			return nil
		},
	} {
		files := sampleTree(t)
		more := change(files)
		_, err := openFolder(t, writeTar(t, files, more...))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	// Cut anywhere, between members too, where the rest would pass for a smaller set.
	whole, err := os.ReadFile(writeTar(t, sampleTree(t)))
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut.tar")
	for n := len(whole) - 1024; n > 0; n -= 256 {
		if err := os.WriteFile(cut, whole[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := openFolder(t, cut); err == nil || !strings.Contains(err.Error(), cut) {
			t.Fatalf("tar cut to %d of %d bytes: %v", n, len(whole), err)
		}
	}
}

// What a tar claims of its members costs nothing.
func TestTarBombsAreRefused(t *testing.T) {
	for want, size := range map[string]int64{"truncated: member": 1 << 60, "an image has at most": maxImageBytes + 1} {
		var buf bytes.Buffer
		w := tar.NewWriter(&buf)
		if err := w.WriteHeader(&tar.Header{Name: "train/a/1.JPEG", Size: size, Format: tar.FormatGNU}); err != nil {
			t.Fatal(err)
		}
		bomb := filepath.Join(t.TempDir(), "bomb.tar")
		if err := os.WriteFile(bomb, buf.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		if size < 1<<40 { // a sparse file that is as long as it claims
			if err := os.Truncate(bomb, 512+(size+511)/512*512+1024); err != nil {
				t.Fatal(err)
			}
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		tr, err := openTree(bomb)
		if err == nil {
			err = tr.err()
		}
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), bomb) {
			t.Errorf("%d bytes: got %v, want %q", size, err, want)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
			t.Errorf("refusing a member of %d bytes takes %d", size, took)
		}
	}
}

func TestDamagedPhotographsAreNamed(t *testing.T) {
	files := sampleTree(t)
	files["val/n02/9.jpg"] = files["val/n02/9.jpg"][:400]
	place := writeTree(t, files)
	report, err := Verify(t.Context(), "imagenet-folder", Options{Dir: place})
	if err != nil {
		t.Fatal(err)
	}
	if report.Count != 12 || len(report.Files) != 1 || !strings.HasSuffix(report.Files[0].Path, "val/n02/9.jpg") || faults(report) == nil {
		t.Errorf("%+v", report)
	}
	if _, err := openFolder(t, place); err == nil || !strings.Contains(err.Error(), "val/n02/9.jpg") {
		t.Errorf("opening it: %v", err)
	}
}

func TestDecodedImagesAreKeptWithinBudget(t *testing.T) {
	isolate(t)
	one := int64(3 * 30 * 20)
	set, err := Open(t.Context(), "imagenet-folder", Options{Dir: writeTree(t, sampleTree(t)), Size: 16, CacheBytes: 2*one + 1})
	if err != nil {
		t.Fatal(err)
	}
	s := set.Train.(*images)
	for range 2 {
		for i := range s.Len() {
			if _, err := s.Example(i); err != nil {
				t.Fatal(err)
			}
		}
	}
	total := int64(0)
	for i := range s.kept.images {
		if m := s.kept.images[i].Load(); m != nil {
			total += int64(len(m.Pix))
		}
	}
	if total != 2*one || s.kept.budget.Load() != 1 {
		t.Errorf("%d bytes kept, %d left, want %d and 1", total, s.kept.budget.Load(), 2*one)
	}
}

// The loader fits images of any size to the set's, as pixel.Image.Fit does.
func TestLoaderFitsPhotographs(t *testing.T) {
	set, err := openFolder(t, writeTree(t, sampleTree(t)))
	if err != nil {
		t.Fatal(err)
	}
	l := newLoader(t, set.Train, LoaderConfig{Batch: 4, Order: Sequential})
	for b, err := range l.Epoch(0) {
		if err != nil {
			t.Fatal(err)
		}
		for row, i := range b.Index {
			for j, p := range read(t, set.Train, int(i)) {
				if got := b.X[row*768+j]; got != float32(float64(p)/255) {
					t.Fatalf("pixel %d of image %d is %v, want %d/255", j, i, got, p)
				}
			}
		}
	}
}

// A chain that begins with a crop is given images as they are stored; batches stay the same at any
// number of workers, whether decoded images are kept or not.
func TestCropsOfPhotographs(t *testing.T) {
	isolate(t)
	place := writeTree(t, sampleTree(t))
	var want []Batch
	for _, workers := range []int{1, 3} {
		for _, cache := range []int64{1, 1 << 20} {
			set, err := Open(t.Context(), "imagenet-folder", Options{Dir: place, Size: 16, CacheBytes: cache})
			if err != nil {
				t.Fatal(err)
			}
			chain := []augment.Transform{augment.ResizedCrop{Side: 16}, augment.Flip{}, augment.AugMix{Severity: 3}}
			got := take(t, newLoader(t, set.Train, LoaderConfig{Batch: 4, Key: rng.Key{2, 0}, Augment: chain, Workers: workers}), 7)
			if want == nil {
				want = got
			}
			for i := range want {
				if !sameBatch(want[i], got[i]) {
					t.Fatalf("workers %d, cache %d: batch %d differs", workers, cache, i)
				}
			}
		}
	}
	set, err := Open(t.Context(), "imagenet-folder", Options{Dir: place, Size: 16})
	if err != nil {
		t.Fatal(err)
	}
	l := newLoader(t, set.Train, LoaderConfig{Batch: 4, Augment: []augment.Transform{augment.ResizedCrop{Side: 20}}})
	if _, err := l.Next(); err == nil || !strings.Contains(err.Error(), "want images of shape [3 16 16], found [3 20 20]") {
		t.Errorf("crop to another size: %v", err)
	}
}

func TestImagenettePrefersTheSmallestSufficientCopy(t *testing.T) {
	for size, want := range map[int]string{0: "imagenette2-64", 64: "imagenette2-64", 65: "imagenette2-160", 224: "imagenette2-320", 500: "imagenette2"} {
		if got := imagenetteAliases(Options{Size: size}); got[0] != want || len(got) != 4 {
			t.Errorf("size %d: %v, want %s first", size, got, want)
		}
	}
	isolate(t)
	if _, err := Open(t.Context(), "imagenette", Options{Dir: writeTree(t, sampleTree(t)), Offline: true}); err == nil || !strings.Contains(err.Error(), "imagenet-folder") {
		t.Errorf("other classes: %v", err)
	}
}

func TestEMNISTIsTurnedUpright(t *testing.T) {
	saved := slices.Clone(emnistFiles)
	defer copy(emnistFiles, saved)
	pix := make([]byte, 784)
	pix[28*3+20] = 77 // stored: row 3, column 20
	content := map[string][]byte{emnistFiles[0].Name: idx(pix, 1, 28, 28), emnistFiles[1].Name: idx([]byte{26}, 1)}
	for i := range emnistFiles {
		b := content[emnistFiles[i].Name]
		emnistFiles[i].Size, emnistFiles[i].SHA256 = int64(len(b)), sha256Of(b)
	}
	dir := t.TempDir()
	put(t, dir, content)
	set, err := Open(t.Context(), "emnist-letters", Options{Dir: dir, Offline: true})
	if err != nil {
		t.Fatal(err)
	}
	m := native(t, set.Test, 0)
	if m.Pix[28*20+3] != 77 || label(set.Test, 0) != 25 || set.ClassNames[25] != "Z" {
		t.Errorf("pixel %d, label %d", m.Pix[28*20+3], label(set.Test, 0))
	}
}
