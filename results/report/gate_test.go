package report

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"bayesbench/results"
)

// changed returns the demo as it would come out of a run in which f happened to every record. Timings wobble by run.
func changed(run int, f func(*results.Record)) results.Set {
	set := demoSet(5)
	for i := range set.Records {
		r := &set.Records[i]
		r.Values = slices.Clone(r.Values)
		for j, v := range r.Values {
			if demoUnits[v.Unit].Timing {
				// Up to ±6 %, differently in every run, and a common drift of ±2 %.
				noise := 0.03*wobble(run, i, j) + 0.02*math.Sin(float64(run))
				r.Values[j].Value *= 1 + noise
			}
		}
		f(r)
	}
	return set
}

func unchanged(*results.Record) {}

func scale(unit string, by float64) func(*results.Record) {
	return func(r *results.Record) {
		for j := range r.Values {
			if r.Values[j].Unit == unit {
				r.Values[j].Value *= by
			}
		}
	}
}

func TestGateIdenticalRuns(t *testing.T) {
	for run := range 20 {
		g, err := Gate(changed(2*run, unchanged), changed(2*run+1, unchanged), Query{}, DefaultMargins(), true)
		if err != nil {
			t.Fatal(err)
		}
		if !g.Pass() {
			t.Errorf("run %d: false alarm: %v %v", run, g.Alarms, g.Missing)
		}
	}
}

func TestGateCatches(t *testing.T) {
	only := func(method string, f func(*results.Record)) func(*results.Record) {
		return func(r *results.Record) {
			if r.Method == method {
				f(r)
			}
		}
	}
	for _, c := range []struct {
		name string
		f    func(*results.Record)
		want string // in the first alarm
	}{
		{"no KL, no sparsity", only("sparse-vd", scale("sparsity", 0.2)), "sparse-vd: sparsity went from 0.9812 to 0.1962"},
		{"overconfident", only("ensemble", scale("ece15-lorc", 6)), "ensemble K=4: ece15-lorc"},
		{"less accurate", scale("error", 1.5), "error"},
		{"one method slower", only("ffg-vi", scale("train-samples/s", 1/1.5)), "ffg-vi: train-samples/s"},
		{"slower", scale("train-samples/s", 1/1.3), "all rows together: train-samples/s (relative) went from 1 to 0.7"},
	} {
		g, err := Gate(changed(0, unchanged), changed(1, c.f), Query{}, DefaultMargins(), false)
		if err != nil {
			t.Fatal(err)
		}
		if g.Pass() || !strings.Contains(g.Alarms[0].String(), c.want) {
			t.Errorf("%s: alarms %v, want %q", c.name, g.Alarms, c.want)
		}
	}
	// Better is no alarm.
	g, err := Gate(changed(0, unchanged), changed(1, scale("error", 0.5)), Query{}, DefaultMargins(), false)
	if err != nil || !g.Pass() {
		t.Errorf("%v, alarms %v", err, g.Alarms)
	}
	// A change within the margin is none, unless the comparison is exact.
	tiny := scale("nll", 1+1e-12)
	if g, _ := Gate(changed(0, unchanged), changed(1, tiny), Query{}, DefaultMargins(), false); !g.Pass() {
		t.Errorf("alarms %v", g.Alarms)
	}
	if g, _ := Gate(changed(0, unchanged), changed(1, tiny), Query{}, DefaultMargins(), true); len(g.Alarms) != 5 {
		t.Errorf("%d alarms, want one a method: %v", len(g.Alarms), g.Alarms)
	}
}

// A machine that is busy for a while slows what happens to run at that time: a whole seed of the new results when the
// two take turns, one method with all its seeds when they do not. Neither is a slower program.
func TestGateDisturbed(t *testing.T) {
	for name, hit := range map[string]func(*results.Record) bool{
		"one seed":           func(r *results.Record) bool { return r.Seed() == "3" },
		"one job":            func(r *results.Record) bool { return r.Seed() == "3" && r.Method == "ensemble" },
		"one method, partly": func(r *results.Record) bool { return r.Seed() >= "3" && r.Method == "ensemble" },
	} {
		slow := func(r *results.Record) {
			if hit(r) {
				scale("train-samples/s", 1/2.5)(r)
				scale("predict-sec/example", 2.5)(r)
			}
		}
		g, err := Gate(changed(0, unchanged), changed(1, slow), Query{}, DefaultMargins(), false)
		if err != nil || !g.Pass() {
			t.Errorf("%s: %v, alarms %v", name, err, g.Alarms)
		}
	}
}

