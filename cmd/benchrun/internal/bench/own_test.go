package bench_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/internal/npy"
	"bayesbench/suites"
)

const ownSuite = `name = "own"
model = "softmax-regression"
[data]
name = "mine"
[dataset.mine]
inputs = "x.npy"
targets = "y.npy"
test_share = 0.25
[dataset.strange]
test_inputs = "strange.npy"
[eval]
ood = ["strange"]
[train]
epochs = 1
batch = 10
[[method]]
name = "deterministic"
`

// array writes an array to a file.
func array[T npy.Number](t *testing.T, dir, name string, x []T, shape ...int) {
	t.Helper()
	var b bytes.Buffer
	if err := npy.Write(&b, x, shape...); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// ownFolder is a folder with a suite and the arrays that it names.
func ownFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	x, y := make([]float32, 120), make([]int64, 40)
	for i := range x {
		x[i] = float32(i*i%17) - float32(i%5)
	}
	for i := range y {
		y[i] = int64(i % 2)
	}
	array(t, dir, "x.npy", x, 40, 3)
	array(t, dir, "y.npy", y, 40)
	array(t, dir, "strange.npy", x[:30], 10, 3)
	if err := os.WriteFile(filepath.Join(dir, "own.toml"), []byte(ownSuite), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// plannedOwn is the one job of the suite in a folder.
func plannedOwn(t *testing.T, dir string, set ...string) (*bench.Job, error) {
	t.Helper()
	suite, err := suites.Read(bench.Words(), filepath.Join(dir, "own.toml"), set)
	if err != nil {
		return nil, err
	}
	jobs, err := bench.Plan(t.Context(), suite, &bench.Sets{})
	if err != nil {
		return nil, err
	}
	return jobs[0], nil
}

// A job's id has the content of the user's own sets, not where they lie: files that have moved or
// that have another format are the same job, and other numbers are another one.
func TestOwnSetsAreTheirContent(t *testing.T) {
	dir := ownFolder(t)
	first, err := plannedOwn(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	if c := first.Config.Content; len(c) != 2 || len(c["mine"]) != 12 || len(c["strange"]) != 12 || first.Config.Data.Normalise != "standard" {
		t.Errorf("content %v, normalised %q", c, first.Config.Data.Normalise)
	}
	moved := ownFolder(t)
	if err := os.Rename(filepath.Join(moved, "x.npy"), filepath.Join(moved, "inputs.npy")); err != nil {
		t.Fatal(err)
	}
	second, err := plannedOwn(t, moved, `dataset.mine.inputs=inputs.npy`)
	if err != nil {
		t.Fatal(err)
	}
	if second.ID != first.ID {
		t.Errorf("moved files make another job: %v, %v", first.Config.Content, second.Config.Content)
	}
	for _, v := range []struct{ file, set string }{{file: "strange.npy"}, {file: "x.npy"}, {set: "dataset.mine.test_share=0.5"}} {
		dir := ownFolder(t)
		var set []string
		if v.file != "" {
			array(t, dir, v.file, make([]float32, 120), 40, 3)
		} else {
			set = []string{v.set}
		}
		other, err := plannedOwn(t, dir, set...)
		if err != nil {
			t.Fatal(err)
		}
		if other.ID == first.ID {
			t.Errorf("%s%s: the same job", v.file, v.set)
		}
	}
}

// Errors of the user's own sets name the file, the line of the suite and the key.
func TestOwnSetsThatDoNotFit(t *testing.T) {
	for _, v := range []struct{ set, want string }{
		{`dataset.mine.targets=z.npy`, `-set "dataset.mine.targets=z.npy": dataset.mine: stat `},
		{`dataset.mine.test_share=2.0`, "dataset.mine: test_share: want a share above 0 and below 1, found 2"},
		{`dataset.mine.inptus=x.npy`, `unknown key "dataset.mine.inptus"; did you mean "inputs"?`},
		{`dataset.mnist.inputs=x.npy`, "dataset.mnist: the program has a data set of this name"},
		{`dataset.mine=x.npy`, "want a table [dataset.NAME]"},
		{`data.name=mien`, `no data set "mien"; did you mean "mine"?`},
		{`data.split=1`, "split 1: it has one split, 0"},
		{`data.split="all"`, `"all" is of sets that come in several splits`},
		{`data.normalise=unit255`, `normalisation "unit255": data set "mine" has numbers; want standard or none`},
		{`eval.shift=["fog-3"]`, "only images are corrupted"},
		{`eval.ood=["mnist"]`, "the examples of data set"},
	} {
		_, err := plannedOwn(t, ownFolder(t), v.set)
		if err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s: %v, want %q", v.set, err, v.want)
		}
	}
	// Splits of one's own are listed as published ones are.
	suite, err := suites.Read(bench.Words(), filepath.Join(ownFolder(t), "own.toml"), []string{`data.split="all"`, "dataset.mine.splits=4"})
	if err != nil || len(suite.Jobs) != 4 {
		t.Errorf("%v, %v", suite, err)
	}
}
