package bench_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/sbinet/npyio"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/methods"
	"bayesbench/results"
)

const members = `name = "members"
model = "lenet-300-100"
backend = "gonum"
[data]
name = "blobs"
train = 60
test = 40
[train]
batch = 20
[eval]
samples = 8
save_predictions = true
`

// totals checks that a predictor's progress ends at the total that it gave.
type totals struct {
	quiet
	at map[string][2]int
}

func (p *totals) Predict(j *bench.Job, predictor string, k, of int) {
	p.at[j.Title()+" "+predictor] = [2]int{k, of}
}

// predictions runs the suite under the overrides and returns each listed job's
// predictive probabilities, and the numbers of samples that its first predictor
// is scored at.
func predictions(t *testing.T, text string, set ...string) (p [][]float64, counts [][]int) {
	t.Helper()
	s, jobs := plan(t, text, set...)
	ids := make([]string, len(jobs))
	for i, j := range jobs {
		ids[i] = j.ID
	}
	run, err := results.Open(t.Context(), t.TempDir(), results.Plan{Suite: s.Name, Text: s.Text, Jobs: ids}, results.Alone, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	q := totals{at: map[string][2]int{}}
	if sum, err := bench.Run(t.Context(), run, jobs, &q); err != nil || len(sum.Failed) > 0 {
		t.Fatal(err, q.notes)
	}
	for what, at := range q.at {
		if at[0] != at[1] {
			t.Errorf("%s ends at %d of %d samples", what, at[0], at[1])
		}
	}
	for i, j := range jobs {
		if !j.Listed {
			continue
		}
		f, err := os.Open(run.File(j.ID, "predictions.npy"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var probs []float64
		if err := npyio.Read(f, &probs); err != nil {
			t.Fatal(err)
		}
		p = append(p, probs)
		var at []int
		for _, r := range q.ended[i].Records {
			if slices.Contains(r.Sweep, results.Pair{Key: "predict", Value: "sample"}) && len(r.Sweep) == 1 {
				at = append(at, r.Samples)
			}
		}
		counts = append(counts, at)
	}
	return p, counts
}

// member is the seed of member k of an ensemble under the seed.
func member(seed, k uint32) uint32 { return methods.Part{Stream: k}.Seed(seed) }

// An ensemble of stochastic members is their equal mixture: three of them, asked
// for 8 samples, take 6, and their predictive is the mean of the members' own of
// two samples each. So is an ensemble of ensembles.
func TestEnsembleWeighsMembersAlike(t *testing.T) {
	for _, c := range []struct {
		name, of string
		counts   []int
		seeds    []uint32 // of the networks
		each     int      // samples of a network
	}{
		{"of dropout", "members = 3\n[method.of]\nname = \"dropout\"\n", []int{1, 2, 3, 6},
			[]uint32{member(0, 0), member(0, 1), member(0, 2)}, 2},
		{"of ensembles", "members = 2\n[method.of]\nname = \"ensemble\"\nmembers = 2\n[method.of.of]\nname = \"dropout\"\n", []int{1, 2, 4, 8},
			[]uint32{
				member(member(0, 0), 0), member(member(0, 0), 1),
				member(member(0, 1), 0), member(member(0, 1), 1),
			}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			mixture, counts := predictions(t, members+"[[method]]\nname = \"ensemble\"\n"+c.of)
			if !slices.Equal(counts[0], c.counts) {
				t.Errorf("scored at %v samples, want %v", counts[0], c.counts)
			}
			want := make([]float64, len(mixture[0]))
			for _, seed := range c.seeds {
				one, _ := predictions(t, members+"[[method]]\nname = \"dropout\"\n", fmt.Sprint("seed=", seed), fmt.Sprint("eval.samples=", c.each))
				for i, x := range one[0] {
					want[i] += x / float64(len(c.seeds))
				}
			}
			for i, x := range mixture[0] {
				if math.Abs(x-want[i]) > 1e-9 {
					t.Fatalf("probability %d is %v, the mean of the members' is %v", i, x, want[i])
				}
			}
		})
	}
}

// The estimate of a job's cost follows the samples that it takes: three members
// of one sample each, 2·3 of 8 that are asked of stochastic ones.
func TestFLOPsOfEnsembles(t *testing.T) {
	predicting := func(text string, set ...string) float64 {
		_, jobs := plan(t, text, set...)
		last := jobs[len(jobs)-1]
		return last.FLOPs - last.TrainFLOPs
	}
	of := func(name string) string {
		return members + "[[method]]\nname = \"ensemble\"\nmembers = 3\n[method.of]\nname = \"" + name + "\"\n"
	}
	one := func(name string) string { return members + "[[method]]\nname = \"" + name + "\"\n" }
	if got, want := predicting(of("deterministic")), 3*predicting(one("deterministic")); got != want || want == 0 {
		t.Errorf("three members: %v FLOPs, want %v", got, want)
	}
	if got, want := predicting(of("dropout")), 3*predicting(one("dropout"), "eval.samples=2"); got != want {
		t.Errorf("three stochastic members: %v FLOPs, want %v", got, want)
	}
	// Each of the states that a chain keeps is a pass.
	chain := func(n int) float64 {
		return predicting(one("hmc") + fmt.Sprintf("burn_in = 1\nsamples = %d\n", n))
	}
	if got, want := chain(6), 2*chain(3); got != want || want == 0 {
		t.Errorf("six states: %v FLOPs, want %v", got, want)
	}
}
