package main

import (
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bayesbench/results"
)

// folder makes a set of pictures of two classes.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for i := range 24 {
		class, split := []string{"a", "b"}[i%2], []string{"train", "train", "val"}[i%3]
		m := image.NewGray(image.Rect(0, 0, 8, 8))
		for p := range 64 {
			m.SetGray(p%8, p/8, color.Gray{uint8(p*i + 100*(i%2))})
		}
		if err := os.MkdirAll(filepath.Join(dir, split, class), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(dir, split, class, string(rune('a'+i))+".png"))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, m); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const pictures = `name = "pictures"
model = "softmax-regression"
[data]
name = "imagenet-folder"
size = 8
[train]
epochs = 1
batch = 4
[[method]]
name = "deterministic"
`

// What a set leaves out stands in the log before training, in the manifest and in what verify says;
// only what may be missing from the set is a fault.
func TestSkippedFilesAreSaid(t *testing.T) {
	for name, c := range map[string]struct {
		file   string
		reason string
		verify int
	}{
		"hidden":      {"train/.ipynb_checkpoints/a.png", "hidden, or left there by a system", 0},
		"text":        {"train/a/labels.csv", "no image by its name", 0},
		"unsupported": {"val/b/x.heic", "in a format that is not read", 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir, out := folder(t), t.TempDir()
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, c.file)), 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, dir, c.file, "x")
			code, _, log := benchrun(t, "-data", dir, "-out", out, write(t, out, "pictures.toml", pictures))
			if code != 0 || !strings.Contains(log, "1 skipped, "+c.reason) {
				t.Fatalf("exit %d\n%s", code, log)
			}
			paths, err := filepath.Glob(filepath.Join(out, "pictures", "jobs", "*", "manifest.json"))
			if err != nil || len(paths) != 1 {
				t.Fatalf("%v %v", paths, err)
			}
			text, err := os.ReadFile(paths[0])
			if err != nil {
				t.Fatal(err)
			}
			var m results.Manifest
			if err := json.Unmarshal(text, &m); err != nil {
				t.Fatal(err)
			}
			if len(m.Skipped) != 1 || m.Skipped[0].Reason != c.reason || m.Skipped[0].Count != 1 || m.Skipped[0].Data != "imagenet-folder" ||
				len(m.Skipped[0].Examples) != 1 || !strings.HasPrefix(c.file, m.Skipped[0].Examples[0]) {
				t.Errorf("the manifest says %+v", m.Skipped)
			}
			code, said, log := benchrun(t, "data", "verify", "-data", dir, "imagenet-folder")
			if code != c.verify || !strings.Contains(said, "1 skipped, "+c.reason+": "+m.Skipped[0].Examples[0]) {
				t.Errorf("data verify: exit %d, want %d\n%s\n%s", code, c.verify, said, log)
			}
		})
	}
}

// A link that leads nowhere ends the run before any training, and is named.
func TestDanglingLinkIsNamed(t *testing.T) {
	dir, out := folder(t), t.TempDir()
	if err := os.Symlink("nowhere.png", filepath.Join(dir, "val", "a", "link.png")); err != nil {
		t.Fatal(err)
	}
	code, _, log := benchrun(t, "-data", dir, "-out", out, write(t, out, "pictures.toml", pictures))
	if code != 2 || !strings.Contains(log, "link.png: is a link to nowhere.png") {
		t.Errorf("exit %d\n%s", code, log)
	}
	code, said, _ := benchrun(t, "data", "verify", "-data", dir, "imagenet-folder")
	if code != 1 || !strings.Contains(said, "link.png") {
		t.Errorf("data verify: exit %d\n%s", code, said)
	}
}

// Without a home there is no cache, and none is needed for what lies in a folder.
func TestNoHomeIsNeeded(t *testing.T) {
	dir, out := folder(t), t.TempDir()
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", "BAYESBENCH_DATA"} {
		t.Setenv(name, "")
	}
	if code, _, log := benchrun(t, "-data", dir, "-out", out, write(t, out, "pictures.toml", pictures)); code != 0 {
		t.Errorf("exit %d\n%s", code, log)
	}
	// What has to be fetched says what to do.
	code, _, log := benchrun(t, "data", "fetch", "-offline", "cifar10")
	for _, want := range []string{"XDG_CACHE_HOME", "-data DIR", "data_batch_1.bin"} {
		if code != 2 || !strings.Contains(log, want) {
			t.Errorf("exit %d, want 2 and %q\n%s", code, want, log)
		}
	}
}

// A folder that was named is read, and nothing that lies beside it.
func TestNamedFolderIsRead(t *testing.T) {
	dir, out := folder(t), t.TempDir()
	write(t, filepath.Dir(dir), filepath.Base(dir)+".tar", "no tar")
	suite := write(t, out, "pictures.toml", pictures)
	if code, _, log := benchrun(t, "-data", dir, "-out", out, suite); code != 0 {
		t.Errorf("exit %d\n%s", code, log)
	}
	_, said, _ := benchrun(t, "data", "verify", "-data", dir, "imagenet-folder")
	if !slices.Contains(strings.Split(said, "\n"), "imagenet-folder: "+dir+", 24 files checked") {
		t.Errorf("data verify says\n%s", said)
	}
}
