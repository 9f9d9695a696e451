package results

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"bayesbench/backends/rng"
)

func configured(t *testing.T, base, config string) Configured {
	t.Helper()
	settings, err := Settings(json.RawMessage(config))
	if err != nil {
		t.Fatal(err)
	}
	setup, err := Setup(json.RawMessage(config))
	if err != nil {
		t.Fatal(err)
	}
	return Configured{Base: base, Settings: settings, Setup: setup}
}

func pairsText(pairs []Pair) string {
	var parts []string
	for _, p := range pairs {
		parts = append(parts, p.Key+"="+p.Value)
	}
	return strings.Join(parts, " ")
}

// Names hold what differs, and nothing else.
func TestDistinguish(t *testing.T) {
	long := strings.Repeat("fog-1,", 40)
	for _, c := range []struct {
		about string
		jobs  []string // configurations
		want  []string
	}{
		{"seeds", []string{`{"seed":0,"train":{"lr":1}}`, `{"seed":1,"train":{"lr":1}}`}, []string{"", ""}},
		{"splits of the data", []string{`{"seed":0,"data":{"name":"boston"}}`, `{"seed":0,"data":{"name":"boston","split":3}}`}, []string{"", ""}},
		{"a budget", []string{`{"train":{"epochs":1}}`, `{"train":{"epochs":10}}`}, []string{"train.epochs=1", "train.epochs=10"}},
		{"a key that one lacks", []string{`{"method":{"name":"ffg"}}`, `{"method":{"name":"ffg","prior_sigma":0.1}}`}, []string{"", "method.prior_sigma=0.1"}},
		{"a key of the method that the harness has too", []string{`{"method":{"samples":8}}`, `{"method":{"samples":16}}`}, []string{"method.samples=8", "method.samples=16"}},
		{"an empty value", []string{`{"eval":{"reference":""}}`, `{"eval":{"reference":"hmc"}}`}, []string{`eval.reference=""`, "eval.reference=hmc"}},
		{"lists", []string{`{"train":{"augment":["flip"]}}`, `{"train":{"augment":["flip","pad-crop-4"]}}`}, []string{"train.augment=flip", "train.augment=flip,pad-crop-4"}},
		{"nested tables", []string{`{"method":{"of":{"rate":0.1}}}`, `{"method":{"of":{"rate":0.5}}}`}, []string{"method.of.rate=0.1", "method.of.rate=0.5"}},
		{"a method's own budget says no more than the budget", []string{`{"train":{"lr":1},"method":{"train":{"lr":1}}}`, `{"train":{"lr":2},"method":{"train":{"lr":2}}}`}, []string{"train.lr=1", "train.lr=2"}},
		{"nor a method's own likelihood", []string{`{"likelihood":{"tau":1},"method":{"likelihood":{"tau":1}}}`, `{"likelihood":{"tau":2},"method":{"likelihood":{"tau":2}}}`}, []string{"likelihood.tau=1", "likelihood.tau=2"}},
		{"but where it is all that differs", []string{`{"train":{"lr":1},"method":{"train":{"lr":1}}}`, `{"train":{"lr":1},"method":{}}`}, []string{"method.train.lr=1", ""}},
		{"a later key of the top level", []string{`{"precision":"f16"}`, `{"precision":"f32"}`}, []string{"suite.precision=f16", "suite.precision=f32"}},
		{"a key that manifests and suites spell apart", []string{`{"eval":{"save":false}}`, `{"eval":{"save":true}}`}, []string{"eval.save_predictions=false", "eval.save_predictions=true"}},
		{"networks of one name", []string{`{"model":"net"}`, `{"model":{"name":"net","layers":["relu","linear"]}}`, `{"model":{"name":"net","layers":["linear"]}}`},
			[]string{"", "model.layers=relu,linear", "model.layers=linear"}},
		{"inf", []string{`{"method":{"prior_sigma":"+Inf"}}`, `{"method":{"prior_sigma":1}}`}, []string{"method.prior_sigma=+Inf", "method.prior_sigma=1"}},
	} {
		var jobs []Configured
		for _, config := range c.jobs {
			jobs = append(jobs, configured(t, "one", config))
		}
		for i, pairs := range Distinguish(jobs) {
			if got := pairsText(pairs); got != c.want[i] {
				t.Errorf("%s: job %d is called %q, want %q", c.about, i, got, c.want[i])
			}
		}
	}

	// Of different bases nothing needs to be told apart.
	for i, pairs := range Distinguish([]Configured{configured(t, "a", `{"train":{"lr":1}}`), configured(t, "b", `{"train":{"lr":2}}`)}) {
		if len(pairs) > 0 {
			t.Errorf("job %d of a base of its own is called %v", i, pairs)
		}
	}
	// Where texts are alike, or there are too many settings, the setup tells.
	many := func(value int) string {
		var parts []string
		for i := range 100 {
			parts = append(parts, fmt.Sprintf(`"k%03d":%d`, i, value*(i/99)+i))
		}
		return `{"method":{` + strings.Join(parts, ",") + "}}"
	}
	for _, pair := range [][2]string{
		{`{"train":{"augment":["a,b"]}}`, `{"train":{"augment":["a","b"]}}`},
		{`{"train":{"augment":[]}}`, `{"train":{"augment":""}}`},
		{many(0), many(1)},
	} {
		names := Distinguish([]Configured{configured(t, "x", pair[0]), configured(t, "x", pair[1])})
		if pairsText(names[0]) == pairsText(names[1]) {
			t.Errorf("%.60s and %.60s are both called %s", pair[0], pair[1], pairsText(names[0]))
		}
	}
	names := Distinguish([]Configured{configured(t, "x", `{"eval":{"shift":"`+long+`"}}`), configured(t, "x", `{"eval":{"shift":"`+long+`x"}}`)})
	if a, b := pairsText(names[0]), pairsText(names[1]); a == b || len(a) > 100 {
		t.Errorf("long values: %s and %s", a, b)
	}
}

