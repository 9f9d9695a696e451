package results

import (
	"slices"
	"testing"
)

func TestReplicates(t *testing.T) {
	of := func(pairs ...Pair) Replicate { return (&Record{Config: pairs}).Replicate() }
	all := []Replicate{
		of(), of(Pair{"seed", "2"}), of(Pair{"seed", "10"}),
		of(Pair{SplitKey, "2"}, Pair{"seed", "2"}), of(Pair{SplitKey, "10"}, Pair{"seed", "2"}), of(Pair{SplitKey, "0"}, Pair{"seed", "x"}),
	}
	slices.SortFunc(all, Replicate.Compare)
	var texts []string
	for _, r := range all {
		texts = append(texts, r.String())
	}
	want := []string{"seed 2, split 2", "seed 2, split 10", "seed 2", "seed 10", "", "seed x, split 0"}
	if !slices.Equal(texts, want) {
		t.Errorf("in order %q, want %q", texts, want)
	}
	if all[0] == all[2] {
		t.Error("a split makes no difference")
	}
	if got := all[0].Keys(); !slices.Equal(got, []Pair{{SplitKey, "2"}, {"seed", "2"}}) {
		t.Errorf("keys %v", got)
	}
}
