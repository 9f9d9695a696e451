package bench

import (
	"math"
	"testing"

	"bayesbench/backends"
	_ "bayesbench/backends/gonum"
	"bayesbench/backends/rng"
	_ "bayesbench/methods/all"
	"bayesbench/methods/exec"
	"bayesbench/suites"
	"bayesbench/suites/data"
)

// A stream's samples have the statistics of the training data under their
// weights, of all of it where it is small, and get them back when they are
// drawn again after others.
func TestStreamRefreshesStatistics(t *testing.T) {
	s, err := suites.Parse(Words(), "refresh.toml", []byte(`name = "refresh"
model = "mlp-3x200-bn"
seed = 0
[data]
name = "blobs"
train = 100
test = 20
[train]
epochs = 20
batch = 50
[eval]
batch = 20
[[method]]
name = "swa"
collect = 2
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := Plan(t.Context(), s, &Sets{})
	if err != nil {
		t.Fatal(err)
	}
	j := jobs[0]
	be, err := backends.Open("gonum")
	if err != nil {
		t.Fatal(err)
	}
	defer be.Close()
	set, err := j.sets.Open(t.Context(), j.Config.Data)
	if err != nil {
		t.Fatal(err)
	}
	// Two stored networks of random weights.
	var states []exec.Weights
	weights := make([][]exec.Value, 2)
	for i := range weights {
		for k, slot := range j.plan.State {
			v := make([]float32, slot.Type.Size())
			rng.Normal(v, rng.Key{uint32(i), uint32(k)}, 0)
			weights[i] = append(weights[i], exec.Value{Name: slot.Name, Type: slot.Type, Data: backends.Data{F32: v}})
		}
		states = append(states, exec.Weights{Load: func() ([]exec.Value, error) { return weights[i], nil }})
	}
	x := &execution{Job: j, be: be, pulse: new(pulse), set: set}
	stream, err := x.openStream(t.Context(), j, states, j.plan.Predictors[0])
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	for _, k := range []int{0, 1, 0} {
		for _, err := range stream.Sample(k, stream.batches(t.Context(), set.Test)) {
			if err != nil {
				t.Fatal(err)
			}
		}
		got, err := stream.Values("bn1.mean")
		if err != nil {
			t.Fatal(err)
		}
		want := featureMeans(t, set.Train, stream.norm, weights[k])
		for unit, w := range want {
			if math.Abs(float64(got[0].F32[unit])-w) > 1e-4*(1+math.Abs(w)) {
				t.Fatalf("sample %d: mean of unit %d is %v, want %v", k, unit, got[0].F32[unit], w)
			}
		}
	}
}

// featureMeans are the means of the first layer's outputs over the examples.
func featureMeans(t *testing.T, split data.Split, norm data.Normalisation, weights []exec.Value) []float64 {
	var w, b []float32
	for _, tensor := range weights {
		switch tensor.Name {
		case "fc1.w/mean":
			w = tensor.F32
		case "fc1.b/mean":
			b = tensor.F32
		}
	}
	loader, err := data.NewLoader(t.Context(), split, data.LoaderConfig{Batch: split.Len(), Order: data.Sequential, Norm: norm})
	if err != nil {
		t.Fatal(err)
	}
	defer loader.Close()
	all, err := loader.Next()
	if err != nil {
		t.Fatal(err)
	}
	in := len(all.X) / split.Len()
	out := make([]float64, len(b))
	for unit := range out {
		out[unit] = float64(b[unit])
		for i, x := range all.X {
			out[unit] += float64(x) * float64(w[unit*in+i%in]) / float64(split.Len())
		}
	}
	return out
}
