package nn_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/methods/nn"
)

// A list's weights have the names and shapes that its layers say.
func TestSequence(t *testing.T) {
	m, err := nn.Sequence("mine", []string{
		"conv 8 3x5 stride 2x1 pad 1x2 nobias", "batchnorm", "silu", "maxpool 2 stride 1 pad 1", "basic-block 8", "bottleneck 4 stride 2",
		"conv 16 1 groups 4", "responsenorm", "avgpool 2x1", "dropout 0.1", "flatten", "linear 7 nobias", "gelu", "linear",
	})
	if err != nil {
		t.Fatal(err)
	}
	tensors, err := m.Tensors(ir.Float(3, 8, 8), 10)
	if err != nil {
		t.Fatal(err)
	}
	// Height 8 becomes 4 by the stride, 5 by the pool and its padding, 3 by the bottleneck's stride
	// and 1 by the last pool; width 8, 8, 9, 5, 5.
	want := []string{
		"conv1[8 3 3 5]", "block1_a[8 8 3 3]", "block1_b[8 8 3 3]", "block2_a[4 8 1 1]", "block2_b[4 4 3 3]", "block2_c[16 4 1 1]",
		"block2_skip[16 8 1 1]", "conv2[16 4 1 1]+b", "fc1[7 80 1 1]", "fc2[10 7]+b",
	}
	var found []string
	for _, tensor := range tensors {
		text := fmt.Sprint(tensor.Layer, tensor.Shape)
		if tensor.Bias {
			text += "+b"
		}
		found = append(found, text)
	}
	if !slices.Equal(found, want) {
		t.Errorf("weights %q\nwant    %q", found, want)
	}
}

func TestLayerErrors(t *testing.T) {
	for _, c := range []struct{ layers, want string }{
		{"relu|cnv 20 5x5|linear", `layer 2, "cnv 20 5x5": no layer "cnv"; did you mean "conv"?`},
		{"conv 20|linear", `layer 1, "conv 20": want "conv OUT KxK [stride S] [pad P] [groups G] [nobias]", and KxK is missing`},
		{"conv 20 5x5 strid 2|linear", `"strid" does not fit here; want "conv OUT KxK [stride S] [pad P] [groups G] [nobias]"; did you mean "stride"?`},
		{"conv 20 5x5 stride|linear", `want a value behind "stride"`},
		{"conv 20 5x5 stride 2 stride 2|linear", "want stride once, found it twice"},
		{"conv x 5x5|linear", `"x" does not fit here`},
		{"conv 0 5x5|linear", "OUT: want a whole number from 1 to 1048576, found \"0\""},
		{"conv 8 5xx|linear", "KxK: want a whole number from 1 to 1024, or two as in 3x3, found \"5xx\""},
		{"conv 8 5 5|linear", `"5" does not fit here`},
		{"dropout 1|linear", "P: want a number from 0 to below 1, found \"1\""},
		{"relu 3|linear", `"3" does not fit here; want "relu"`},
		{"|linear", `layer 1, "": want a layer, found an empty text`},
		{"linear|relu", `layer 1, "linear": the last layer is "linear" without a width, and no other`},
		{"linear 3", `the last layer is "linear" without a width`},
		{"flatten|conv 8 3|linear", `layer 2, "conv 8 3" on examples of the shape [64]: it wants images, [channels height width]; found f32[1 64]`},
		{"conv 8 3|linear", `layer 2, "linear" on examples of the shape [8 6 6]: it wants numbers in a row; put "flatten" or "globalavgpool" before it`},
		{"maxpool 9|flatten|linear", `layer 1, "maxpool 9" on examples of the shape [1 8 8]: %1 = maxpool: a window of [9 9] does not fit in f32[1 1 8 8] padded by [0 0]`},
		{"conv 8 3 groups 3|flatten|linear", "want as many groups as divide the 1 channels and the 8 outputs, found 3"},
	} {
		m, err := nn.Sequence("mine", strings.Split(c.layers, "|"))
		if err == nil {
			_, err = m.Tensors(ir.Float(1, 8, 8), 10)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v\nwant %s", c.layers, err, c.want)
		}
		if layer := new(nn.LayerError); !errors.As(err, &layer) {
			t.Errorf("%s: the error %v does not tell its layer", c.layers, err)
		}
	}
	if _, err := nn.Sequence("mine", nil); err == nil {
		t.Error("an empty list is accepted")
	}
}

