package data

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bayesbench/suites/data/fetch"
)

// checkTable holds a UCI set at hand to what is published of it.
func checkTable(t *testing.T, first *Set) {
	rows := map[string][2]int{ // of the first split
		"uci-boston": {455, 51}, "uci-concrete": {927, 103}, "uci-energy": {691, 77}, "uci-kin8nm": {7373, 819},
		"uci-naval": {10741, 1193}, "uci-power": {8611, 957}, "uci-protein": {41157, 4573}, "uci-wine": {1439, 160},
		"uci-yacht": {277, 31}, "uci-boston-gap": {338, 168}, "uci-concrete-gap": {686, 344}, "uci-naval-gap": {7956, 3978},
	}
	if want, known := rows[first.Name]; known && (first.Train.Len() != want[0] || first.Test.Len() != want[1]) {
		t.Errorf("%d + %d rows, published are %v", first.Train.Len(), first.Test.Len(), want)
	}
	for split := range first.Splits {
		set, err := Open(t.Context(), first.Name, Options{Offline: true, Split: split})
		if err != nil {
			t.Fatal(err)
		}
		if set.Hash != first.Hash {
			t.Errorf("split %d has another hash", split)
		}
		if !strings.HasSuffix(first.Name, "-gap") {
			continue
		}
		// By the input of the split, no training row lies inside the test set.
		of := columns(set.Test.Len(), set.Shape[0], func(dst []float64, i int) {
			x, _ := numbers(t, set.Test, i)
			copy(dst, x)
		})
		for i := range set.Train.Len() {
			if x, _ := numbers(t, set.Train, i); x[split] > of[split].least && x[split] < of[split].greatest {
				t.Fatalf("split %d: training row %d is inside the gap", split, i)
			}
		}
	}
}

// smallUCI is a made-up set of two splits in the layout of the UCI files.
var smallUCI = map[string]string{
	"standard/x/data/data.txt":            "1 2.5\t-3e2\n4 5 6\n7 8 9\n1 0 0\n\n",
	"standard/x/data/index_features.txt":  "2\n0\n",
	"standard/x/data/index_target.txt":    "1\n",
	"standard/x/data/index_train_0.txt":   "3\n1\n0\n",
	"standard/x/data/index_test_0.txt":    "2\n\n",
	"standard/x/data/index_train_1.txt":   "0\n3\n",
	"standard/x/data/index_test_1.txt":    "1\n2",
	"standard/x/data/index_train_20.txt":  "none of this set's splits",
	"standard/x/data/n_hidden.txt":        "50\n",
	"standard/xx/data/index_features.txt": "of another set",
}

// readUCI writes the files and reads the set, whose files have the hashes of what was written.
func readUCI(t *testing.T, files map[string]string, split int) (*Set, error) {
	t.Helper()
	r := uciReader{dir: t.TempDir()}
	content := map[string][]byte{}
	for name, text := range files {
		content[name] = []byte(text)
		r.files = append(r.files, fetch.File{Name: name, Size: int64(len(text)), SHA256: sha256Of([]byte(text))})
	}
	for name, b := range content {
		put(t, filepath.Join(r.dir, filepath.Dir(name)), map[string][]byte{filepath.Base(name): b})
	}
	info := Info{Name: "x", Examples: Examples{Numbers, []int{2}}, Targets: Targets{Width: 1}, Splits: 2}
	return r.set(info, "standard/x/data/", "standard/x/data/", Options{Split: split})
}

// Columns come in the order of the index files, and rows in that of the split.
func TestUCILayout(t *testing.T) {
	for split, want := range [][][3]float64{{{0, 1, 0}, {6, 4, 5}, {-300, 1, 2.5}, {9, 7, 8}}, {{-300, 1, 2.5}, {0, 1, 0}, {6, 4, 5}, {9, 7, 8}}} {
		set, err := readUCI(t, smallUCI, split)
		if err != nil {
			t.Fatal(err)
		}
		var got [][3]float64
		for _, s := range []Split{set.Train, set.Test} {
			for i := range s.Len() {
				x, y := numbers(t, s, i)
				got = append(got, [3]float64{x[0], x[1], y[0]})
			}
		}
		if len(got) != len(want) {
			t.Fatalf("split %d: %v, want %v", split, got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("split %d: row %d is %v, want %v", split, i, got[i], want[i])
			}
		}
	}
}

