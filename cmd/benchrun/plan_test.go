package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"bayesbench/methods"
)

var update = flag.Bool("update", false, "write testdata/plan.json anew")

const planned = `name = "planned"
model = "softmax-regression"
seed = [0, 1]
[data]
name = "blobs"
train = 400
test = 200
[train]
epochs = 6
batch = 50
[[method]]
name = "sgld"
samples = 3
[[method]]
name = "ensemble"
members = 2
[method.of]
name = "magnitude-pruning"
`

// The plan as JSON is that of testdata/plan.json but for the seconds, which are this machine's. It
// tells what jobs of two seeds do once.
func TestPlanJSON(t *testing.T) {
	const file = "testdata/plan.json"
	dir := t.TempDir()
	jobs := jobsOf(t, "-out", dir, write(t, dir, "planned.toml", planned))
	for i := range jobs {
		if jobs[i].Seconds < 0 {
			t.Errorf("%s: %v seconds", jobs[i].ID, jobs[i].Seconds)
		}
		jobs[i].Seconds = 0
	}
	text, err := json.MarshalIndent(jobs, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(text)+"\n" != string(want) {
		t.Errorf("the plan differs from %s; -update writes it where that is meant. Found:\n%s", file, text)
	}
	details := map[string]int{}
	for _, j := range jobs {
		if j.Plan == "" {
			t.Errorf("%s has no plan", j.ID)
		}
		if j.Details != nil {
			details[j.Plan]++
		}
	}
	if len(jobs) != 8 || len(details) != 3 {
		t.Errorf("%d jobs and the details of %d plans, want 8 and 3", len(jobs), len(details))
	}
	for plan, n := range details {
		if n != 1 {
			t.Errorf("the details of plan %s stand %d times", plan, n)
		}
	}
}

// A suite of many setups tells the plans that are kept, and no more bytes than there is room for.
func TestPlanJSONIsBounded(t *testing.T) {
	dir := t.TempDir()
	var rates []string
	for i := range 300 {
		rates = append(rates, fmt.Sprintf("%.3f", 0.001*float64(i+1)))
	}
	suite := strings.NewReplacer("seed = [0, 1]", "seed = 0", "samples = 3", "samples = 3\nlr = ["+strings.Join(rates, ", ")+"]").Replace(planned)
	kept := 0
	for _, j := range jobsOf(t, "-out", dir, "-method", "sgld", write(t, dir, "planned.toml", suite)) {
		if (j.Plan == "") != (j.Details == nil) {
			t.Errorf("%s: plan %q with %d bytes of details", j.ID, j.Plan, len(j.Details))
		}
		if j.Plan != "" {
			kept++
		}
	}
	if kept < 200 || kept >= 300 {
		t.Errorf("%d plans are told, want those of 256 setups at most", kept)
	}
	d := describer{hashes: map[*methods.Plan]string{}, told: map[string]bool{}, bytes: maxDetails}
	var p plannedJob
	if err := d.describe(&p, &methods.Plan{Teacher: &methods.Part{Key: "teacher"}}); err != nil {
		t.Fatal(err)
	}
	if p.Plan == "" || p.Details != nil {
		t.Errorf("without room: plan %q with %d bytes of details, want the hash alone", p.Plan, len(p.Details))
	}
}
