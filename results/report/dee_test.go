package report

import (
	"math"
	"testing"

	"bayesbench/results"
	"bayesbench/results/report/papers"
)

// Ensembles of 1, 2 and 4 networks reach -1.0, -0.6 and -0.4 in the mean over two seeds.
func deeSet() results.Set {
	set := results.Set{Units: results.Units{deeScore: {Name: deeScore, Better: results.Higher}}}
	add := func(method, seed string, k int, ll float64, sweep ...results.Pair) {
		r := record(method, seed, k, results.Value{Unit: deeScore, Value: ll})
		r.Sweep = sweep
		set.Records = append(set.Records, r)
	}
	mean, sample := results.Pair{Key: "predict", Value: "mean"}, results.Pair{Key: "predict", Value: "sample"}
	for k, ll := range map[int]float64{1: -1, 2: -0.6, 4: -0.4} {
		add(deeEnsemble, "0", k, ll+0.1, mean)
		add(deeEnsemble, "1", k, ll-0.1, mean)
	}
	add("worse", "0", 1, -1.5, mean)
	add("between", "0", 5, -0.5, sample)
	add("between", "1", 5, -0.7, sample)
	add("better", "0", 1, -0.1, mean)
	add("shifted", "0", 1, -0.5, mean, results.Pair{Key: "corruption", Value: "fog"})
	return set
}

func TestDEE(t *testing.T) {
	table := build(t, deeSet(), Query{Metrics: []string{deeUnit}})[0]
	for method, want := range map[string]float64{"worse": 1, "better": 4, "between": (3 + 1.75) / 2} {
		if got := cell(t, table, method, deeUnit).Mean; math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: %v, want %v", method, got, want)
		}
	}
	if note := table.Notes[len(table.Notes)-1]; note != deeNote {
		t.Errorf("the last note is %q", note)
	}
	// Its score of -0.5 against the curve one sd, √0.02, higher and lower: on the way from 1 to 2,
	// and beyond the last.
	bounds := build(t, deeSet(), Query{Metrics: []string{"dee-lo", "dee-hi"}, Filter: "/method:between seed:0"})[0]
	if lo, hi := cell(t, bounds, "between", "dee-lo").Mean, cell(t, bounds, "between", "dee-hi").Mean; math.Abs(lo-(1+(0.5-math.Sqrt(0.02))/0.4)) > 1e-12 || hi != 4 {
		t.Errorf("bounds %v and %v", lo, hi)
	}
	// The ensembles whose scores are read off the curve itself have their own size, in the mean
	// score.
	set := deeSet()
	for i := range set.Records {
		if _, has := set.Records[i].Value(deeUnit); has {
			t.Fatal("the caller's records changed")
		}
	}
	with, err := withDEE(set)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range with.Records {
		if _, has := r.Value(deeUnit); has == (r.Method == "shifted") {
			t.Errorf("%s: DEE %v: the curve is that of the clean test set", r.Name(), has)
		}
	}
}

func TestPitfallsTable(t *testing.T) {
	p, err := papers.Get("pitfalls")
	if err != nil {
		t.Fatal(err)
	}
	set := deeSet()
	for i := range set.Records {
		if set.Records[i].Method == "between" {
			set.Records[i].Method = "ffg"
		}
	}
	table, err := BuildPaper(set, p, "", 0.05)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range table.Rows {
		if row.Group == "FFG VI" && row.Label == "K=5" {
			if row.Pairs[1].Printed != "0.927" || row.Pairs[1].Ours != "0.60 ±0.14 (2)" || row.Pairs[2].Ours != "2.4 ±0.9 (2)" {
				t.Errorf("%+v", row.Pairs)
			}
			return
		}
	}
	t.Error("no row of FFG at K=5")
}
