package slurm

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/results"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The text that sbatch gets, with every option set and paths that need quoting.
func TestScript(t *testing.T) {
	s := script{
		name: "quick-1", logs: "/shared/50% off/it's/quick/slurm/1", program: "/shared/bin/benchrun",
		args: []string{"-out", "/shared/50% off/it's", "-set", "method.rate=[0.1, 0.5]"}, suite: "/shared/suite.toml",
		ids: []string{"32d9b1356709", "b948475386eb", "0e8aa1185338"},
		Options: Options{
			Partition: "short", Gres: "gpu:1", Time: "4:00:00", Mem: "8G", CPUs: 4, Parallel: 2,
			Sbatch: []string{"--account=lab", "--qos=low"},
		},
	}
	golden := filepath.Join("testdata", "array.sh")
	if *update {
		if err := os.WriteFile(golden, []byte(s.text()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.text(); got != string(want) {
		t.Errorf("the script is\n%s\nwant\n%s", got, want)
	}
}

// The forms are those that sbatch's manual lists under --time.
func TestLimit(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30": 30 * time.Minute, "30:15": 30*time.Minute + 15*time.Second, "2:00:00": 2 * time.Hour,
		"1-12": 36 * time.Hour, "1-12:30": 36*time.Hour + 30*time.Minute, "0-0:0:20": 20 * time.Second,
	} {
		if got, err := parseLimit(text); err != nil || got != want {
			t.Errorf("%s is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"2h", "1:2:3:4", "-1", "1-", "", "1-2:3:4:5"} {
		if got, err := parseLimit(text); err == nil {
			t.Errorf("%q is %v, want an error", text, got)
		}
	}
	for text, want := range map[string]time.Duration{"": 2 * time.Minute, "1": 15 * time.Second, "1-0": 2 * time.Minute} {
		if got := (&Options{Time: text}).grace(); got != want {
			t.Errorf("the grace of %q is %v, want %v", text, got, want)
		}
	}
}

func TestOptionsRefuse(t *testing.T) {
	for _, c := range []struct {
		want string
		o    Options
	}{
		{"-partition", Options{Partition: "a b"}},
		{"-gres", Options{Gres: "gpu:1\n#SBATCH --exclusive"}},
		{"-time 2h", Options{Time: "2h"}},
		{"-cpus -1", Options{CPUs: -1}},
		{"-max-parallel -2", Options{Parallel: -2}},
		{"-sbatch", Options{Sbatch: []string{"account=x"}}},
		{"-sbatch", Options{Sbatch: []string{"--a=x\nrm"}}},
	} {
		if err := c.o.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.o, err, c.want)
		}
	}
}

// squeue.txt is what Slurm 22.05 printed while arrays ran, waited for a
// dependency and were cancelled, and a job of no array beside them.
func TestParseQueue(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "squeue.txt"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseQueue(string(text))
	if err != nil {
		t.Fatal(err)
	}
	want := map[task]entry{
		{"20", 1}: {"CANCELLED", "", "n1"}, {"20", 2}: {"RUNNING", "", "n2"}, {"20", 3}: {"RUNNING", "", "n1"},
		{"21", 1}: {"PENDING", "Dependency", ""}, {"18", 1}: {"COMPLETED", "", "n1"}, {"18", 2}: {"FAILED", "NonZeroExitCode", "n2"},
	}
	for k, e := range want {
		if got[k] != e {
			t.Errorf("%v is %+v, want %+v", k, got[k], e)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d tasks, want %d: %v", len(got), len(want), got)
	}
	if _, err := parseQueue("slurm_load_jobs error"); err == nil {
		t.Error("no error for a line that is none of squeue's")
	}
}

// The lines are of the form that sacct's manual gives for --parsable2.
func TestParseAccounts(t *testing.T) {
	got := parseAccounts("20_1|CANCELLED by 1000|0:15|n1\n20_2|NODE_FAIL|0:0|n2\n20_3|OUT_OF_MEMORY|0:125|n2\n20_4|FAILED|2:0|n1\n20_[5-9]|CANCELLED by 1000|0:0|None assigned\n17|COMPLETED|0:0|n1\n")
	want := map[task]entry{
		{"20", 1}: {"CANCELLED", "signal 15", "n1"}, {"20", 2}: {"NODE_FAIL", "", "n2"},
		{"20", 3}: {"OUT_OF_MEMORY", "signal 125", "n2"}, {"20", 4}: {"FAILED", "exit code 2", "n1"},
	}
	for k, e := range want {
		if got[k] != e {
			t.Errorf("%v is %+v, want %+v", k, got[k], e)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d tasks, want %d: %v", len(got), len(want), got)
	}
}

// cluster puts a squeue, an sbatch and an scancel on the PATH. What squeue
// prints is the file queue, what the others were called with the file calls.
func cluster(t *testing.T) (queue, calls string) {
	t.Helper()
	dir := t.TempDir()
	queue, calls = filepath.Join(dir, "queue"), filepath.Join(dir, "calls")
	for name, text := range map[string]string{
		"squeue":  "cat " + queue,
		"sbatch":  "echo sbatch \"$@\" >>" + calls + "\n[ ! -e " + dir + "/refuse ] || { echo 'sbatch: error: invalid partition' >&2; exit 1; }\necho $((100 + $(grep -c ^sbatch " + calls + ")))';ci'",
		"scancel": "echo scancel \"$@\" >>" + calls,
		"sacct":   "echo 'Slurm accounting storage is disabled' >&2; exit 1",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(queue, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return queue, calls
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func read(t *testing.T, dir string) *Campaign {
	t.Helper()
	c, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// An ensemble of two members, one job beside it, and a student of the ensemble.
var jobs = []Job{
	{ID: "a", Title: "a", FLOPs: 100, TrainFLOPs: 80},
	{ID: "m1", Title: "m1", FLOPs: 100, TrainFLOPs: 80},
	{ID: "m2", Title: "m2", FLOPs: 100, TrainFLOPs: 80},
	{ID: "e", Title: "e", FLOPs: 50, Needs: []string{"m1", "m2"}},
	{ID: "s", Title: "s", FLOPs: 200, TrainFLOPs: 200, Needs: []string{"e"}},
}

// finish ends a job of the run directory as done or failed.
func finish(t *testing.T, dir, id string, failure string) {
	t.Helper()
	ctx := context.Background()
	run, err := results.Open(ctx, dir, results.Plan{Suite: "x", Text: []byte("x"), Jobs: []string{"a", "m1", "m2", "e", "s"}}, results.Worker, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	j, err := run.Claim(id)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Release()
	if failure != "" {
		err = j.Fail(results.Manifest{}, results.Failure{Phase: "train", Step: 7, Cause: failure})
	} else {
		err = j.Finish(results.Manifest{Seconds: map[string]float64{"train": 8, "predict": 2}}, results.Set{Units: results.Units{}}, results.Details{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func submit(t *testing.T, p *Plan, err error) *Plan {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Submit(context.Background()); err != nil {
		t.Fatal(err)
	}
	return p
}

func first(t *testing.T, dir string) *Plan {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := read(t, dir).New(context.Background(), jobs, []byte("name = \"x\"\n"), []string{"-out", filepath.Dir(dir)}, program, Options{Partition: "short", Mem: "1G"})
	return submit(t, p, err)
}

func states(t *testing.T, dir string) string {
	t.Helper()
	s, err := read(t, dir).Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, j := range s.Jobs {
		all = append(all, j.ID+" "+string(j.State))
	}
	return strings.Join(all, ", ")
}

func (s *Status) of(id string) JobStatus {
	i := slices.IndexFunc(s.Jobs, func(j JobStatus) bool { return j.ID == id })
	if i < 0 {
		return JobStatus{}
	}
	return s.Jobs[i]
}

func TestSubmitFollowResubmit(t *testing.T) {
	queue, calls := cluster(t)
	dir := filepath.Join(t.TempDir(), "x")
	ctx := context.Background()
	p := first(t, dir)
	at := func(n string) string { return filepath.Join(dir, "slurm", n) }
	want := "sbatch --parsable " + at("1/array-1.sh") + "\nsbatch --parsable --dependency=afterany:101 " + at("1/array-2.sh") +
		"\nsbatch --parsable --dependency=afterany:102 " + at("1/array-3.sh") + "\n"
	if got := get(t, calls); got != want {
		t.Errorf("called\n%s\nwant\n%s", got, want)
	}
	if got := p.Submission.Arrays; len(got) != 3 || got[0].Slurm != "101" || !slices.Equal(got[0].Jobs, []string{"a", "m1", "m2"}) || !slices.Equal(got[2].Jobs, []string{"s"}) {
		t.Errorf("arrays %+v", got)
	}
	if text := get(t, at("1/array-1.sh")); !strings.Contains(text, "--partition=short") || !strings.Contains(text, at("1/suite.toml")) {
		t.Error(text)
	}

	put(t, queue, "101|1|RUNNING|None|n1\n101|2|PENDING|Resources|\n101|3|PENDING|Resources|\n102|1|PENDING|Dependency|\n103|1|PENDING|Dependency|\n")
	if got := states(t, dir); got != "a running, m1 pending, m2 pending, e pending, s pending" {
		t.Error(got)
	}
	// a ends well, m1 fails by itself, m2's node dies; e and s still wait.
	finish(t, dir, "a", "")
	finish(t, dir, "m1", "loss is NaN")
	put(t, queue, "101|3|NODE_FAIL|None|n2\n102|1|PENDING|Dependency|\n103|1|PENDING|Dependency|\n")
	if got := states(t, dir); got != "a done, m1 failed, m2 lost, e pending, s pending" {
		t.Error(got)
	}
	s, err := read(t, dir).Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if j := s.of("m1"); j.Reason != "train, step 7: loss is NaN" {
		t.Errorf("m1: %+v", j)
	}
	if j := s.of("m2"); j.Reason != "NODE_FAIL" || j.Node != "n2" || j.Slurm != "101_3" {
		t.Errorf("m2: %+v", j)
	}

	// The log says more than Slurm, whose words these are.
	for log, want := range map[string]string{
		"[1/1] train\nslurmstepd-n2: error: *** JOB 14 ON n2 CANCELLED AT 2026-11-28T14:34:50 ***\nslurmstepd-n2: error: Exceeded job memory limit\n": "NODE_FAIL: Exceeded job memory limit",
		"[1/1] train\nbenchrun: e needs m1, which is not done\n": "NODE_FAIL: e needs m1, which is not done",
		"[1/1] train\n": "NODE_FAIL",
		"":              "NODE_FAIL",
	} {
		put(t, at("1/101_3.log"), log)
		if s, err = read(t, dir).Status(ctx); err != nil || s.of("m2").Reason != want {
			t.Errorf("m2, whose log is %q: %q, %v; want %q", log, s.of("m2").Reason, err, want)
		}
	}

	// The plain command has nothing to do; -resubmit takes m1 and m2, and puts
	// e and s behind them.
	again, err := read(t, dir).New(ctx, jobs, nil, nil, os.Args[0], Options{})
	if err != nil || len(again.Batches) != 0 {
		t.Errorf("a second New has %d batches, %v", len(again.Batches), err)
	}
	put(t, calls, "sbatch 1\nsbatch 2\nsbatch 3\n")
	p, err = read(t, dir).Missing(ctx, os.Args[0], Options{Mem: "2G"})
	submit(t, p, err)
	want = "sbatch 1\nsbatch 2\nsbatch 3\nscancel 102_1 103_1\nsbatch --parsable " + at("2/array-1.sh") + "\nsbatch --parsable --dependency=afterany:104 " + at("2/array-2.sh") +
		"\nsbatch --parsable --dependency=afterany:105 " + at("2/array-3.sh") + "\n"
	if got := get(t, calls); got != want {
		t.Errorf("called\n%s\nwant\n%s", got, want)
	}
	if got := p.Submission.Arrays; !slices.Equal(got[0].Jobs, []string{"m1", "m2"}) {
		t.Errorf("arrays %+v", got)
	}
	// The options of before hold, but for those that are given; suite and
	// arguments are those of the submission that named the jobs.
	if text := get(t, at("2/array-1.sh")); !strings.Contains(text, "--partition=short") || !strings.Contains(text, "--mem=2G") ||
		!strings.Contains(text, "-out "+filepath.Dir(dir)+` "$id" `+at("1/suite.toml")) {
		t.Error(text)
	}

	// What is at work or waits is left alone: only s is missing now, and it
	// goes behind e, which is on its way.
	put(t, queue, "104|1|RUNNING|None|n1\n104|2|COMPLETING|None|n2\n105|1|PENDING|Dependency|\n106|1|CANCELLED|None|\n102|1|CANCELLED|None|\n103|1|CANCELLED|None|\n")
	if got := states(t, dir); got != "a done, m1 running, m2 running, e pending, s lost" {
		t.Error(got)
	}
	p, err = read(t, dir).Missing(ctx, os.Args[0], Options{})
	if err != nil || len(p.Batches) != 1 || !slices.Equal(p.Batches[0].command(nil), []string{"sbatch", "--parsable", "--dependency=afterany:105", at("3/array-1.sh")}) || len(p.Move) != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

// What sbatch refused was not submitted: the plain command takes it again.
func TestSbatchRefuses(t *testing.T) {
	_, calls := cluster(t)
	dir := filepath.Join(t.TempDir(), "x")
	refuse := filepath.Join(filepath.Dir(calls), "refuse")
	put(t, refuse, "")
	ctx := context.Background()
	p, err := read(t, dir).New(ctx, jobs, []byte("x"), nil, os.Args[0], Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Submit(ctx); err == nil || err.Error() != "sbatch: error: invalid partition" {
		t.Errorf("error %v", err)
	}
	if err := os.Remove(refuse); err != nil {
		t.Fatal(err)
	}
	if p, err = read(t, dir).New(ctx, jobs, []byte("x"), nil, os.Args[0], Options{}); err != nil || len(p.Batches) != 3 || p.Submission.Number != 2 {
		t.Errorf("%+v, %v", p, err)
	}
	if text := p.Batches[0].Script; !strings.Contains(text, filepath.Join(dir, "slurm", "2", "suite.toml")) {
		t.Error(text)
	}
}

// Arrays have at most a thousand tasks, and what needs several waits for all.
func TestLargeLevels(t *testing.T) {
	many := make([]Job, 2500)
	for i := range many {
		many[i].ID = fmt.Sprintf("%0*x", 12, i)
	}
	many = append(many, Job{ID: "last", Needs: []string{many[0].ID, many[2400].ID}})
	dir := filepath.Join(t.TempDir(), "x")
	p, err := (&Campaign{Dir: dir}).New(context.Background(), many, nil, nil, os.Args[0], Options{Parallel: 5})
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, b := range p.Batches {
		sizes = append(sizes, len(b.Jobs))
	}
	if !slices.Equal(sizes, []int{1000, 1000, 500, 1}) {
		t.Errorf("arrays of %d jobs", sizes)
	}
	if got := p.Batches[3].command([]string{"7", "8", "9"}); got[2] != "--dependency=afterany:7:9" {
		t.Errorf("%q", got)
	}
	if !strings.Contains(p.Batches[0].Script, "#SBATCH --array=1-1000%5\n") {
		t.Error("no --array=1-1000%5")
	}
}

// Without squeue, records and locks tell done, failed and running; the rest may
// be waiting.
func TestStatusWithoutSlurm(t *testing.T) {
	cluster(t)
	dir := filepath.Join(t.TempDir(), "x")
	first(t, dir)
	t.Setenv("PATH", t.TempDir())
	finish(t, dir, "a", "")
	finish(t, dir, "m1", "loss is NaN")
	run, err := results.Join(context.Background(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	j, err := run.Claim("m2")
	if err != nil {
		t.Fatal(err)
	}
	tell := Tell(dir, "m2", silent{})
	tell.Train(nil, 50, 100, 1)
	s, err := read(t, dir).Status(context.Background())
	if err != nil || !s.NoSlurm {
		t.Fatalf("%+v, %v", s, err)
	}
	if got := states(t, dir); got != "a done, m1 failed, m2 running, e pending, s pending" {
		t.Error(got)
	}
	// Half of m2's training is 40 of its 100 operations; a did 100 in 10 s. So
	// 60 + 50 + 200 of them are left, one after the other, at 10 a second.
	if p := s.of("m2").Progress; p != 0.4 {
		t.Errorf("progress %v, want 0.4", p)
	}
	if s.ETA != 31 {
		t.Errorf("ETA %v s, want 31", s.ETA)
	}
	j.Release()
	if got := states(t, dir); got != "a done, m1 failed, m2 pending, e pending, s pending" {
		t.Error(got)
	}
	if _, err := read(t, dir).Missing(context.Background(), os.Args[0], Options{}); err == nil {
		t.Error("resubmission without a Slurm to ask")
	}
}

type silent struct{}

func (silent) Begin(*bench.Job, int, int)           {}
func (silent) Train(*bench.Job, int, int, float64)  {}
func (silent) Predict(*bench.Job, string, int, int) {}
func (silent) Note(*bench.Job, string)              {}
func (silent) End(*bench.Job, bench.Outcome)        {}

// A job that is ended again and again without training further stops asking for
// another attempt; one that gets on never does.
func TestEndedEarly(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "jobs", "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	attempt := func(step int) bool {
		tell := Tell(dir, "a", silent{})
		if step > 0 {
			tell.Train(nil, step, 100, 1)
		}
		return tell.EndedEarly()
	}
	var got []bool
	for _, step := range []int{10, 20, 0, 20, 30, 0, 30, 0, 0, 0} {
		got = append(got, attempt(step))
	}
	want := []bool{true, true, true, true, true, true, true, false, true, true}
	if !slices.Equal(got, want) {
		t.Errorf("another attempt: %v, want %v", got, want)
	}
}

func TestOneSubmissionAtATime(t *testing.T) {
	dir := t.TempDir()
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir); err == nil || !strings.Contains(err.Error(), "another benchrun slurm") {
		t.Errorf("second lock: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if unlock, err = Lock(dir); err != nil {
		t.Fatal(err)
	}
	unlock()
}
