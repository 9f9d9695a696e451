package swag

import (
	"math"
	"strings"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/backends/rng"
	"bayesbench/methods"
	"bayesbench/methods/exec"
	"bayesbench/methods/fit"
	"bayesbench/methods/methodtest"
	"bayesbench/methods/nn"
)

// normed is batch normalisation of linear features.
var normed = nn.Model{Name: "normed", Apply: func(l nn.Layers, x ir.Value, outputs int) ir.Value {
	b := l.Builder()
	return l.Linear("fc2", b.Relu(l.BatchNorm("bn1", l.Linear("fc1", b.Flatten(x), 5), nn.Norm{})), outputs)
}}

// After the refresh the running statistics are those of the training data
// under the very weights that the predictor draws: the mean over all examples,
// and the mean of the batches' unbiased variances.
func TestRefreshedStatistics(t *testing.T) {
	j := methodtest.Toy()
	d := methodtest.Blobs(j, j.Task.Examples)
	m := SWAG{tail: defaultTail(), Rank: 3}
	m.Collect = 4
	f, err := methodtest.Fit(ref.New(), m, normed, j, d, 2)
	if err != nil {
		t.Fatal(err)
	}
	n := fit.Network{Model: normed, Job: j, Layers: func(s *nn.Scope) nn.Layers { return &nn.Point{Scope: s, Init: nn.Glorot} }}
	seen := map[string][]float32{}
	for _, p := range f.Plan.Predictors {
		of := mean
		if p.Stochastic {
			of = m.sample
		}
		for draw := range 2 {
			got, err := f.Refreshed(p.Name, d, draw, 9)
			if err != nil {
				t.Fatal(err)
			}
			key := exec.Key(9, exec.ForPrediction).Fold(uint32(draw))
			w, b := drawn(t, under(n, of), f, key)
			mean, variance := statistics(j, d, w, b)
			for i := range mean {
				if math.Abs(float64(got["bn1.mean"][i])-mean[i]) > 1e-5 || math.Abs(float64(got["bn1.var"][i])-variance[i]) > 1e-5*(1+variance[i]) {
					t.Errorf("%s, draw %d, unit %d: mean %v, variance %v; want %v, %v", p.Name, draw, i,
						got["bn1.mean"][i], got["bn1.var"][i], mean[i], variance[i])
				}
			}
			if before := seen[p.Name]; before != nil && p.Stochastic && before[0] == got["bn1.mean"][0] {
				t.Error("two samples have the same statistics")
			}
			seen[p.Name] = got["bn1.mean"]
		}
	}
}

// drawn is fc1's weights and biases as the predictor's program draws them.
func drawn(t *testing.T, n fit.Network, f *methodtest.Fitted, key rng.Key) (w, b []float64) {
	p, err := ir.Build("drawn", func(builder *ir.Builder) {
		s := nn.NewScope(builder, false)
		n.Layers = withResults(n.Layers)
		n.Outputs(s, n.X(s, 1))
	})
	if err != nil {
		t.Fatal(err)
	}
	var args []ref.Value
	for _, v := range p.Params() {
		name, typ := p.Instrs[v].Name, p.Type(v)
		switch name {
		case "key":
			args = append(args, ref.Uint(key[:], 2))
		case "x":
			args = append(args, ref.Float(make([]float64, typ.Size()), typ.Shape...))
		default:
			args = append(args, ref.Float(float64s(f.State[name]), typ.Shape...))
		}
	}
	out, err := ref.Eval(p, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out[0].F, out[1].F
}

// withResults makes the parameters of fc1 results, as they come.
func withResults(layers func(s *nn.Scope) nn.Layers) func(s *nn.Scope) nn.Layers {
	return func(s *nn.Scope) nn.Layers {
		l := layers(s)
		of := s.Source
		s.Source = func(name string, init nn.Init, shape []int) ir.Value {
			v := of(name, init, shape)
			if strings.HasPrefix(name, "fc1.") {
				s.Result(name, v)
			}
			return v
		}
		return l
	}
}

// statistics are those of x·wᵀ + b over the batches.
func statistics(j methods.Job, d methodtest.Data, w, b []float64) (mean, variance []float64) {
	in := len(d.X) / j.Task.Examples
	mean, variance = make([]float64, len(b)), make([]float64, len(b))
	steps := j.StepsPerEpoch()
	for step := range steps {
		for unit := range b {
			var sum, square float64
			for row := step * j.Batch; row < (step+1)*j.Batch; row++ {
				y := b[unit]
				for i := range in {
					y += float64(d.X[row*in+i]) * w[unit*in+i]
				}
				sum += y
				square += y * y
			}
			n := float64(j.Batch)
			mean[unit] += sum / n / float64(steps)
			variance[unit] += (square - sum*sum/n) / (n - 1) / float64(steps)
		}
	}
	return mean, variance
}

func float64s(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}
