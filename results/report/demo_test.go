package report

import (
	"context"
	"fmt"
	"math"
	"testing"

	"bayesbench/results"
)

// The demo run has five methods on MNIST whose numbers follow simple formulas, so that a test knows
// what to expect and a picture looks like a real one.

var demoUnits = results.Units{
	"error":               {Name: "error", Better: results.Lower},
	"nll":                 {Name: "nll", Better: results.Lower},
	"ece15-lorc":          {Name: "ece15-lorc", Better: results.Lower},
	"brier_sum":           {Name: "brier_sum", Better: results.Lower},
	"entropy":             {Name: "entropy"},
	"sparsity":            {Name: "sparsity", Better: results.Higher},
	"train-samples/s":     {Name: "train-samples/s", Better: results.Higher, Timing: true},
	"predict-sec/example": {Name: "predict-sec/example", Better: results.Lower, Timing: true},
}

type demoMethod struct {
	name              string
	err, nll, ece     float64
	sparsity, trainPS float64
	maxK              int
}

var demoMethods = []demoMethod{
	{"deterministic", 0.0180, 0.0700, 0.0090, 0, 52000, 1},
	{"dropout-vi", 0.0165, 0.0580, 0.0060, 0, 41000, 8},
	{"ffg-vi", 0.0190, 0.0620, 0.0040, 0, 21000, 8},
	{"sparse-vd", 0.0170, 0.0610, 0.0080, 0.981, 20000, 8},
	{"ensemble", 0.0140, 0.0450, 0.0030, 0, 10400, 4},
}

// wobble is seed noise: fixed, zero over seeds 0 to 4 for each method, of size about 1.
func wobble(method, seed, metric int) float64 {
	return math.Sin(float64(7*seed+3*method+metric)) + math.Cos(float64(5*seed-method+2*metric))
}

func demoRecords(m, seed int) []results.Record {
	d := demoMethods[m]
	base := results.Record{
		Data: "mnist", Model: "lenet-300-100", Method: d.name, Backend: "gonum",
		Config: []results.Pair{{Key: "seed", Value: fmt.Sprint(seed)}, {Key: "suite", Value: "demo"}},
	}
	var records []results.Record
	for k := 1; k <= d.maxK; k *= 2 {
		r := base
		r.Samples = k
		gain := 1 + 0.6/float64(k) - 0.6/float64(d.maxK)
		r.Values = []results.Value{
			{Unit: "error", Value: d.err*gain + 4e-4*wobble(m, seed, 0)},
			{Unit: "nll", Value: d.nll*gain + 1e-3*wobble(m, seed, 1)},
			{Unit: "ece15-lorc", Value: d.ece*gain + 3e-4*wobble(m, seed, 2)},
			{Unit: "brier_sum", Value: 1.5*d.err*gain + 6e-4*wobble(m, seed, 3)},
			{Unit: "entropy", Value: 0.05 + 0.01*float64(m)},
			{Unit: "predict-sec/example", Value: 1e-5 * float64(k) * (1 + 0.02*wobble(m, seed, 4))},
		}
		records = append(records, r)
	}
	weights := base
	if d.sparsity > 0 {
		weights.Values = append(weights.Values, results.Value{Unit: "sparsity", Value: d.sparsity + 1e-3*wobble(m, seed, 5)})
	}
	weights.Values = append(weights.Values, results.Value{Unit: "train-samples/s", Value: d.trainPS * (1 + 0.01*wobble(m, seed, 6))})
	return append(records, weights)
}

func demoSet(seeds int) results.Set {
	set := results.Set{Units: demoUnits}
	for m := range demoMethods {
		for seed := range seeds {
			set.Records = append(set.Records, demoRecords(m, seed)...)
		}
	}
	return set
}