func TestGateOneSeed(t *testing.T) {
	set := func(nll, speed float64) results.Set {
		return results.Set{Units: demoUnits, Records: []results.Record{
			record("a", "0", 1, results.Value{Unit: "nll", Value: nll}, results.Value{Unit: "train-samples/s", Value: speed})}}
	}
	g, err := Gate(set(0.10, 100), set(0.12, 10), Query{}, DefaultMargins(), false)
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Alarms) != 1 || g.Alarms[0].Unit != "nll" || !strings.Contains(g.Alarms[0].String(), "paired seeds: 1") {
		t.Errorf("alarms %v", g.Alarms)
	}
	if len(g.Untested) != 1 || !strings.Contains(g.Untested[0], "one pair of timings says nothing") {
		t.Errorf("untested %q", g.Untested)
	}
	if g, _ := Gate(set(0.10, 100), set(0.109, 100), Query{}, DefaultMargins(), false); !g.Pass() {
		t.Errorf("alarms %v", g.Alarms)
	}
}

func TestGateMissing(t *testing.T) {
	new := demoSet(2)
	new.Records = slices.DeleteFunc(new.Records, func(r results.Record) bool { return r.Method == "ffg-vi" })
	g, err := Gate(demoSet(2), new, Query{Metrics: []string{"nll"}}, DefaultMargins(), false)
	if err != nil || g.Pass() || len(g.Missing) != 1 || !strings.Contains(g.Missing[0], "ffg-vi K=8 has no nll in the new results") {
		t.Errorf("%v, missing %q", err, g.Missing)
	}
	g, err = Gate(new, demoSet(2), Query{}, DefaultMargins(), false)
	if err != nil || !g.Pass() {
		t.Errorf("a new method fails the gate: %v, %q", err, g.Missing)
	}
}

func TestCompare(t *testing.T) {
	// Differences 1, 2, 3: mean 2, sd 1, t = 2√3 on 2 degrees of freedom, p = 0.0742 (two-sided); the 95 % interval is
	// 2 ± 4.30265/√3.
	set := func(add float64) results.Set {
		s := results.Set{Units: demoUnits}
		for i := range 3 {
			s.Records = append(s.Records, record("a", fmt.Sprint(i), 1, results.Value{Unit: "nll", Value: 10 + add*float64(i+1)},
				results.Value{Unit: "error", Value: 0.5}, results.Value{Unit: "train-samples/s", Value: 100 * math.Pow(2, add)}))
		}
		return s
	}
	changes, missing, err := Compare(set(0), set(1), Query{})
	if err != nil || len(missing) > 0 || len(changes) != 3 {
		t.Fatal(err, missing, changes)
	}
	at := func(unit string) Change {
		return changes[slices.IndexFunc(changes, func(c Change) bool { return c.Unit.Name == unit })]
	}
	nll := at("nll")
	if nll.Delta != 2 || math.Abs(nll.P-0.07417990022744853) > 1e-12 || math.Abs(nll.High-2-4.302652729911275/math.Sqrt(3)) > 1e-9 || nll.Verdict != Undecided {
		t.Errorf("%+v", nll)
	}
	if c := at("error"); c.Verdict != Identical {
		t.Errorf("%+v", c)
	}
	if c := at("train-samples/s"); math.Abs(c.Delta-1) > 1e-12 || c.Verdict != IsBetter || c.changeText() != "+100.0%" {
		t.Errorf("%+v", c)
	}
	var out bytes.Buffer
	if err := WriteChanges(&out, changes, nil, 0.05); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "1 of 3 cells are identical bit for bit") || strings.Contains(out.String(), "0.5 ") {
		t.Error(out.String())
	}
}

func TestMargins(t *testing.T) {
	m := DefaultMargins()
	if err := m.Parse("nll=5%, error=0.25"); err != nil || m["nll"] != (Margin{0.05, true}) || m["error"] != (Margin{0.25, false}) {
		t.Errorf("%v, %v", err, m)
	}
	for _, bad := range []string{"", "nll", "nll=", "nll=-1", "nll=NaN", "=1", "nll=x%", "timing=2"} {
		if DefaultMargins().Parse(bad) == nil {
			t.Errorf("%q passed", bad)
		}
	}
}
