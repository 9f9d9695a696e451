package bench_test

import (
	"fmt"
	"strings"
	"testing"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/results"
	"bayesbench/suites"
)

// layersSuite is a suite of a network that is a list of layers, with every part of every method
// reached in two epochs.
func layersSuite(layers string, methods ...string) string {
	text := fmt.Sprintf("name = \"own\"\n[model]\nname = \"mine\"\nlayers = [%s]\n", layers) + `[data]
name = "blobs"
train = 16
test = 8
[train]
epochs = 2
batch = 8
lr = 1e-4
[eval]
samples = 2
`
	for _, m := range methods {
		text += fmt.Sprintf("[[method]]\nname = %q\n%s\n", m, brief[m])
	}
	return text
}

// A network of the user's trains, and its name is that of the results.
func TestLayersTrain(t *testing.T) {
	const layers = `"conv 4 3x3 pad 1", "batchnorm", "relu", "basic-block 4", "globalavgpool", "dropout 0.1", "linear"`
	s, err := suites.Parse(bench.Words(), "own.toml", []byte(layersSuite(layers, "dropout", "ffg", "sparse-vd", "laplace")), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range trainAll(t, s) {
		for _, r := range o.Records {
			if r.Model != "mine" {
				t.Fatalf("a record of model %q, want mine", r.Model)
			}
		}
	}
}

// trainAll trains every job of a suite and wants each to end with records.
func trainAll(t *testing.T, s *suites.Suite) []bench.Outcome {
	t.Helper()
	jobs, err := bench.Plan(t.Context(), s, &bench.Sets{})
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]string, len(jobs))
	for i, j := range jobs {
		ids[i] = j.ID
	}
	run, err := results.Open(t.Context(), t.TempDir(), results.Plan{Suite: s.Name, Text: s.Text, Jobs: ids}, results.Alone, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	var q quiet
	sum, err := bench.Run(t.Context(), run, jobs, &q)
	if err != nil || sum.Done != len(jobs) || len(q.notes) > 0 {
		t.Fatalf("%+v, %v, %q", sum, err, q.notes)
	}
	for i, o := range q.ended {
		if len(o.Records) == 0 {
			t.Errorf("%s: no records", jobs[i].Title())
		}
	}
	return q.ended
}

// A layer that does not fit is refused with file, line, number, text and shape.
func TestLayersThatDoNotFit(t *testing.T) {
	for layers, want := range map[string]string{
		`"cnv 4 3x3", "flatten", "linear"`:  `own.toml:4: model.layers: layer 1, "cnv 4 3x3": no layer "cnv"; did you mean "conv"?`,
		`"conv 4 3x3", "linear"`:            `own.toml:4: model.layers: layer 2, "linear" on examples of the shape [4 6 6]: it wants numbers in a row`,
		`"conv 4 9x9", "flatten", "linear"`: `own.toml:4: model.layers: layer 1, "conv 4 9x9" on examples of the shape [1 8 8]: `,
	} {
		s, err := suites.Parse(bench.Words(), "own.toml", []byte(layersSuite(layers, "dropout")), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bench.Plan(t.Context(), s, &bench.Sets{}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
}
