package bench_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/methods"
	"bayesbench/methods/nn"
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

// onnxSuite is layersSuite of a network that is a file, which lies beside the suite.
func onnxSuite(model string, methods ...string) string {
	head, tail, _ := strings.Cut(layersSuite(`"linear"`, methods...), "[model]\n")
	_, tail, _ = strings.Cut(tail, "[data]")
	return head + "[model]\n" + model + "\n[data]" + tail
}

// folder is one with a network that PyTorch has exported.
func folder(t *testing.T) string {
	t.Helper()
	whole, err := os.ReadFile("../../../../methods/nn/onnx/testdata/lenet-kept.onnx")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "net.onnx"), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A network in an ONNX file trains under every method that can start from weights; under -short
// under every third. Its slots begin with the file's values.
func TestONNXTrains(t *testing.T) {
	dir := folder(t)
	var names []string
	for i, d := range methods.Drivers() {
		if d.Name != "svgd" && (!testing.Short() || i%3 == 0) {
			names = append(names, d.Name)
		}
	}
	s, err := suites.Parse(bench.Words(), filepath.Join(dir, "own.toml"), []byte(onnxSuite("onnx = \"net.onnx\"\ninit = \"file\"", names...)), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range trainAll(t, s) {
		for _, r := range o.Records {
			if nll, ok := r.Value("nll"); r.Model != "net" || ok && !(nll < 1e3) {
				t.Errorf("a record of model %q with nll %v", r.Model, nll)
			}
		}
	}
	jobs, err := bench.Plan(t.Context(), s, &bench.Sets{})
	if err != nil {
		t.Fatal(err)
	}
	given := 0
	for _, j := range jobs {
		for _, slot := range j.Planned().State {
			if slot.Name == "0.w" && slot.Init.Dist == nn.Given {
				given++
			}
		}
	}
	if given < len(names)/2 {
		t.Errorf("the first convolution starts with the file's weights in %d of %d plans", given, len(jobs))
	}
}

func TestONNXErrors(t *testing.T) {
	dir := folder(t)
	for model, want := range map[string]string{
		`onnx = "gone.onnx"`: "own.toml:3: model.onnx: open " + filepath.Join(dir, "gone.onnx") + ": no such file",
		"onnx = \"net.onnx\"\ninit = \"none.safetensors\"": "own.toml:4: model.init: open " + filepath.Join(dir, "none.safetensors"),
		"onnx = \"own.onnx\"":                              "own.toml:3: model.onnx: " + filepath.Join(dir, "own.onnx") + ": not an ONNX file: ",
	} {
		if err := os.WriteFile(filepath.Join(dir, "own.onnx"), []byte("# a text"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := suites.Parse(bench.Words(), filepath.Join(dir, "own.toml"), []byte(onnxSuite(model, "dropout")), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
	s, err := suites.Parse(bench.Words(), filepath.Join(dir, "own.toml"), []byte(onnxSuite("onnx = \"net.onnx\"\ninit = \"file\"", "svgd")), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bench.Plan(t.Context(), s, &bench.Sets{}); err == nil || !strings.Contains(err.Error(), "own.toml:16: svgd: particles that start with one network's weights stay together") {
		t.Errorf("svgd: error %v", err)
	}
}

// A job's last checkpoint is the start of another job, of the same network.
func TestInitFromSafetensors(t *testing.T) {
	dir := t.TempDir()
	const layers = `"conv 2 3x3", "batchnorm", "relu", "flatten", "linear"`
	parse := func(text string) *suites.Suite {
		s, err := suites.Parse(bench.Words(), filepath.Join(dir, "own.toml"), []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	c := &results.Checkpoint{Tensors: []results.Tensor{
		{Name: "conv1.weight", Shape: []int{2, 1, 3, 3}, F32: make([]float32, 18)}, {Name: "conv1.bias", Shape: []int{2}, F32: []float32{1, 2}},
		{Name: "bn1.weight", Shape: []int{2}, F32: []float32{3, 4}}, {Name: "bn1.bias", Shape: []int{2}, F32: []float32{5, 6}},
		{Name: "bn1.running_mean", Shape: []int{2}, F32: []float32{7, 8}}, {Name: "bn1.var", Shape: []int{2}, F32: []float32{9, 10}},
		{Name: "fc1.w", Shape: []int{4, 72}, F32: make([]float32, 288)}, {Name: "fc1.b", Shape: []int{4}, F32: make([]float32, 4)},
	}}
	write := func() {
		f, err := os.Create(filepath.Join(dir, "w.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := results.WriteCheckpoint(f, c); err != nil {
			t.Fatal(err)
		}
	}
	write()
	text := strings.Replace(layersSuite(layers, "ffg"), "[data]", "init = \"w.safetensors\"\n[data]", 1)
	jobs, err := bench.Plan(t.Context(), parse(text), &bench.Sets{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]float32{"conv1.b": {1, 2}, "bn1.gamma": {3, 4}, "bn1.beta": {5, 6}, "bn1.mean": {7, 8}, "bn1.var": {9, 10}}
	for _, slot := range jobs[0].Planned().State {
		if values := slot.Init.Values; want[slot.Name] != nil && (values == nil || !slices.Equal(values.Data, want[slot.Name])) {
			t.Errorf("slot %s starts with %v, want %v", slot.Name, values, want[slot.Name])
		}
		delete(want, slot.Name)
	}
	if len(want) > 0 {
		t.Errorf("no slots %v", want)
	}
	first := jobs[0].ID
	c.Tensors[1].F32[0] = 11
	write()
	if jobs, err := bench.Plan(t.Context(), parse(text), &bench.Sets{}); err != nil || jobs[0].ID == first {
		t.Errorf("other weights are the same job (%v)", err)
	}
	c.Tensors[1].Name = "conv2.bias"
	write()
	if _, err := bench.Plan(t.Context(), parse(text), &bench.Sets{}); err == nil || !strings.Contains(err.Error(), "own.toml:5: model.init: ") ||
		!strings.Contains(err.Error(), "has no float32 tensor for conv1.b; did you mean") {
		t.Errorf("a missing tensor: error %v", err)
	}
}
