package bench

import (
	"bayesbench/methods/exec"
	"fmt"
	"slices"
	"testing"
)

func TestCounts(t *testing.T) {
	for _, c := range []struct {
		groups  []int
		endless bool
		most    int
		want    []int
	}{
		{[]int{1}, false, 16, []int{1}},
		{[]int{1}, true, 1, []int{1}},
		{[]int{1}, true, 6, []int{1, 2, 4, 6}},
		{[]int{6}, false, 1, []int{1, 2, 4, 6}}, // a chain of six states
		{[]int{5, 1}, false, 16, []int{1, 2, 4, 5}},
		{[]int{5, 1}, true, 1, []int{1, 2, 4, 5}},
		{[]int{5, 1}, true, 8, []int{1, 2, 4, 5}},
		{[]int{5, 1}, true, 16, []int{1, 2, 4, 5, 10, 15}},
		{[]int{3, 1}, true, 16, []int{1, 2, 3, 6, 12, 15}},
		{[]int{4, 1}, true, 8, []int{1, 2, 4, 8}},
		{[]int{3, 5}, false, 1, []int{1, 2, 3, 6, 12, 15}}, // of chains of five states
		{[]int{2, 3, 1}, true, 14, []int{1, 2, 4, 6, 12}},  // nested
	} {
		if got := counts(c.groups, c.endless, c.most); !slices.Equal(got, c.want) {
			t.Errorf("groups %v, endless %v, at most %d: %v, want %v", c.groups, c.endless, c.most, got, c.want)
		}
	}
}

// tree is the weights that an ensemble of the groups draws from, each named by
// the path to it, and paths the names in the order of drawing.
func tree(t *testing.T, groups []int, path string, paths *[]string) []exec.Weights {
	t.Helper()
	if len(groups) == 0 {
		*paths = append(*paths, path)
		return []exec.Weights{{Seed: uint32(len(*paths) - 1)}}
	}
	var lists [][]exec.Weights
	for i := range groups[0] {
		lists = append(lists, tree(t, groups[1:], fmt.Sprint(path, i, "/"), paths))
	}
	out, err := inTurn(lists)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// At every K that is scored, the groups of a level have one weight, or some have
// one sample each and the others none: counted here sample by sample.
func TestCountsWeighAlike(t *testing.T) {
	for _, groups := range [][]int{{1}, {2, 1}, {3, 1}, {5, 1}, {7, 1}, {3, 4}, {2, 3, 1}, {3, 2, 1}, {2, 2, 5}, {4, 3, 2}} {
		var paths []string
		states := tree(t, groups, "", &paths)
		for most := 1; most <= 3*len(states); most++ {
			for _, endless := range []bool{false, true} {
				list := counts(groups, endless, most)
				if last := list[len(list)-1]; !endless && last != len(states) || endless && last > max(most, len(states)) ||
					endless && last <= most-2*len(states) {
					t.Fatalf("groups %v, at most %d: up to %d of %d states", groups, most, last, len(states))
				}
				if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
					t.Fatalf("groups %v, at most %d: %v does not rise", groups, most, list)
				}
				for _, k := range list {
					drawn := map[string]int{} // by every beginning of a path
					for sample := range k {
						path := paths[states[sample%len(states)].Seed]
						for end := range path {
							if path[end] == '/' {
								drawn[path[:end+1]]++
							}
						}
					}
					weighed(t, groups, "", drawn, k)
				}
			}
		}
	}
	if _, err := inTurn([][]exec.Weights{make([]exec.Weights, 3), make([]exec.Weights, 2)}); err == nil {
		t.Error("members of 3 and of 2 samples are taken")
	}
}

func weighed(t *testing.T, groups []int, path string, drawn map[string]int, k int) {
	if len(groups) == 0 {
		return
	}
	least, most := k, 0
	for i := range groups[0] {
		at := fmt.Sprint(path, i, "/")
		least, most = min(least, drawn[at]), max(most, drawn[at])
		weighed(t, groups[1:], at, drawn, k)
	}
	if least != most && most > 1 {
		t.Errorf("groups below %q at K = %d: between %d and %d samples", path, k, least, most)
	}
}

func TestUpTo(t *testing.T) {
	list := []int{1, 2, 3, 6, 12, 15}
	for n, want := range map[int]int{1: 1, 2: 2, 5: 3, 6: 6, 8: 6, 15: 15, 100: 15} {
		if got := upTo(list, n); got != want {
			t.Errorf("up to %d: %d, want %d", n, got, want)
		}
	}
}
