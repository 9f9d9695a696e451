package swag

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/methods/nn"
)

// The recursions, on a trajectory by PyTorch with moments by numpy.
func TestCollect(t *testing.T) {
	var g struct {
		SGD        [][]float64
		Mean, Var  []float64
		Deviations [][]float64
	}
	text, err := os.ReadFile("testdata/swag.json")
	if err == nil {
		err = json.Unmarshal(text, &g)
	}
	if err != nil {
		t.Fatal(err)
	}
	n := len(g.Mean)
	state := map[string]ref.Value{}
	for i, w := range g.SGD {
		var scope *nn.Scope
		p, err := ir.Build("collect", func(b *ir.Builder) {
			scope = nn.NewScope(b, true)
			collect(scope, []param{{name: "w", shape: []int{n}}}, i, len(g.SGD))
			for _, slot := range scope.Slots {
				if slot.Next != ir.None {
					b.Result(slot.Name, slot.Next)
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		var args []ref.Value
		for _, v := range p.Params() {
			name := p.Instrs[v].Name
			if _, ok := state[name]; !ok {
				state[name] = ref.Zeros(p.Type(v))
			}
			state["w"] = ref.Float(w, n)
			state["weight"] = ref.Float([]float64{scope.Schedules["weight"].At(0)})
			args = append(args, state[name])
		}
		out, err := ref.Eval(p, args...)
		if err != nil {
			t.Fatal(err)
		}
		for k, r := range p.Results {
			state[r.Name] = out[k]
		}
	}
	for i := range n {
		mean := state["w/mean"].F[i]
		if math.Abs(mean-g.Mean[i]) > 1e-12 {
			t.Errorf("mean %d is %v, want %v", i, mean, g.Mean[i])
		}
		if got := state["w/square"].F[i] - mean*mean; math.Abs(got-g.Var[i]) > 1e-12 {
			t.Errorf("variance %d is %v, want %v", i, got, g.Var[i])
		}
		for c := range g.Deviations {
			if got := state["w/deviations"].F[c*n+i]; math.Abs(got-g.Deviations[c][i]) > 1e-12 {
				t.Errorf("deviation %d of %d is %v, want %v", c, i, got, g.Deviations[c][i])
			}
		}
	}
}

// A sample has the mean and the covariance ½(diag + DDᵀ/(K−1)), which noise
// times the variance in place of its root would miss.
func TestSample(t *testing.T) {
	const n, rank, draws = 3, 4, 20000
	mean := []float64{0.3, -1, 0}
	variance := []float64{0.04, 0.5, 0.0001}
	dev := []float64{0.1, 0.5, 0, -0.2, 0.1, 0.01, 0.3, -0.4, 0, 0.05, 0.3, -0.01}
	square := make([]float64, n)
	for i := range n {
		square[i] = variance[i] + mean[i]*mean[i]
	}
	p, err := ir.Build("sample", func(b *ir.Builder) {
		s := nn.NewScope(b, false)
		s.Source = SWAG{Rank: rank}.sample(s)
		b.Result("w", s.Learn("w", nn.Init{}, n))
	})
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]ref.Value{"w/mean": ref.Float(mean, n), "w/square": ref.Float(square, n), "w/deviations": ref.Float(dev, rank, n)}
	var first [n]float64
	var second [n][n]float64
	for draw := range draws {
		in["key"] = ref.Uint([]uint32{1, uint32(draw)}, 2)
		var args []ref.Value
		for _, v := range p.Params() {
			args = append(args, in[p.Instrs[v].Name])
		}
		out, err := ref.Eval(p, args...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			di := out[0].F[i] - mean[i]
			first[i] += di / draws
			for k := range n {
				second[i][k] += di * (out[0].F[k] - mean[k]) / draws
			}
		}
	}
	cov := func(i, k int) float64 {
		c := 0.0
		for d := range rank {
			c += dev[d*n+i] * dev[d*n+k] / (2 * (rank - 1))
		}
		if i == k {
			c += variance[i] / 2
		}
		return c
	}
	for i := range n {
		if math.Abs(first[i]) > 5*math.Sqrt(cov(i, i)/draws) {
			t.Errorf("mean %d is off by %v", i, first[i])
		}
		for k := range n {
			if math.Abs(second[i][k]-cov(i, k)) > 5*math.Sqrt(2*cov(i, i)*cov(k, k)/draws) {
				t.Errorf("covariance %d %d is %v, want %v", i, k, second[i][k], cov(i, k))
			}
		}
	}
}