// Activations have the values that their papers' equations give in double precision.
func TestActivations(t *testing.T) {
	x := []float64{-3, -1, -0.25, 0, 0.5, 1, 4}
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	softplus := func(x float64) float64 { return math.Log1p(math.Exp(x)) }
	for layer, f := range map[string]func(x float64) float64{
		"gelu":         func(x float64) float64 { return x * (1 + math.Erf(x/math.Sqrt2)) / 2 },
		"silu":         func(x float64) float64 { return x * sigmoid(x) },
		"mish":         func(x float64) float64 { return x * math.Tanh(softplus(x)) },
		"hardswish":    func(x float64) float64 { return x * math.Min(math.Max(x+3, 0), 6) / 6 },
		"elu 0.5":      func(x float64) float64 { return math.Max(x, 0) + 0.5*math.Expm1(math.Min(x, 0)) },
		"leakyrelu":    func(x float64) float64 { return math.Max(x, 0.01*x) },
		"relu6":        func(x float64) float64 { return math.Min(math.Max(x, 0), 6) },
		"softplus":     softplus,
		"tanh":         math.Tanh,
		"sigmoid":      sigmoid,
		"leakyrelu .2": func(x float64) float64 { return math.Max(x, 0.2*x) },
	} {
		m, err := nn.Sequence("one", []string{strings.Replace(layer, " .", " 0.", 1), "linear"})
		if err != nil {
			t.Fatal(err)
		}
		p, err := ir.Build("one", func(b *ir.Builder) {
			l := &beforeLinear{Point: nn.Point{Scope: nn.NewScope(b, false), Init: nn.Glorot}}
			m.Apply(l, b.Param("x", ir.Float(1, len(x))), 1)
			b.Result("y", l.x)
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := ref.Eval(p, ref.Float(x, 1, len(x)), ref.Float(make([]float64, len(x)), 1, len(x)), ref.Float([]float64{0}, 1))
		if err != nil {
			t.Fatal(err)
		}
		for i, y := range out[0].F {
			if math.Abs(y-f(x[i])) > 4e-7*math.Max(1, math.Abs(x[i])) {
				t.Errorf("%s of %v is %v, want %v", layer, x[i], y, f(x[i]))
			}
		}
	}
}

// beforeLinear notes what the last layer reads.
type beforeLinear struct {
	nn.Point
	x ir.Value
}

func (l *beforeLinear) Linear(name string, x ir.Value, out int) ir.Value {
	l.x = x
	return l.Point.Linear(name, x, out)
}

// Every form reads itself, with numbers in place of its words in capitals.
func TestLayerForms(t *testing.T) {
	for _, k := range nn.LayerKinds() {
		text := strings.NewReplacer("[", "", "]", "").Replace(k.Form)
		words := strings.Fields(text)
		for i, w := range words {
			if strings.ToUpper(w) == w || w == "KxK" {
				words[i] = "1"
				if w == "P" || w == "SLOPE" {
					words[i] = "0"
				}
			}
		}
		if _, err := nn.Sequence("one", []string{strings.Join(words, " "), "linear"}); err != nil {
			t.Errorf("%s: %v", k.Form, err)
		}
	}
}

// Whatever a list holds, it is refused with the layer that is wrong, or its program is sound.
func FuzzSequence(f *testing.F) {
	f.Add("conv 2 3x3 pad 1|relu|maxpool 2|flatten|linear 5|dropout 0.5|linear")
	f.Add("basic-block 3 stride 2|globalavgpool|linear")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := nn.Sequence("fuzz", strings.Split(text, "|"))
		if err == nil {
			_, err = m.Tensors(ir.Float(1, 6, 6), 3)
		}
		if layer := new(nn.LayerError); err != nil && !errors.As(err, &layer) {
			t.Errorf("%q: the error %v does not tell its layer", text, err)
		}
	})
}
