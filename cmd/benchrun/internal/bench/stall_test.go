package bench

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	_ "bayesbench/methods/deterministic"
	"bayesbench/results"
	"bayesbench/suites"
)

// hanging is a backend whose programs never come back, until the test ends.
type hanging struct {
	backends.Backend
	release chan struct{}
}

func (h *hanging) Compile(p *ir.Program) (backends.Executable, error) {
	exe, err := h.Backend.Compile(p)
	return &hangingExe{exe, h.release}, err
}

type hangingExe struct {
	backends.Executable
	release chan struct{}
}

func (h *hangingExe) Run(args, results []backends.Buffer) error {
	<-h.release
	return errors.New("released")
}

type silent struct{}

func (silent) Begin(*Job, int, int)           {}
func (silent) Train(*Job, int, int, float64)  {}
func (silent) Predict(*Job, string, int, int) {}
func (silent) Note(*Job, string)              {}
func (silent) End(*Job, Outcome)              {}

// A backend that hangs costs the jobs that are on it, by name, and no others. The clock is the
// test's: it moves on only while nothing computes, so a busy machine does not look like a backend
// that hangs.
func TestStall(t *testing.T) { synctest.Test(t, testStall) }

func testStall(t *testing.T) {
	release := make(chan struct{})
	backends.Register(backends.Driver{
		Name: "hanging", Configs: []string{"hanging"},
		Open: func(string) (backends.Backend, error) { return &hanging{ref.New(), release}, nil },
	})
	backends.Register(backends.Driver{
		Name: "sound", Configs: []string{"sound"},
		Open: func(string) (backends.Backend, error) { return ref.New(), nil },
	})
	s, err := suites.Parse(Words(), "stall.toml", []byte(`name = "stall"
model = "softmax-regression"
backend = ["hanging", "sound"]
[data]
name = "blobs"
train = 200
test = 100
[train]
batch = 50
[[method]]
name = "deterministic"
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	jobs, err := Plan(ctx, s, &Sets{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run, err := results.Open(ctx, dir, results.Plan{Suite: s.Name, Text: s.Text, Jobs: []string{jobs[0].ID, jobs[1].ID}}, results.Alone, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	sum, err := Run(ctx, run, jobs, silent{})
	close(release)
	if err != nil {
		t.Fatal(err)
	}
	if sum.Done != 1 || len(sum.Failed) != 1 || !strings.Contains(sum.Failed[0], "hanging") {
		t.Errorf("%+v, want the job on the hanging backend failed and the other done", sum)
	}
	m, err := run.Manifest(jobs[0].ID)
	if err != nil || m.Failure == nil || !strings.Contains(m.Failure.Cause, "has not finished a step") {
		t.Errorf("manifest %+v, error %v", m.Failure, err)
	}
}
