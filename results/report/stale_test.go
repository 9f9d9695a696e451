package report

import (
	"slices"
	"testing"

	"bayesbench/results"
)

// Stale names what a table marks: versions that are no commit, and changes of the register, each
// with its methods.
func TestStale(t *testing.T) {
	const before, after = "v0.0.0-20261128165707-2e7328d987f4", "v0.0.0-20991231235959-2e7328d987f4"
	set := results.Set{Records: []results.Record{
		*versioned("dropout", after, "sample", "nll"),
		*versioned("deterministic", "devel", "mean", "nll"),
		*versioned("ensemble(learned-dropout)", before, "mean", "nll"),
		*versioned("learned-dropout", before, "mean", "nll"),
		*versioned("deterministic", before+"+dirty", "mean", "nll"),
	}}
	got := Stale(set)
	if len(got) != 3 {
		t.Fatalf("%+v", got)
	}
	for i, want := range []string{"cannot be traced to a commit: 2e7328d987f4+dirty", "cannot be traced to a commit: devel"} {
		if got[i].Reason != want || got[i].Jobs != 1 || !slices.Equal(got[i].Methods, []string{"deterministic"}) {
			t.Errorf("%+v, want %s", got[i], want)
		}
	}
	if g := got[2]; g.Jobs != 2 || !slices.Equal(g.Methods, []string{"ensemble(learned-dropout)", "learned-dropout"}) {
		t.Errorf("%+v", g)
	}
	if got := Stale(results.Set{Records: set.Records[:1]}); got != nil {
		t.Errorf("of today's results: %+v", got)
	}
}
