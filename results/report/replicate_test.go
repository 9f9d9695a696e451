package report

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"bayesbench/results"
)

// onSplit is a record of one seed on one split of a data set.
func onSplit(method, seed string, split int, values ...results.Value) results.Record {
	r := record(method, seed, 1, values...)
	r.Config = append([]results.Pair{{Key: results.SplitKey, Value: fmt.Sprint(split)}}, r.Config...)
	return r
}

// Splits pair as seeds do: twelve splits vary by hundreds, and the difference of 1 on each decides.
func TestSplitsPair(t *testing.T) {
	set := results.Set{Units: demoUnits}
	for split := range 12 {
		v := float64(100 * (split * 7 % 12))
		set.Records = append(set.Records, onSplit("old", "0", split, results.Value{Unit: "nll", Value: v}))
		v -= 1 + 0.01*float64(split)
		set.Records = append([]results.Record{onSplit("new", "0", split, results.Value{Unit: "nll", Value: v})}, set.Records...)
	}
	table := build(t, set, Query{Baseline: "old"})[0]
	c := cell(t, table, "new", "nll")
	if c.N != 12 || c.Comparison == nil || c.Pairs != 12 || math.Abs(c.P-2./4096) > 1e-15 || math.Abs(c.Delta+1.055) > 1e-9 {
		t.Fatalf("%+v %+v", c.Summary, c.Comparison)
	}
	var out strings.Builder
	if err := WriteText(&out, []Table{table}, Style{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"splits", "Mean ± standard deviation over 12 splits.", "exact sign-flip test over paired splits"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "differ in") {
		t.Errorf("a split is called a difference of the results:\n%s", out.String())
	}

	// Two seeds on each split are 24 runs, of which those of one seed pair.
	for split := range 12 {
		set.Records = append(set.Records, onSplit("new", "1", split, results.Value{Unit: "nll", Value: 5}))
	}
	table = build(t, set, Query{Baseline: "old"})[0]
	if c := cell(t, table, "new", "nll"); c.N != 24 || c.Pairs != 12 || table.Over != "runs" {
		t.Errorf("%d %s, %d pairs, want 24 runs, 12 pairs", c.N, table.Over, c.Pairs)
	}

	// One seed and split with two values is refused by both.
	set.Records = append(set.Records, onSplit("new", "1", 3, results.Value{Unit: "nll", Value: 6}))
	if _, err := Build(set, Query{}); err == nil || !strings.Contains(err.Error(), "twice for seed 1, split 3: 5 and 6") {
		t.Errorf("%v", err)
	}
}

// Old and new results compare split by split.
func TestCompareSplits(t *testing.T) {
	var sides [2]results.Set
	for i := range sides {
		sides[i].Units = demoUnits
		for split := range 6 {
			v := float64(split*split + i)
			sides[i].Records = append(sides[i].Records, onSplit("a", "0", (split*5+i)%6, results.Value{Unit: "nll", Value: v}))
		}
	}
	for i := range sides[1].Records { // the same value at the same split, and 1 more
		for _, old := range sides[0].Records {
			if old.Replicate() == sides[1].Records[i].Replicate() {
				sides[1].Records[i].Values = []results.Value{{Unit: "nll", Value: old.Values[0].Value + 1}}
			}
		}
	}
	changes, err := Compare(sides[0], sides[1], Query{})
	if err != nil {
		t.Fatal(err)
	}
	if len(changes.All) != 1 || changes.All[0].Pairs != 6 || changes.All[0].Delta != 1 || changes.All[0].Low != 1 {
		t.Errorf("%+v", changes.All)
	}
}