func TestDamagedUCIFilesAreNamed(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"a word":                     {"data.txt", "1 2 3\n4 five 6\n", `data.txt: line 2, column 2: want a number, found "five"`},
		"NaN":                        {"data.txt", "1 2 3\n4 5 6\n7 8 nan\n", `data.txt: line 3, column 3: want a finite number, found "nan"`},
		"infinity":                   {"data.txt", "1 -Inf 3\n", `data.txt: line 1, column 2: want a number that float32 holds, found "-Inf"`},
		"more than float32 holds":    {"data.txt", "1 1e39 3\n", `data.txt: line 1, column 2: want a number that float32 holds, found "1e39"`},
		"more than float64 holds":    {"data.txt", "1 1e999 3\n", `data.txt: line 1, column 2: want a number that float32 holds, found "1e999"`},
		"a column too few":           {"data.txt", "1 2 3\n4 5\n", "data.txt: line 2: 2 columns, want 3 as in line 1"},
		"a column too many":          {"data.txt", "1 2 3\n4 5 6 7\n", "data.txt: line 2: 4 columns, want 3 as in line 1"},
		"an empty line":              {"data.txt", "1 2 3\n\n4 5 6\n", "data.txt: line 2: 0 columns, want 3 as in line 1"},
		"an empty first line":        {"data.txt", "\n1 2 3\n", "data.txt: line 1: 0 columns, want 1"},
		"no rows":                    {"data.txt", "\n \n", "data.txt: is empty, want rows of numbers"},
		"fewer rows than places":     {"data.txt", "1 2 3\n4 5 6\n7 8 9\n", "index_train_0.txt: line 1: place 3, there are 0 to 2"},
		"fewer columns than places":  {"data.txt", "1 2\n4 5\n7 8\n1 0\n", "index_features.txt: line 1: place 2, there are 0 to 1"},
		"a column of both":           {"index_target.txt", "0\n", "index_target.txt: line 1: column 0 is an input too, by line 2 of index_features.txt"},
		"too few inputs":             {"index_features.txt", "2\n", "want numbers 2 and 1 number"},
		"no target":                  {"index_target.txt", "", "index_target.txt: is empty, want a place in each line"},
		"a place before all":         {"index_test_1.txt", "1\n-1\n", "index_test_1.txt: line 2: place -1, there are 0 to 3"},
		"a place behind all":         {"index_test_1.txt", "4\n", "index_test_1.txt: line 1: place 4, there are 0 to 3"},
		"a place of 2^64":            {"index_test_1.txt", "18446744073709551616\n", "index_test_1.txt: line 1: place 18446744073709551616, there are 0 to 3"},
		"a place twice":              {"index_train_1.txt", "0\n3\n0\n", "index_train_1.txt: line 3: place 0 stands in line 1 already"},
		"half a place":               {"index_train_1.txt", "0\n0.5\n", `index_train_1.txt: line 2: "0.5" is no whole number`},
		"two places in a line":       {"index_train_1.txt", "0 1\n", `index_train_1.txt: line 1: "0 1" is no whole number`},
		"a row of both":              {"index_test_1.txt", "1\n2\n3\n", "index_test_1.txt: line 3: row 3 is a training example too, by line 2 of index_train_1.txt"},
		"no test rows":               {"index_test_1.txt", "\n\n", "index_test_1.txt: is empty"},
		"a file that does not exist": {"index_test_1.txt", "\x00", "no file standard/x/data/index_test_1.txt is published"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{}
			maps.Copy(files, smallUCI)
			path := "standard/x/data/" + c.file
			if files[path] = c.text; c.text == "\x00" {
				delete(files, path)
			}
			if _, err := readUCI(t, files, 0); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// A set has its own files: the table, its columns, and the places of every split.
func TestUCIFiles(t *testing.T) {
	all := uciFiles()
	seen := map[string]bool{}
	for _, name := range Members("uci") {
		s := sources[name]
		if want := 3 + 2*s.Splits; len(s.files) != want {
			t.Errorf("%s: %d files, want %d", name, len(s.files), want)
		}
		for _, f := range s.files {
			seen[f.Name] = true
		}
	}
	if len(Members("uci")) != 18 || len(seen) != len(all) {
		t.Errorf("%d sets of %d files, want 18 of %d", len(Members("uci")), len(seen), len(all))
	}
	if got := Members("mnist"); len(got) != 1 || got[0] != "mnist" {
		t.Errorf("mnist stands for %v", got)
	}
}

// An archive put by hand serves all sets, whatever folders it has above theirs, and what is not
// theirs is not unpacked.
func TestUCIArchiveByHand(t *testing.T) {
	cache := isolate(t)
	dir := t.TempDir()
	put(t, dir, map[string][]byte{"uci-regression.tar.gz": zipped(tarOf(t,
		member("DUN-1/experiments/data/UCI_for_sharing/standard/yacht/data/index_target.txt", []byte("6\n")),
		member("DUN-1/README.md", []byte("6\n"))))})
	_, err := Open(t.Context(), "uci-yacht", Options{Dir: dir, Offline: true})
	var missing *fetch.NotFoundError
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "which it gave, lacks standard/yacht/data/data.txt, ") ||
		!strings.Contains(err.Error(), "38 more") || !strings.Contains(err.Error(), "which may be put there as uci-regression.tar.gz") {
		t.Errorf("an archive that lacks files: %v", err)
	}
	var have []string
	root := filepath.Join(cache, "bayesbench", "uci")
	err = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != ".lock" {
			rel, _ := filepath.Rel(root, path)
			have = append(have, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil || len(have) != 1 || have[0] != "standard/yacht/data/index_target.txt" {
		t.Errorf("unpacked %v, %v", have, err)
	}
	put(t, dir, map[string][]byte{"uci-regression.tar.gz": zipped(tarOf(t, member("gap/yacht/data/index_test_0.txt", []byte("0\n"))))})
	var hash *fetch.HashError
	if _, err := Open(t.Context(), "uci-boston", Options{Dir: dir, Offline: true}); err == nil || errors.As(err, &hash) ||
		!strings.Contains(err.Error(), "index_test_0.txt: truncated") {
		t.Errorf("a file of another length: %v", err)
	}
}