func demoDetails(m int) results.Details {
	d := demoMethods[m]
	var out results.Details
	rel := results.Reliability{Samples: d.maxK}
	for b := range 15 {
		bin := results.Bin{Low: float64(b) / 15, High: float64(b+1) / 15}
		if b > 2 {
			bin.Count = 5 + b*b*b
			bin.Confidence = (float64(b) + 0.6) / 15
			bin.Accuracy = math.Min(1, bin.Confidence+6*d.ece*math.Cos(float64(b+m)))
		}
		rel.Bins = append(rel.Bins, bin)
	}
	out.Reliability = []results.Reliability{rel}
	risk := results.RiskCover{Samples: d.maxK}
	for i := 1; i <= 100; i++ {
		c := float64(i) / 100
		risk.Coverage = append(risk.Coverage, c)
		risk.Risk = append(risk.Risk, d.err*math.Pow(c, 8))
	}
	out.RiskCover = []results.RiskCover{risk}
	if d.sparsity > 0 {
		out.Layers = []results.Layer{{Name: "fc1", Weights: 235200, NonZero: 2600}, {Name: "fc2", Weights: 30000, NonZero: 850}, {Name: "fc3", Weights: 1000, NonZero: 380}}
	}
	for i, data := range []string{"mnist", "notmnist"} {
		h := results.Histogram{Quantity: "entropy", Data: data, Samples: d.maxK}
		for b := range 21 {
			h.Edges = append(h.Edges, 2.3*float64(b)/20)
			if b < 20 {
				h.Counts = append(h.Counts, int(5000*math.Exp(-float64((b-(8+m)*i)*(b-(8+m)*i))/(4+30*float64(i)))))
			}
		}
		out.Histograms = append(out.Histograms, h)
	}
	return out
}

func demoCurve(m, seed int) results.Curve {
	d := demoMethods[m]
	c := results.Curve{Columns: []string{"step", "epoch", "loss", "test-error", "test-nll", "sparsity", "seconds"}}
	for epoch := 1; epoch <= 20; epoch++ {
		e := float64(epoch)
		decay := math.Exp(-e / 4)
		sparsity := math.NaN()
		if d.sparsity > 0 {
			sparsity = d.sparsity / (1 + math.Exp((9-e)/1.5))
		}
		c.Append(600*e, e, 0.02+decay*(1+0.1*wobble(m, seed, epoch)/3), d.err+0.05*decay, d.nll+0.2*decay, sparsity, 60000*e/d.trainPS)
	}
	return c
}

// demoLayers are the records of single layers that a job with them has.
func demoLayers(m, seed int) []results.Record {
	var records []results.Record
	for _, l := range demoDetails(m).Layers {
		records = append(records, results.Record{
			Data: "mnist", Model: "lenet-300-100", Method: demoMethods[m].name, Backend: "gonum",
			Sweep:  []results.Pair{{Key: "layer", Value: l.Name}},
			Config: []results.Pair{{Key: "seed", Value: fmt.Sprint(seed)}, {Key: "suite", Value: "demo"}},
			Values: []results.Value{{Unit: "sparsity", Value: 1 - float64(l.NonZero)/float64(l.Weights)}},
		})
	}
	return records
}

// demoRun writes the demo as a run directory.
func demoRun(t *testing.T, dir string, seeds int) {
	t.Helper()
	plan := results.Plan{Suite: "demo", Text: []byte("# demo\n")}
	for m := range demoMethods {
		for seed := range seeds {
			plan.Jobs = append(plan.Jobs, fmt.Sprintf("%s-%d", demoMethods[m].name, seed))
		}
	}
	run, err := results.Open(context.Background(), dir, plan, results.Alone, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	for m := range demoMethods {
		for seed := range seeds {
			job, err := run.Claim(plan.Jobs[m*seeds+seed])
			if err != nil {
				t.Fatal(err)
			}
			if err := job.SaveCurve(demoCurve(m, seed)); err != nil {
				t.Fatal(err)
			}
			err = job.Finish(results.Manifest{Versions: map[string]string{"bayesbench": "v0.1.0", "go": "go1.26"}},
				results.Set{Units: demoUnits, Records: append(demoRecords(m, seed), demoLayers(m, seed)...)}, demoDetails(m))
			if err != nil {
				t.Fatal(err)
			}
			job.Release()
		}
	}
}
