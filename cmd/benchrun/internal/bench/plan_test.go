package bench_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/internal/alloctest"
	"bayesbench/suites"
)

// list is a TOML list of n values, each as format writes its number from 1.
func list(n int, format string) string {
	values := make([]string, n)
	for i := range values {
		values[i] = fmt.Sprintf(format, i+1)
	}
	return "[" + strings.Join(values, ", ") + "]"
}

// Numbers that multiply jobs, steps or memory have bounds, and what is beyond
// names its place.
func TestPlanBounds(t *testing.T) {
	ensemble := strings.Replace(small, "seed = [0, 1]", "seed = 0", 1)
	const members = "small.toml:27: ensemble: members = %s: want 1 to 100000"
	for _, c := range []struct{ text, old, new, want string }{
		{ensemble, "members = 3", "members = 9223372036854775807", fmt.Sprintf(members, "9223372036854775807")},
		{ensemble, "members = 3", "members = 100001", fmt.Sprintf(members, "100001")},
		{ensemble, "members = 3", "members = -9223372036854775808", fmt.Sprintf(members, "-9223372036854775808")},
		// Each member is shared by both, and counts for both.
		{ensemble, "members = 3", "members = 60000\nlabel = " + list(2, `"e%d"`), "small.toml:25: the suite comes to more than 100000 jobs"},
		{small, "epochs = 3", "epochs = 9223372036854775807", "small.toml:10: train.epochs: want at most 1000000"},
		{small, "batch = 50", "batch = 4611686018427387904", "small.toml:11: train.batch: want at most 65536"},
		{small, "batch = 64", "batch = 4611686018427387904", "small.toml:15: eval.batch: want at most 65536"},
		{small, "samples = 4", "samples = 4611686018427387904", "small.toml:14: eval.samples: want at most 100000"},
		{small, "every = 1", "every = 4611686018427387904", "small.toml:16: eval.every: want at most 1000000"},
		{small, "every = 1", "gradient_draws = 4611686018427387904", "small.toml:16: eval.gradient_draws: want at most 1000000"},
		{small, "train = 600", "train = 4611686018427387904", "small.toml:7: data.train: want at most"},
		{small, "test = 200", "test = 200\nsize = 4611686018427387904", "small.toml:9: data.size: want at most 2048"},
		{small, `"deterministic"`, "\"svgd\"\nparticles = 4611686018427387904", "small.toml:19: svgd: particles = "},
		{small, `"deterministic"`, "\"swag\"\ncollect = 4611686018427387904", "small.toml:19: swag: collect = "},
		{small, `"deterministic"`, "\"swag\"\nrank = 4611686018427387904", "small.toml:19: swag: rank = "},
		{small, `"deterministic"`, "\"snapshot\"\ncycles = 4611686018427387904", "small.toml:19: snapshot: cycles = "},
		{small, `"deterministic"`, "\"csgmcmc\"\ncycles = 4611686018427387904", "small.toml:19: csgmcmc: cycles = "},
		{small, `"deterministic"`, "\"sgld\"\nsamples = 4611686018427387904", "small.toml:19: sgld: samples = "},
		{small, `"deterministic"`, "\"hmc\"\nleapfrog = 4611686018427387904", "small.toml:19: hmc: leapfrog = "},
		{small, `"deterministic"`, "\"hmc\"\nthin = 4611686018427387904", "small.toml:19: hmc: thin = "},
		{small, `"deterministic"`, "\"hmc\"\nburn_in = 4611686018427387904", "small.toml:19: hmc: burn_in = "},
		{small, `"deterministic"`, "\"hmc\"\nsamples = 100000\nleapfrog = 100000", "small.toml:17: hmc: the training comes to 1000"},
	} {
		alloctest.AtMost(t, 512<<20, func() {
			text := strings.Replace(c.text, c.old, c.new, 1)
			s, err := suites.Parse(bench.Words(), "small.toml", []byte(text), nil)
			if err == nil {
				_, err = bench.Plan(context.Background(), s, &bench.Sets{})
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: error %v\nwant      %s", c.new, err, c.want)
			}
		})
	}
}

// A job more under another seed costs some kilobytes; its plan is the one of the
// other seeds. References are found without a search through all jobs.
func TestPlanOfManyJobs(t *testing.T) {
	text := strings.Replace(small[:strings.Index(small, "[[method]]")], "seed = [0, 1]", "seed = "+list(1000, "%d"), 1) +
		"reference = \"hmc\"\n[[method]]\nname = \"ffg\"\nprior_sigma = " + list(9, "%d.0") + "\n[[method]]\nname = \"hmc\"\n"
	alloctest.AtMost(t, 256<<20, func() {
		_, jobs := plan(t, text)
		if len(jobs) != 10_000 {
			t.Errorf("%d jobs", len(jobs))
		}
	})
}

// Planning ends when it is told to.
func TestPlanEnds(t *testing.T) {
	s, err := suites.Parse(bench.Words(), "small.toml", []byte(small), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if jobs, err := bench.Plan(ctx, s, &bench.Sets{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%d jobs, %v", len(jobs), err)
	}
}

// Plans that were not kept are made again, the same ones.
func TestPlansAreMadeAgain(t *testing.T) {
	text := strings.Replace(small, "seed = [0, 1]", "seed = 0", 1) + "[[method]]\nname = \"distill\"\n[method.teacher]\nname = \"ensemble\"\nmembers = 2\n[method.teacher.of]\nname = \"ffg\"\n"
	text = strings.Replace(text, "every = 1", "every = 1\nreference = \"ffg\"", 1)
	kept, again := t.TempDir(), t.TempDir()
	runOnce(t, kept, text, &quiet{})
	defer bench.KeepPlans(0)()
	q := &quiet{}
	if sum, _ := runOnce(t, again, text, q); sum.Done != 8 || len(sum.Failed) > 0 {
		t.Errorf("%+v\n%s", sum, strings.Join(q.notes, "\n"))
	}
	if a, b := resultsText(t, kept), resultsText(t, again); !bytes.Equal(a, b) {
		t.Errorf("results differ:\n%s\n%s", a, b)
	}
}