// testConfig is one of a few configurations of one method, alike in all but what the numbers say.
func testConfig(seed, lr, prior, samples uint32) string {
	method := fmt.Sprintf(`{"name":"ffg","prior_sigma":%d}`, prior)
	if prior == 0 {
		method = `{"name":"ffg"}`
	}
	return fmt.Sprintf(`{"seed":%d,"train":{"lr":%d},"eval":{"samples":%d},"method":%s}`, seed, lr, samples, method)
}

// Random histories of plans over one run directory end in the same bytes as a fresh directory with
// the union of the jobs, in whatever order these finish; and no two setups share a name.
func TestHistoriesEndAlike(t *testing.T) {
	rounds := 30
	if testing.Short() {
		rounds = 5
	}
	for round := range rounds {
		words := make([]uint32, 256)
		rng.Bits(words, rng.Key{uint32(round), 1}, 0)
		draw := func(below uint32) uint32 {
			w := words[0]
			words = words[1:]
			return w % below
		}
		history, fresh := t.TempDir(), t.TempDir()
		configs := map[string]string{} // by id
		var union []string
		for range 2 + draw(3) {
			var plan []string
			for range 1 + draw(4) {
				config := testConfig(draw(3), draw(2), draw(3), draw(2))
				id := idOf(config)
				if _, known := configs[id]; !known {
					union = append(union, id)
				}
				configs[id] = config
				plan = append(plan, id)
			}
			runJobs(t, history, plan, configs)
		}
		for i := range union { // another order
			j := draw(uint32(i + 1))
			union[i], union[j] = union[j], union[i]
		}
		runJobs(t, fresh, union, configs)
		for _, file := range []string{resultsFile, timingsFile} {
			if a, b := readAll(t, filepath.Join(history, file)), readAll(t, filepath.Join(fresh, file)); a != b {
				t.Fatalf("round %d: %s after a history\n%s\nand fresh\n%s", round, file, a, b)
			}
		}
		set, err := Load(history)
		if err != nil {
			t.Fatal(err)
		}
		setups := map[string]string{}
		for i := range set.Records {
			r := &set.Records[i]
			if other, ok := setups[r.Name()]; ok && other != r.Origin.Setup {
				t.Errorf("round %d: %s stands for the setups %s and %s", round, r.Name(), other, r.Origin.Setup)
			}
			setups[r.Name()] = r.Origin.Setup
		}
		again, err := ReadFile(filepath.Join(history, resultsFile))
		if err != nil || len(again.Records) != len(union) {
			t.Fatalf("round %d: %d records for %d jobs: %v", round, len(again.Records), len(union), err)
		}
		for _, r := range again.Records {
			if configs[r.Origin.Job] == "" || !strings.HasPrefix(configs[r.Origin.Job], fmt.Sprintf(`{"seed":%s,`, r.Seed())) {
				t.Errorf("round %d: %s says it is of job %s, which is %s", round, r.Name(), r.Origin.Job, configs[r.Origin.Job])
			}
		}
	}
}

