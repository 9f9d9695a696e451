package prune_test

import (
	"math"
	"testing"

	"bayesbench/backends/ref"
	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
)

// As many weights go as asked for, they were the smallest when they went, and
// the others train on.
func TestPrunesTheSmallest(t *testing.T) {
	j := methodtest.Toy()
	d := methodtest.Blobs(j, j.Task.Examples)
	run := func(keys string, epochs int) *methodtest.Fitted {
		m, err := methodtest.New("magnitude-pruning", keys)
		if err != nil {
			t.Fatal(err)
		}
		j.Epochs = epochs
		f, err := methodtest.Fit(ref.New(), m, methodtest.MLP, j, d, 3)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	before := run("sparsity = 0.0\nstart = 5.75", 6) // one step past where the others prune
	sizes := map[string]float64{"fc1": 128, "fc2": 48, "fc3": 18}
	for scope, keys := range map[string]string{"layer": "scope = \"layer\"", "global": "scope = \"global\""} {
		f := run("sparsity = 0.75\nstart = 6.0\n"+keys, 12)
		report, err := f.Report()
		if err != nil {
			t.Fatal(err)
		}
		total := 0.0
		for layer, size := range sizes {
			n := report["nonzero/"+layer]
			total += n
			if scope == "layer" && n != size-math.Round(0.75*size) {
				t.Errorf("%s has %v of %v weights", layer, n, size)
			}
			smallestKept, largestGone, moved := math.Inf(1), 0.0, 0
			for i, w := range before.State[layer+".w"] {
				size := math.Abs(float64(w))
				if f.State[layer+".w/mask"][i] == 0 {
					largestGone = max(largestGone, size)
					continue
				}
				smallestKept = min(smallestKept, size)
				if f.State[layer+".w"][i] != w {
					moved++
				}
			}
			if largestGone > smallestKept {
				t.Errorf("%s, %s: a weight of %v went and one of %v stayed", scope, layer, largestGone, smallestKept)
			}
			if n > 0 && moved == 0 {
				t.Errorf("%s, %s: the weights that stayed did not train on", scope, layer)
			}
		}
		if scope == "global" && total != 194-math.Round(0.75*194) {
			t.Errorf("%v of 194 weights are left", total)
		}
	}
}

func TestRefusals(t *testing.T) {
	for keys, key := range map[string]string{
		"sparsity = 1.0": "sparsity", "sparsity = -0.1": "sparsity", "start = 12.0": "start", "start = 0.0": "start",
		"scope = \"model\"": "scope", "prior_sigma = 0": "prior_sigma",
	} {
		methodtest.Refused(t, "magnitude-pruning", keys, key)
	}
}
