package ffg_test

import (
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/methods/ffg"
	"bayesbench/methods/methodtest"
	"bayesbench/methods/nn"
)

// The variance of the likelihood's gradient in ρ over the noise is least under
// the local reparameterisation, greater with one weight sample a datum, and
// greatest with one a batch: the order of Kingma et al. 2015, table 1.
func TestGradientVarianceOrder(t *testing.T) {
	j := methodtest.Toy()
	j.Batch = 48
	d := methodtest.Blobs(j, j.Task.Examples)
	variance := map[nn.Estimator]float64{}
	for _, e := range []nn.Estimator{nn.Local, nn.Datum, nn.Weight} {
		m := ffg.Default()
		m.Estimator, m.InitSigma, m.KLWeight.Weight = e, 0.3, 0
		plan, err := m.Plan(methodtest.MLP, j)
		if err != nil {
			t.Fatal(err)
		}
		variance[e] = gradientVariance(t, plan.Stages[0].Step, d)
	}
	if !(variance[nn.Local] < variance[nn.Datum] && variance[nn.Datum] < variance[nn.Weight]) {
		t.Errorf("variances: %v", variance)
	}
	t.Logf("variances: %v", variance)
}

// gradientVariance is the summed variance of the gradient of fc2.rho over keys,
// read off Adam's first step: m = (1−β₁)·g.
func gradientVariance(t *testing.T, p *ir.Program, d methodtest.Data) float64 {
	const draws = 200
	state := map[string]ref.Value{}
	for _, v := range p.Params() {
		typ := p.Type(v)
		value := ref.Zeros(typ)
		switch name := p.Instrs[v].Name; name {
		case "x":
			copyInto(value.F, d.X)
		case "y":
			copyInto(value.F, d.Y)
		case "fc1.w", "fc2.w", "fc3.w":
			for i := range value.F { // something of Glorot's size that is not symmetric
				value.F[i] = float64((i*7919)%23-11) / 22
			}
		case "fc1.rho", "fc2.rho", "fc3.rho":
			for i := range value.F {
				value.F[i] = -1.2
			}
		case "adam/scale", "adam/eps", "lr":
			value.F[0] = 1
		}
		state[p.Instrs[v].Name] = value
	}
	var sum, squares []float64
	for draw := range draws {
		state["key"] = ref.Uint([]uint32{5, uint32(draw)}, 2)
		var args []ref.Value
		for _, v := range p.Params() {
			args = append(args, state[p.Instrs[v].Name])
		}
		out, err := ref.Eval(p, args...)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range p.Results {
			if r.Name != "fc2.rho/m" {
				continue
			}
			if sum == nil {
				sum, squares = make([]float64, len(out[i].F)), make([]float64, len(out[i].F))
			}
			for k, m := range out[i].F {
				g := m / 0.1
				sum[k] += g / draws
				squares[k] += g * g / draws
			}
		}
	}
	if sum == nil {
		t.Fatal("no gradient of fc2.rho")
	}
	total := 0.0
	for k := range sum {
		total += squares[k] - sum[k]*sum[k]
	}
	return total
}

func copyInto(dst []float64, src []float32) {
	for i := range dst {
		dst[i] = float64(src[i])
	}
}