// idOf is the id of the job of a configuration, as suites.Config.ID makes it.
func idOf(config string) string { return hexSum([]byte(config))[:12] }

// runJobs opens the directory under the plan and finishes those of its jobs that are not done.
func runJobs(t *testing.T, dir string, plan []string, configs map[string]string) {
	t.Helper()
	runPlan(t, dir, Plan{Suite: "quick", Jobs: plan}, configs)
}

func runPlan(t *testing.T, dir string, plan Plan, configs map[string]string) {
	t.Helper()
	run, err := Open(context.Background(), dir, plan, Alone, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	for _, id := range plan.Jobs {
		if done, err := run.Done(id); done || err != nil {
			if err != nil {
				t.Fatal(err)
			}
			continue
		}
		job, err := run.Claim(id)
		if err != nil {
			t.Fatal(err)
		}
		var seed struct{ Seed int }
		if err := json.Unmarshal([]byte(configs[id]), &seed); err != nil {
			t.Fatal(err)
		}
		r := testRecord("ffg", fmt.Sprint(seed.Seed), float64(len(configs[id]))/7)
		r.Values = append(r.Values, Value{"train-samples/s", 100})
		err = job.Finish(Manifest{Config: []byte(configs[id]), Machine: Machine{Threads: 2}}, Set{Units: testUnits, Records: []Record{r}}, Details{})
		if err != nil {
			t.Fatal(err)
		}
		job.Release()
	}
}

// Jobs of several run directories are told apart together.
func TestLoadTellsRunsApart(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	a, b := `{"seed":0,"train":{"epochs":1}}`, `{"seed":1,"train":{"epochs":10}}`
	runJobs(t, one, []string{idOf(a)}, map[string]string{idOf(a): a})
	runJobs(t, two, []string{idOf(b)}, map[string]string{idOf(b): b})
	all, err := LoadJobs(one, two)
	if err != nil || len(all.Jobs) != 2 || !reflect.DeepEqual(all.Suites, []string{"quick", "quick"}) {
		t.Fatalf("%d jobs, suites %v: %v", len(all.Jobs), all.Suites, err)
	}
	for i, want := range []string{"1", "10"} {
		if got := sweep(&all.Jobs[i].Records[0], "train.epochs"); got != want {
			t.Errorf("job %d is called %s, want %s epochs", i, all.Jobs[i].Records[0].Name(), want)
		}
	}
	alone, err := Load(one)
	if err != nil || sweep(&alone.Records[0], "train.epochs") != "" {
		t.Errorf("alone: %s, %v", alone.Records[0].Name(), err)
	}
}

// One configuration has one name, whatever it was read from and beside, and two never share one
// where each of the results told them apart.
func TestOneNameForASetup(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 4
	}
	for round := range rounds {
		words := make([]uint32, 64)
		rng.Bits(words, rng.Key{uint32(round), 2}, 0)
		draw := func(below uint32) uint32 {
			w := words[0]
			words = words[1:]
			return w % below
		}
		var paths []string
		var files []string
		for range 2 {
			dir, configs := t.TempDir(), map[string]string{}
			shared := testConfig(0, 0, 1, 0) // in both
			plan := []string{idOf(shared)}
			configs[plan[0]] = shared
			for range draw(4) {
				config := testConfig(0, draw(2), draw(3), draw(2))
				if id := idOf(config); configs[id] == "" {
					configs[id] = config
					plan = append(plan, id)
				}
			}
			runJobs(t, dir, plan, configs)
			paths, files = append(paths, dir), append(files, filepath.Join(dir, resultsFile))
		}
		for about, path := range map[string][]string{
			"directories": paths, "a file and a directory": {files[0], paths[1]}, "a directory and a file": {paths[0], files[1]}, "files": files,
		} {
			old, new, err := LoadPair(path[0], path[1])
			if err != nil {
				t.Fatal(err)
			}
			both, err := LoadJobs(path...)
			if err != nil {
				t.Fatal(err)
			}
			for _, j := range both.Jobs {
				both.Records = append(both.Records, j.Records...)
			}
			for how, records := range map[string][]Record{"compared": append(old.Records, new.Records...), "together": both.Records} {
				names := map[string]string{} // by setup
				for i := range records {
					r := &records[i]
					if name, ok := names[r.Origin.Setup]; ok && name != r.Name() {
						t.Errorf("round %d, %s %s: a setup is called %s and %s", round, about, how, name, r.Name())
					}
					names[r.Origin.Setup] = r.Name()
				}
			}
		}
	}
}

