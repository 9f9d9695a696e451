package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bayesbench/results"
	"bayesbench/results/report"
)

// The way of a value on docs/architecture.md: the likelihood's precision of 4, from the suite that
// stands there to a cell of a table.
func TestWayOfAValue(t *testing.T) {
	page, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, suite, _ := strings.Cut(string(page), "```toml\n")
	suite, _, ok := strings.Cut(suite, "\n```\n")
	if !ok {
		t.Fatal("the page has no suite")
	}
	dir := t.TempDir()
	walk := write(t, dir, "walk.toml", suite)
	plans, id := map[string]string{}, ""
	for _, j := range jobsOf(t, walk) {
		plans[j.Plan] = j.ID
		if strings.Contains(j.Title, "likelihood.tau=4") {
			id = j.ID
		}
	}
	if len(plans) != 2 || id == "" {
		t.Fatalf("want a plan for each precision, and the job of 4, found %v and %q", plans, id)
	}
	if !strings.Contains(string(page), "runs/walk/jobs/"+id+"/manifest.json") {
		t.Errorf("the page does not name the job %s", id)
	}

	if code, _, log := benchrun(t, "-out", dir, walk); code != 0 {
		t.Fatalf("exit %d\n%s", code, log)
	}
	run := filepath.Join(dir, "walk")
	text, err := os.ReadFile(filepath.Join(run, "jobs", id, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Config struct{ Likelihood struct{ Tau float64 } }
	}
	if err := json.Unmarshal(text, &manifest); err != nil || manifest.Config.Likelihood.Tau != 4 {
		t.Errorf("manifest: %v, %+v", err, manifest)
	}
	lines, err := os.ReadFile(filepath.Join(run, "results.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(lines), "/likelihood.tau=4/predict=sample/samples=8 ") {
		t.Errorf("results.txt does not name the precision:\n%s", lines)
	}

	set, err := results.Load(run)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := report.Build(set, report.Query{Metrics: []string{"noise_sd", "nll"}, Filter: "/predict:sample"})
	if err != nil || len(tables) != 1 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	column := slices.Index(tables[0].RowHeads, "likelihood.tau")
	row := slices.IndexFunc(tables[0].Rows, func(r report.Row) bool { return column >= 0 && r.Labels[column] == "4" })
	if row < 0 {
		t.Fatalf("want a row of likelihood.tau 4, found %q and %+v", tables[0].RowHeads, tables[0].Rows)
	}
	if sd := tables[0].Rows[row].Cells[0].Mean; math.Abs(sd-0.5) > 1e-6 {
		t.Errorf("want 1/√4 in the cell of noise_sd, found %v", sd)
	}
}
