package bench_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	_ "bayesbench/backends/ref"
	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/results"
	"bayesbench/suites"
	"bayesbench/suites/data"
)

// ending is a split that ends the run at one of its reads. It does so when all else waits for that
// read, and comes back when all else waits again.
type ending struct {
	data.Split
	at    int64
	reads *atomic.Int64
	end   func()
}

func (e ending) Example(i int) (data.Example, error) {
	if e.reads.Add(1) == e.at {
		time.Sleep(time.Second)
		e.end()
		time.Sleep(time.Second)
	}
	return e.Split.Example(i)
}

// A run that is told to end while a step waits for its batch saves what was trained, as at any
// other moment.
func TestEndedWhileABatchIsMade(t *testing.T) { synctest.Test(t, testEndedWhileABatchIsMade) }

func testEndedWhileABatchIsMade(t *testing.T) {
	s, err := suites.Parse(bench.Words(), "ending.toml", []byte(`name = "ending"
model = "softmax-regression"
backend = "ref"
[data]
name = "blobs"
train = 200
test = 100
[train]
batch = 50
epochs = 50
[[method]]
name = "deterministic"
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sets := &bench.Sets{}
	set, err := sets.Open(ctx, s.Jobs[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	set.Train = ending{set.Train, 1010, &atomic.Int64{}, cancel} // in the 21st batch
	jobs, err := bench.Plan(ctx, s, sets)
	if err != nil {
		t.Fatal(err)
	}
	run, err := results.Open(ctx, t.TempDir(), results.Plan{Suite: s.Name, Text: s.Text, Jobs: []string{jobs[0].ID}}, results.Alone, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	if _, err := bench.Run(ctx, run, jobs, &quiet{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("the run ended with %v", err)
	}
	job, err := run.Claim(jobs[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer job.Release()
	c, _, err := job.LoadCheckpoint(1<<20, func(*results.Checkpoint) error { return nil })
	if err != nil || c == nil {
		t.Fatalf("nothing was saved: %v", err)
	}
	if progress := c.Meta["progress"]; !strings.Contains(progress, `"step":20,`) {
		t.Errorf("saved %s, want the 20 steps before the batch", progress)
	}
}