func sweep(r *Record, key string) string {
	for _, p := range r.Sweep {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}

// A results file says when its lines are not those that were written. Files put one behind the
// other are read.
func TestResultsAreSealed(t *testing.T) {
	dir := t.TempDir()
	a, b := idOf(`{"seed":0}`), idOf(`{"seed":1}`)
	runJobs(t, dir, []string{a, b}, map[string]string{a: `{"seed":0}`, b: `{"seed":1}`})
	path := filepath.Join(dir, resultsFile)
	text := readAll(t, path)
	for _, change := range [][2]string{{"1.4285714285714286 error", "1.4285714285714284 error"}, {"seed: 1", "seed: 2"}, {"# job " + a, "# job " + b}, {"better=lower", "better=higher"}} {
		changed := strings.Replace(text, change[0], change[1], 1)
		if changed == text {
			t.Fatalf("no %q in\n%s", change[0], text)
		}
		if _, err := Read(strings.NewReader(changed), "x.txt"); err == nil || !strings.Contains(err.Error(), "were changed after they were written") {
			t.Errorf("%q for %q: %v", change[1], change[0], err)
		}
		if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(dir); err == nil {
			t.Errorf("a run directory with %q for %q is read", change[1], change[0])
		}
	}
	set, err := Read(strings.NewReader(text+text), "x.txt")
	if err != nil || len(set.Records) != 4 || set.Records[2].Origin != set.Records[0].Origin || set.Records[0].Origin.Job != a {
		t.Errorf("one behind the other: %d records, %v", len(set.Records), err)
	}
	// The next run writes the file anew from the jobs.
	runJobs(t, dir, []string{a, b}, nil)
	if again := readAll(t, path); again != text {
		t.Errorf("written anew:\n%s\nbefore:\n%s", again, text)
	}
}

// A run directory that lost run.json gets it back from the next run: with the same results, also
// where there are no results files left that say which jobs only serve others.
func TestLostRunFile(t *testing.T) {
	whole, part, other := `{"seed":0,"method":{"name":"ensemble"}}`, `{"seed":0}`, `{"seed":1}`
	configs := map[string]string{idOf(whole): whole, idOf(part): part, idOf(other): other}
	first := Plan{Suite: "quick", Jobs: []string{idOf(part), idOf(whole)}, Parts: []string{idOf(part)}}
	second := Plan{Suite: "quick", Jobs: []string{idOf(other)}}
	for _, c := range []struct {
		lost  []string
		again Plan
	}{
		{[]string{runFile}, first},
		{[]string{runFile}, second},
		{[]string{runFile, resultsFile}, first},
		{[]string{runFile, resultsFile}, second},
		{[]string{runFile, resultsFile, timingsFile}, first},
	} {
		dir := t.TempDir()
		runPlan(t, dir, first, configs)
		runPlan(t, dir, second, configs)
		before := readAll(t, filepath.Join(dir, resultsFile))
		for _, name := range c.lost {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "run its suite again") {
			t.Errorf("without %q: %v", c.lost, err)
		}
		runPlan(t, dir, c.again, configs)
		if after := readAll(t, filepath.Join(dir, resultsFile)); after != before {
			t.Errorf("without %q there was\n%s\nand is\n%s", c.lost, before, after)
		}
	}
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is no run directory") {
		t.Error(err)
	}
}

