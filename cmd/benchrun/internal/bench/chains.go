package bench

import (
	"bayesbench/results"
	"bayesbench/results/metrics"
)

// watched is how many test examples are followed along Markov chains.
const watched = 100

// chains follows function values along the Markov chains that a job's posterior
// samples come from: log p(y | x, w) of each of the first test examples, and its
// mean over all of them.
type chains struct {
	inputs int
	values [][][]float64 // [function][chain][draw]
}

// newChains prepares for n chains that give the samples in turn.
func newChains(n, inputs int) *chains {
	c := &chains{inputs: inputs, values: make([][][]float64, min(watched, inputs)+1)}
	for f := range c.values {
		c.values[f] = make([][]float64, n)
	}
	return c
}

// add takes log p(y | x, w) of posterior sample k on the test examples from row on.
func (c *chains) add(k, row int, logLik []float64) {
	last := len(c.values) - 1
	chain := k % len(c.values[last])
	if row == 0 {
		c.values[last][chain] = append(c.values[last][chain], 0)
	}
	mean := &c.values[last][chain][k/len(c.values[last])]
	for i, x := range logLik {
		*mean += x / float64(c.inputs)
		if n := row + i; n < last {
			c.values[n][chain] = append(c.values[n][chain], x)
		}
	}
}

// score diagnoses the chains, whose draws must be as many; nothing is said of
// fewer draws than the diagnostics need. The speed is given where the seconds
// of sampling are known.
func (c *chains) score(seconds float64) ([]results.Value, error) {
	mean := c.values[len(c.values)-1]
	if draws := len(mean[0]); draws < metrics.FewestDraws || draws != len(mean[len(mean)-1]) {
		return nil, nil
	}
	scores, err := metrics.ScoreChains(c.values)
	for _, s := range scores {
		if s.Unit == "ess_bulk" && seconds > 0 {
			return append(scores, results.Value{Unit: "ess_bulk/s", Value: s.Value / seconds}), err
		}
	}
	return scores, err
}
