package report

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"bayesbench/results"
)

// changed returns the demo as it would come out of a run in which f happened to every record.
// Timings wobble by run.
func changed(run int, f func(*results.Record)) results.Set {
	set := demoSet(6)
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

// busyMachine is a machine whose other work comes and goes: the time of every job is longer by an
// autoregressive load and by bursts that outlast several jobs. Two equal programs run on it in
// pairs whose order lots decide.
type busyMachine struct {
	*rand.Rand
	quiet bool // no other work, 3 % of noise
	load  float64
	burst int // jobs that it still lasts
}

// job is the log of the time that one job takes, over its time on a quiet machine.
func (m *busyMachine) job() float64 {
	if m.quiet {
		return 0.03 * m.NormFloat64()
	}
	m.load = 0.9*m.load + 0.05*m.NormFloat64()
	if m.burst > 0 {
		m.burst--
	} else if m.IntN(15) == 0 {
		m.burst = 1 + m.IntN(20)
	}
	t := m.load + 0.03*m.NormFloat64()
	if m.burst > 0 {
		t += 1
	}
	return t
}

// pairs runs two programs of which the new one takes longer by the factors of the methods.
func (m *busyMachine) pairs(seeds int, slower map[string]float64) (old, new results.Set) {
	methods := []string{"a", "b", "c", "d"}
	run := func(seed int, factor map[string]float64) (records []results.Record) {
		for _, method := range methods {
			seconds := math.Exp(m.job()) * max(1, factor[method])
			records = append(records, record(method, fmt.Sprint(seed), 0,
				results.Value{Unit: "train-samples/s", Value: 1000 / seconds}, results.Value{Unit: "predict-sec/example", Value: 1e-5 * seconds * math.Exp(0.03*m.NormFloat64())}))
		}
		return records
	}
	old, new = results.Set{Units: demoUnits}, results.Set{Units: demoUnits}
	for seed := range seeds {
		if m.IntN(2) == 0 {
			old.Records = append(old.Records, run(seed, nil)...)
			new.Records = append(new.Records, run(seed, slower)...)
		} else {
			new.Records = append(new.Records, run(seed, slower)...)
			old.Records = append(old.Records, run(seed, nil)...)
		}
	}
	return old, new
}

// Of gates on two equal programs at most a share alpha alarms for speed, even if no margin is left
// to the timings. The bound is that share and three standard deviations of a count of so many
// gates.
func TestGateOnABusyMachine(t *testing.T) {
	gates := 1000
	if testing.Short() {
		gates = 200
	}
	const alpha = 0.05
	margins := DefaultMargins()
	margins["timing"] = Margin{0, true}
	policy := Policy{Margins: margins, Timings: true}
	for _, seeds := range []int{6, 8} {
		alarms := 0
		for n := range gates {
			m := &busyMachine{Rand: rand.New(rand.NewPCG(uint64(seeds), uint64(n)))}
			old, new := m.pairs(seeds, nil)
			g, err := Gate(old, new, Query{Alpha: alpha}, policy)
			if err != nil {
				t.Fatal(err)
			}
			if !g.Pass() {
				alarms++
			}
		}
		t.Logf("%d seeds: %d alarms in %d gates", seeds, alarms, gates)
		if n := float64(gates); float64(alarms) > alpha*n+3*math.Sqrt(alpha*(1-alpha)*n) {
			t.Errorf("%d seeds: %d alarms in %d gates of equal programs", seeds, alarms, gates)
		}
	}
	// A program that is slower by half is found out on a quiet machine, and so is one slower
	// method.
	for name, slower := range map[string]map[string]float64{
		"all rows together": {"a": 1.5, "b": 1.5, "c": 1.5, "d": 1.5}, "c": {"c": 1.5}} {
		found := 0
		for n := range 100 {
			m := &busyMachine{Rand: rand.New(rand.NewPCG(99, uint64(n))), quiet: true}
			old, new := m.pairs(6, slower)
			g, err := Gate(old, new, Query{Alpha: alpha}, Policy{Timings: true})
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(g.Alarms, func(a Alarm) bool { return strings.HasSuffix(a.Row, name) }) {
				found++
			}
		}
		if found < 90 {
			t.Errorf("%s: slower by half is found out in %d of 100 gates", name, found)
		}
	}
}

// The metrics of identical runs pass whatever the timings are, and by default no timing fails.
func TestGateIdenticalRuns(t *testing.T) {
	for run := range 20 {
		g, err := Gate(changed(2*run, unchanged), changed(2*run+1, scale("train-samples/s", 1/float64(1+run))), Query{}, Policy{Exact: true})
		if err != nil {
			t.Fatal(err)
		}
		if !g.Pass() {
			t.Errorf("run %d: false alarm: %v %v", run, g.Alarms, g.Missing)
		}
		if run > 0 && len(g.Slower) == 0 {
			t.Errorf("run %d: slower by a factor of %d, and not said", run, 1+run)
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
	fails := Policy{Timings: true}
	for _, c := range []struct {
		name string
		f    func(*results.Record)
		want string // in the first alarm
	}{
		{"no KL, no sparsity", only("sparse-vd", scale("sparsity", 0.2)), "sparse-vd: sparsity went from 0.98"},
		{"overconfident", only("ensemble", scale("ece15-lorc", 6)), "ensemble K=4: ece15-lorc"},
		{"less accurate", scale("error", 1.5), "error"},
		{"one method slower", only("ffg-vi", scale("train-samples/s", 1/1.5)), "ffg-vi: train-samples/s"},
		{"slower", scale("train-samples/s", 1/1.3), "all rows together: train-samples/s (relative) went from 1 to 0.7"},
	} {
		g, err := Gate(changed(0, unchanged), changed(1, c.f), Query{}, fails)
		if err != nil {
			t.Fatal(err)
		}
		if g.Pass() || !slices.ContainsFunc(g.Alarms, func(a Alarm) bool { return strings.Contains(a.String(), c.want) }) {
			t.Errorf("%s: alarms %v, want %q", c.name, g.Alarms, c.want)
		}
	}
	// Better is no alarm.
	g, err := Gate(changed(0, unchanged), changed(1, scale("error", 0.5)), Query{}, fails)
	if err != nil || !g.Pass() {
		t.Errorf("%v, alarms %v", err, g.Alarms)
	}
	// A change within the margin is none, unless the comparison is exact.
	tiny := scale("nll", 1+1e-12)
	if g, _ := Gate(changed(0, unchanged), changed(1, tiny), Query{}, fails); !g.Pass() {
		t.Errorf("alarms %v", g.Alarms)
	}
	if g, _ := Gate(changed(0, unchanged), changed(1, tiny), Query{}, Policy{Exact: true}); len(g.Alarms) != 5 {
		t.Errorf("%d alarms, want one a method: %v", len(g.Alarms), g.Alarms)
	}
}

// A machine that is busy for a while slows what happens to run at that time: a whole seed of the
// new results when the two take turns, one method with all its seeds when they do not. Neither is a
// slower program.
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
		g, err := Gate(changed(0, unchanged), changed(1, slow), Query{}, Policy{Timings: true})
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
	g, err := Gate(set(0.10, 100), set(0.12, 10), Query{}, Policy{Timings: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Alarms) != 1 || g.Alarms[0].Unit != "nll" || !strings.Contains(g.Alarms[0].String(), "paired seeds: 1") {
		t.Errorf("alarms %v", g.Alarms)
	}
	if want := "Not tested: the smallest attainable p is 0.5, and 0.05 takes 5 pairs."; !strings.Contains(g.timingText(), want) {
		t.Errorf("%q, want %q", g.timingText(), want)
	}
	if g, _ := Gate(set(0.10, 100), set(0.109, 100), Query{}, Policy{}); !g.Pass() {
		t.Errorf("alarms %v", g.Alarms)
	}
}

func TestGateMissing(t *testing.T) {
	new := demoSet(2)
	new.Records = slices.DeleteFunc(new.Records, func(r results.Record) bool { return r.Method == "ffg-vi" })
	g, err := Gate(demoSet(2), new, Query{Metrics: []string{"nll"}}, Policy{})
	if err != nil || g.Pass() || len(g.Missing) != 1 || !strings.Contains(g.Missing[0], "ffg-vi K=8 has no nll in the new results") {
		t.Errorf("%v, missing %q", err, g.Missing)
	}
	g, err = Gate(new, demoSet(2), Query{}, Policy{})
	if err != nil || !g.Pass() {
		t.Errorf("a new method fails the gate: %v, %q", err, g.Missing)
	}
}

func TestCompare(t *testing.T) {
	// Differences 1 to 6: mean 3.5, sd √3.5, the 95 % interval is 3.5 ± 2.570582 √(3.5/6)
	// (Student's t, 5 degrees of freedom); of 64 signs two are as extreme.
	set := func(add float64) results.Set {
		s := results.Set{Units: demoUnits}
		for i := range 6 {
			s.Records = append(s.Records, record("a", fmt.Sprint(i), 1, results.Value{Unit: "nll", Value: 10 + add*float64(i+1)},
				results.Value{Unit: "error", Value: 0.5}, results.Value{Unit: "train-samples/s", Value: 100 * math.Pow(2, add)}))
		}
		return s
	}
	changes, err := Compare(set(0), set(1), Query{})
	if err != nil || len(changes.Missing) > 0 || len(changes.All) != 3 {
		t.Fatal(err, changes)
	}
	at := func(unit string) Change {
		return changes.All[slices.IndexFunc(changes.All, func(c Change) bool { return c.Unit.Name == unit })]
	}
	nll := at("nll")
	if nll.Delta != 3.5 || nll.P != 2./64 || math.Abs(nll.High-3.5-2.5705818366147395*math.Sqrt(3.5/6)) > 1e-9 || nll.Verdict != IsWorse {
		t.Errorf("%+v", nll)
	}
	if c := at("error"); c.Verdict != Identical {
		t.Errorf("%+v", c)
	}
	if c := at("train-samples/s"); math.Abs(c.Delta-1) > 1e-12 || c.Verdict != IsBetter || c.changeText() != "+100.0%" {
		t.Errorf("%+v", c)
	}
	var out bytes.Buffer
	if err := changes.Write(&out); err != nil {
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
