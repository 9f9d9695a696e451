package onnx_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/gonum"
	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/exec"
	"bayesbench/methods/nn"
	"bayesbench/methods/nn/onnx"
)

// recorded is what testdata/nets.py writes beside a network.
type recorded struct {
	Shape  []int     `json:"shape"`
	X      []float32 `json:"x"`
	Logits []float64 `json:"logits"`
}

func readRecorded(t *testing.T, path string) recorded {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var r recorded
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// logits are the network's outputs for the inputs, with the weights that it starts with.
func logits(t *testing.T, m nn.Model, r recorded) []float32 {
	t.Helper()
	outputs := len(r.Logits) / r.Shape[0]
	var slots []methods.Slot
	p, err := ir.Build(m.Name, func(b *ir.Builder) {
		s := nn.NewScope(b, false)
		b.Result("logits", m.Apply(&nn.Point{Scope: s, Init: nn.Glorot}, b.Param("x", ir.Float(r.Shape...)), outputs))
		for _, slot := range s.Slots {
			slots = append(slots, methods.Slot{Name: slot.Name, Type: b.Type(slot.Value), Init: slot.Init})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	state, err := exec.NewState(gonum.New(2), slots)
	if err != nil {
		t.Fatal(err)
	}
	if err := state.Initialise(0); err != nil {
		t.Fatal(err)
	}
	program, err := state.Bind(p)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	if err := program.Write("x", r.X); err != nil {
		t.Fatal(err)
	}
	if err := program.Run(); err != nil {
		t.Fatal(err)
	}
	out := make([]float32, len(r.Logits))
	if err := program.Output("logits").Read(backends.Data{F32: out}); err != nil {
		t.Fatal(err)
	}
	return out
}

// furthest is the largest difference.
func furthest(x []float32, want []float64) float64 {
	most := 0.0
	for i := range x {
		most = math.Max(most, math.Abs(float64(x[i])-want[i]))
	}
	return most
}

// Networks that PyTorch has exported give PyTorch's outputs.
func TestPyTorchLogits(t *testing.T) {
	files, err := filepath.Glob("testdata/*.onnx")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 12 {
		t.Fatalf("%d files: the test sees too little", len(files))
	}
	for _, path := range files {
		name, _, _ := strings.Cut(filepath.Base(path), "-")
		t.Run(filepath.Base(path), func(t *testing.T) {
			r := readRecorded(t, filepath.Join("testdata", name+".json"))
			f, err := onnx.Read(path)
			if err != nil {
				t.Fatal(err)
			}
			if d := furthest(logits(t, f.Model(name, true), r), r.Logits); !(d < 1e-5) {
				t.Errorf("the outputs are up to %g away from PyTorch's", d)
			}
			// Without the file's weights it is another network of the same shape.
			if d := furthest(logits(t, f.Model(name, false), r), r.Logits); !(d > 1e-3) {
				t.Errorf("drawn weights give PyTorch's outputs to %g", d)
			}
		})
	}
}

// The networks of torchvision in full size, which testdata/nets.py --large writes into the folder
// that BAYESBENCH_ONNX names.
func TestTorchvisionLogits(t *testing.T) {
	dir := os.Getenv("BAYESBENCH_ONNX")
	files, err := filepath.Glob(filepath.Join(dir, "*.onnx"))
	if dir == "" || err != nil {
		t.Skip("BAYESBENCH_ONNX names no folder of networks")
	}
	for _, path := range files {
		name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(path), ".onnx"), "-")
		t.Run(filepath.Base(path), func(t *testing.T) {
			r := readRecorded(t, filepath.Join(dir, name+".json"))
			f, err := onnx.Read(path)
			if err != nil {
				t.Fatal(err)
			}
			d := furthest(logits(t, f.Model(name, true), r), r.Logits)
			if t.Logf("largest difference %.2g", d); !(d < 1e-4) {
				t.Errorf("the outputs are up to %g away from PyTorch's", d)
			}
		})
	}
}

// Slots have the names of the file's weights.
func TestNames(t *testing.T) {
	f, err := onnx.Read("testdata/residual-kept.onnx")
	if err != nil {
		t.Fatal(err)
	}
	names := f.Names()
	for slot, want := range map[string]string{
		"0.w": "0.weight", "1.gamma": "1.weight", "1.beta": "1.bias", "1.mean": "1.running_mean", "1.var": "1.running_var",
		"3.a.w": "3.a.weight", "3.gate.1.b": "3.gate.1.bias", "7.w": "7.weight", "7.b": "7.bias",
	} {
		if names[slot] != want {
			t.Errorf("slot %s is %q in the file, want %q", slot, names[slot], want)
		}
	}
}

// A last layer of another width starts anew, and the others with the file's weights.
func TestOtherOutputs(t *testing.T) {
	f, err := onnx.Read("testdata/lenet-kept.onnx")
	if err != nil {
		t.Fatal(err)
	}
	_, err = ir.Build("other", func(b *ir.Builder) {
		s := nn.NewScope(b, false)
		out := f.Model("lenet", true).Apply(&nn.Point{Scope: s, Init: nn.Glorot}, b.Param("x", ir.Float(2, 1, 8, 8)), 7)
		if shape := b.Shape(out); shape[1] != 7 {
			t.Errorf("outputs %v, want 7", shape)
		}
		for _, slot := range s.Slots {
			head := strings.HasPrefix(slot.Name, "9.")
			if given := slot.Init.Dist == nn.Given; given == head {
				t.Errorf("slot %s starts with the file's values: %v", slot.Name, given)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// An example that does not fit is refused.
func TestOtherInputs(t *testing.T) {
	f, err := onnx.Read("testdata/lenet-kept.onnx")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		input ir.Type
		want  string
	}{
		{ir.Float(3, 8, 8), "the network takes examples of the shape [1 8 8] (-1 is any), the data set's have the shape [3 8 8]"},
		{ir.Float(64), "the network takes examples of the shape [1 8 8]"},
	} {
		if _, err := f.Model("lenet", false).Tensors(c.input, 4); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %s", c.input, err, c.want)
		}
	}
}

// FuzzRead wants any bytes to be refused with an error, or to make a network whose program is sound
// or refused.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.onnx")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		whole, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if len(whole) < 8<<10 {
			f.Add(whole)
		}
	}
	f.Fuzz(func(t *testing.T, whole []byte) {
		path := filepath.Join(t.TempDir(), "net.onnx")
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := onnx.Read(path)
		if err != nil {
			return
		}
		for _, input := range []ir.Type{ir.Float(1, 8, 8), ir.Float(6)} {
			_, err := file.Model("fuzz", true).Tensors(input, 4)
			if node := new(onnx.NodeError); err != nil && errors.As(err, &node) && node.Number < 1 {
				t.Errorf("an error without its node: %v", err)
			}
		}
	})
}
