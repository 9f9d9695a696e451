package gonum

import (
	"fmt"
	"slices"
	"testing"
)

// Hidden activations of a batch have a row for each neuron; what comes from or
// goes to a convolution, a softmax or a result keeps its rows.
func TestActivationsByNeuron(t *testing.T) {
	be := New(2)
	defer be.Close()
	for name, want := range map[string][]string{
		// Forward, the two gradients of activations, and those of weights.
		"lenet300": {"300x20x33", "100x20x300", "20x10x100", "100x20x10", "300x20x100", "10x100x20", "100x300x20", "300x33x20"},
		"lenet5":   {"500x20x800", "20x10x500", "500x20x10", "20x800x500", "10x500x20", "500x800x20"},
	} {
		p := newStep("dropout", lenet300, 20, 33)
		if name == "lenet5" {
			p = newStep("deterministic", lenet5, 20, 1, 28, 28)
		}
		e, err := be.compile(p)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, in := range e.instrs() {
			if m, ok := in.(*product); ok {
				got = append(got, fmt.Sprintf("%dx%dx%d", m.g.M, m.g.N, m.g.K))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: products %v, want %v", name, got, want)
		}
	}
}
