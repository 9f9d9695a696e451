package main

import (
	"path/filepath"
	"strings"
	"testing"

	"bayesbench/results"
)

const choosing = `name = "choosing"
model = "softmax-regression"
seed = 0
[data]
name = "line"
split = [0, 1]
[train]
epochs = 2
batch = 45
[eval]
batch = 50
[[method]]
name = "ensemble"
members = 2
  [method.of]
  name = "deterministic"
  [method.choose]
  metric = "rmse"
    [method.choose.among]
    of.train.lr = [0.001, 0.1]
`

// The run directory lists what a choice has trained, as jobs that only serve another: a report
// reads it without a word, and its table has the one method that the suite names. A second run has
// nothing to do.
func TestChoosing(t *testing.T) {
	dir := t.TempDir()
	suite := write(t, dir, "choosing.toml", choosing)
	code, table, log := benchrun(t, "-out", dir, suite)
	if code != 0 || !strings.Contains(log, "has the smallest rmse of 2 candidates on held-out examples") {
		t.Fatalf("exit %d\n%s", code, log)
	}
	if strings.Count(table, "ensemble(deterministic)") != 1 || strings.Contains(table, " deterministic") {
		t.Errorf("want the ensemble alone, found\n%s", table)
	}
	at := filepath.Join(dir, "choosing")
	if left, err := results.Unlisted(at); err != nil || len(left) > 0 {
		t.Errorf("jobs that run.json does not list: %q, %v", left, err)
	}
	jobs, err := results.ReadJobs(at)
	if err != nil || len(jobs) != 2 {
		t.Fatalf("%d jobs, want that of each split; %v", len(jobs), err)
	}
	for _, j := range jobs {
		if !strings.Contains(j.Manifest.Chosen, "of.train.lr=") {
			t.Errorf("job %s: its manifest says %q of the choice", j.ID, j.Manifest.Chosen)
		}
	}
	if code, again, log := benchrun(t, "-out", dir, suite); code != 0 || !strings.Contains(log, " 0 jobs done now") && !strings.Contains(log, ": 0 jobs done now") || again != table {
		t.Errorf("a second run: exit %d\n%s\n%s", code, log, again)
	}
}
