package bench_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/results"
	"bayesbench/suites"
	"bayesbench/suites/data"
)

// brokenPrograms are programs that do not do as they must, with what their jobs fail for.
var brokenPrograms = []struct {
	program string
	args    []string
	want    string
}{
	{"exits", nil, "program: it exited with 3; its last words:\nthe last"},
	{"kills-itself", nil, "program: it was ended by a signal: killed"},
	{"says-nothing", nil, "program: out/test: want a posterior sample at least, found 0"},
	{"labels", nil, "program: it exited with 3"},
	{"far-and-wide", nil, "out/test/000.logits.npy: shape [1000000 4], want [40 4]"},
	{"links", []string{"/dev/zero"}, "out/test/000.logits.npy: want a regular file, found a link"},
	{"reports", []string{`{"epochs": 99}`}, "out/scalars.json: epochs: want at most the budget of 1 (train.epochs), found 99"},
	{"predicts", []string{"logits", "N,3", "0"}, "out/test/000.logits.npy: shape [40 3], want [40 4]"},
	{"predicts", []string{"logits", "7,4", "0"}, "out/test/000.logits.npy: shape [7 4], want [40 4]"},
	{"predicts", []string{"logits", "N,4", "NaN"}, "out/test/000.logits.npy: metrics: member 0, row 0, class 1: logit is NaN"},
	{"predicts", []string{"probabilities", "N,4", "0.5"}, "row 0: probabilities sum to 1.25, want 1"},
	{"predicts", []string{"mean-variance", "2,N,4", "1"}, "out/test/000.mean-variance.npy: want 000.FORM.npy"},
}

const brokenSuite = `name = "broken"
model = "softmax-regression"
[data]
name = "blobs"
train = 60
test = 40
[train]
batch = 20
[[method]]
name = "deterministic"
`

// Each program that breaks the protocol ends in a failed job that says why, and the other jobs of
// the suite leave the bytes that they leave without it.
func TestHostilePrograms(t *testing.T) {
	alone := t.TempDir()
	runOnce(t, alone, brokenSuite, &quiet{})
	text := brokenSuite
	for i, p := range brokenPrograms {
		text += outside(strings.Repeat("x", i+1), p.program, p.args...)
	}
	dir := t.TempDir()
	q := &quiet{}
	sum, _ := runOnce(t, dir, text+"[[method]]\nname = \"ffg\"\n", q)
	if sum.Done != 2 || len(sum.Failed) != len(brokenPrograms) {
		t.Fatalf("%d jobs done, want 2; failed %q", sum.Done, sum.Failed)
	}
	_, jobs := plan(t, text)
	for i, p := range brokenPrograms {
		if err := q.ended[i+1].Failed; err == nil || !strings.Contains(err.Error(), p.want) {
			t.Errorf("%s %q fails with\n%v\nwant\n%s", p.program, p.args, err, p.want)
		}
		m, err := (&results.Run{Dir: dir}).Manifest(jobs[i+1].ID)
		if err != nil || m.Status != results.Failed || m.Failure.Phase != "program" {
			t.Errorf("%s: the manifest says %s, %+v, %v", p.program, m.Status, m.Failure, err)
		}
	}
	lines := regexp.MustCompile(`(?m)^Benchmark.*method=deterministic.*$`)
	if a, b := lines.FindAll(resultsText(t, alone), -1), lines.FindAll(resultsText(t, dir), -1); len(a) == 0 || !bytes.Equal(bytes.Join(a, nil), bytes.Join(b, nil)) {
		t.Errorf("beside broken programs a method leaves\n%s\nand alone\n%s", b, a)
	}
}

// No file that a program is given holds the labels of the test set, in whatever type.
func TestTestLabelsStay(t *testing.T) {
	text := strings.Replace(brokenSuite, "test = 40", "test = 40\nvalidation = 20\nrandom_labels = \"all\"", 1) +
		"[eval]\nshift = [\"gaussian-noise-1\"]\ntrain = true\n" + outside("reads", "exits")
	text = strings.Replace(text, "[[method]]\nname = \"deterministic\"\n", "", 1)
	dir := t.TempDir()
	if sum, _ := runOnce(t, dir, text, &quiet{}); len(sum.Failed) != 1 {
		t.Fatalf("%+v", sum)
	}
	s, err := suites.Parse(bench.Words(), "small.toml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	sets := &bench.Sets{}
	set, err := sets.Open(t.Context(), s.Jobs[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	patterns := func(labels []int) map[string][]byte {
		out := map[string][]byte{}
		for name, write := range map[string]func(b []byte, y int) []byte{
			"uint8": func(b []byte, y int) []byte { return append(b, byte(y)) },
			"int32": func(b []byte, y int) []byte { return binary.LittleEndian.AppendUint32(b, uint32(y)) },
			"int64": func(b []byte, y int) []byte { return binary.LittleEndian.AppendUint64(b, uint64(y)) },
			"one-hot float32": func(b []byte, y int) []byte {
				for c := range 4 {
					one := []byte{0, 0, 0, 0}
					if c == y {
						one = []byte{0, 0, 0x80, 0x3f}
					}
					b = append(b, one...)
				}
				return b
			},
		} {
			var b []byte
			for _, y := range labels {
				b = write(b, y)
			}
			out[name] = b
		}
		return out
	}
	hidden, known := patterns(data.Labels(set.Test)), patterns(data.Labels(set.Train))
	files, seen := 0, false
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, "external") {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for name, labels := range hidden {
			if bytes.Contains(content, labels) {
				t.Errorf("%s holds the labels of the test set as %s", path, name)
			}
		}
		seen = seen || bytes.Contains(content, known["int64"])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 7 || !seen {
		t.Errorf("%d files, the training labels among them: %v: the check sees too little", files, seen)
	}
}