// Jobs that were copied from another run directory are told of, and taken in by a plan that has
// them.
func TestUnlisted(t *testing.T) {
	a, b := `{"seed":0}`, `{"seed":1}`
	configs := map[string]string{idOf(a): a, idOf(b): b}
	dir, from := t.TempDir(), t.TempDir()
	runJobs(t, dir, []string{idOf(a)}, configs)
	runJobs(t, from, []string{idOf(b)}, configs)
	if err := os.CopyFS(filepath.Join(dir, jobsDir, idOf(b)), os.DirFS(filepath.Join(from, jobsDir, idOf(b)))); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, jobsDir, "begun"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := Unlisted(dir); err != nil || !reflect.DeepEqual(got, []string{idOf(b)}) {
		t.Errorf("%q, %v", got, err)
	}
	runJobs(t, dir, []string{idOf(b)}, nil) // it has no configuration to run the job with
	if got, err := Unlisted(dir); err != nil || len(got) > 0 {
		t.Errorf("%q, %v", got, err)
	}
	if set, err := Load(dir); err != nil || len(set.Records) != 4 {
		t.Errorf("%d records, %v", len(set.Records), err)
	}
	for _, path := range []string{filepath.Join(dir, resultsFile), t.TempDir(), filepath.Join(dir, "none")} {
		if got, err := Unlisted(path); err != nil || len(got) > 0 {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
}

// Results whose jobs are gone are never cut short.
func TestKeptResults(t *testing.T) {
	a, b, c3 := idOf(`{"seed":0}`), idOf(`{"seed":1}`), idOf(`{"seed":2}`)
	configs := map[string]string{a: `{"seed":0}`, b: `{"seed":1}`, c3: `{"seed":2}`}
	for _, c := range []struct {
		about  string
		remove []string // from the run directory
		legacy bool     // results.txt of a version that did not say whose lines are whose
		kept   bool
	}{
		{"all jobs", []string{jobsDir}, false, true},
		{"all jobs and run.json", []string{jobsDir, runFile}, false, true},
		{"all jobs, of an earlier version", []string{jobsDir}, true, true},
		{"one job", []string{jobsDir + "/" + b}, false, true},
		{"one job, of an earlier version", []string{jobsDir + "/" + b}, true, true},
		{"all jobs and results.txt", []string{jobsDir, resultsFile}, false, true},
		{"all files of the jobs", []string{jobsDir + "/" + a + "/*", jobsDir + "/" + b + "/*"}, false, true},
		{"what one job measured", []string{jobsDir + "/" + b + "/" + manifestFile, jobsDir + "/" + b + "/" + recordsFile}, false, true},
		{"run.json", []string{runFile}, false, false},
		{"run.json, of an earlier version", []string{runFile}, true, false},
		{"one manifest, so that the job runs again", []string{jobsDir + "/" + b + "/" + manifestFile}, false, false},
		{"results.txt", []string{resultsFile}, false, false},
	} {
		dir := t.TempDir()
		runJobs(t, dir, []string{a, b}, configs)
		path := filepath.Join(dir, resultsFile)
		if c.legacy {
			var lines []string
			for line := range strings.SplitSeq(readAll(t, path), "\n") {
				if !strings.HasPrefix(line, "# ") {
					lines = append(lines, line)
				}
			}
			if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range c.remove {
			matches, err := filepath.Glob(filepath.Join(dir, name))
			if err != nil || len(matches) == 0 {
				t.Fatalf("%s: %v", name, err)
			}
			for _, path := range matches {
				if err := os.RemoveAll(path); err != nil {
					t.Fatal(err)
				}
			}
		}
		before, _ := os.ReadFile(path)
		timings := readAll(t, filepath.Join(dir, timingsFile))
		run, err := Open(context.Background(), dir, Plan{Suite: "quick", Jobs: []string{c3}}, Alone, nil)
		if err == nil {
			run.Close()
		}
		if _, kept := err.(*KeptError); kept != c.kept || !c.kept && err != nil {
			t.Errorf("without %s: %v, want kept %v", c.about, err, c.kept)
			continue
		}
		if c.kept {
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Errorf("without %s: results.txt is now\n%s", c.about, after)
			}
			if after := readAll(t, filepath.Join(dir, timingsFile)); after != timings {
				t.Errorf("without %s: timings.txt is now\n%s", c.about, after)
			}
			if _, err := os.Stat(filepath.Join(dir, runFile)); err == nil {
				want := 4
				if len(before) == 0 {
					want = 2
				}
				if set, err := Load(dir); err != nil || len(set.Records) != want {
					t.Errorf("without %s: %d records can be read, %v", c.about, len(set.Records), err)
				}
			}
			continue
		}
		runJobs(t, dir, []string{c3}, configs)
		want := 3
		if strings.Contains(c.about, "manifest") {
			want = 2
		}
		if set, err := ReadFile(path); err != nil || len(set.Records) != want {
			t.Errorf("without %s: %d records after another job, want %d (%v)", c.about, len(set.Records), want, err)
		}
	}
}
