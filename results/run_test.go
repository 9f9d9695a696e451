package results

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func openRun(t *testing.T, dir string, jobs ...string) *Run {
	t.Helper()
	run, err := Open(context.Background(), dir, Plan{Suite: "quick", Text: []byte("# suite\n"), Jobs: jobs}, Alone, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { run.Close() })
	return run
}

func finish(t *testing.T, run *Run, id string, speed float64) {
	t.Helper()
	job, err := run.Claim(id)
	if err != nil {
		t.Fatal(err)
	}
	defer job.Release()
	r := testRecord("method-"+id, "0", float64(len(id))/7)
	r.Values = append(r.Values, Value{"train-samples/s", speed})
	err = job.Finish(Manifest{Machine: Machine{Threads: 2}}, Set{Units: testUnits, Records: []Record{r}},
		Details{Layers: []Layer{{"fc1", 10, 3}}})
	if err != nil {
		t.Fatal(err)
	}
}

func readAll(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The metric lines depend neither on the order of finishing nor on speed nor on an interruption.
func TestResultsIndependentOfOrder(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	run := openRun(t, one, "a", "bb", "ccc")
	for _, id := range []string{"a", "bb", "ccc"} {
		finish(t, run, id, 1000)
	}
	run = openRun(t, two, "a", "bb", "ccc")
	finish(t, run, "ccc", 900)
	run.Close()
	run = openRun(t, two, "bb") // a narrower plan loses nothing
	finish(t, run, "bb", 800)
	run.Close()
	run = openRun(t, two, "a", "bb", "ccc")
	finish(t, run, "a", 700)

	metrics := readAll(t, filepath.Join(one, resultsFile))
	if other := readAll(t, filepath.Join(two, resultsFile)); metrics != other {
		t.Errorf("%s\nand\n%s", metrics, other)
	}
	if strings.Contains(metrics, "samples/s") || strings.Count(metrics, "Benchmark") != 3 {
		t.Errorf("metrics:\n%s", metrics)
	}
	timings := readAll(t, filepath.Join(two, timingsFile))
	if strings.Count(timings, "train-samples/s") != 4 || strings.Contains(timings, "nll") || !strings.Contains(timings, "threads: 2") {
		t.Errorf("timings:\n%s", timings)
	}
	set, err := Load(two)
	if err != nil || len(set.Records) != 6 {
		t.Errorf("%d records, %v", len(set.Records), err)
	}
	jobs, err := ReadJobs(two)
	if err != nil || len(jobs) != 3 || jobs[1].ID != "bb" || jobs[0].Details.Layers[0].NonZero != 3 || len(jobs[2].Records) != 2 {
		t.Errorf("%+v, %v", jobs, err)
	}
	if done, err := run.Done("a"); !done || err != nil {
		t.Error(done, err)
	}
}

// What only serves other jobs is stored and stays out of the results, until a plan wants it for
// itself.
func TestParts(t *testing.T) {
	dir := t.TempDir()
	open := func(plan Plan) *Run {
		t.Helper()
		plan.Suite = "quick"
		run, err := Open(context.Background(), dir, plan, Alone, nil)
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	count := func(want int) {
		t.Helper()
		jobs, err := ReadJobs(dir)
		if n := strings.Count(readAll(t, filepath.Join(dir, resultsFile)), "Benchmark"); n != want || len(jobs) != want || err != nil {
			t.Errorf("%d lines, %d jobs, want %d: %v", n, len(jobs), want, err)
		}
	}
	run := open(Plan{Jobs: []string{"member", "ensemble"}, Parts: []string{"member"}})
	finish(t, run, "member", 1)
	finish(t, run, "ensemble", 1)
	run.Close()
	count(1)
	if done, _ := run.Done("member"); !done {
		t.Error("the part is not stored")
	}
	open(Plan{Jobs: []string{"member"}}).Close()
	count(2)
	open(Plan{Jobs: []string{"member", "ensemble"}, Parts: []string{"member"}}).Close()
	count(2)
}

func TestFailedJob(t *testing.T) {
	run := openRun(t, t.TempDir(), "a", "b")
	finish(t, run, "a", 1)
	job, err := run.Claim("b")
	if err != nil {
		t.Fatal(err)
	}
	if err := job.Fail(Manifest{}, Failure{Phase: "train", Step: 17, Cause: "loss is NaN"}); err != nil {
		t.Fatal(err)
	}
	m, err := run.Manifest("b")
	if err != nil || m.Status != Failed || m.Failure.Step != 17 {
		t.Errorf("%+v, %v", m, err)
	}
	if done, err := run.Done("b"); done || err != nil {
		t.Error(done, err)
	}
	if text := readAll(t, run.ResultsFile()); strings.Count(text, "Benchmark") != 1 {
		t.Error(text)
	}
	job.Release()
	finish(t, run, "b", 1)
	if done, err := run.Done("b"); !done || err != nil {
		t.Error(done, err)
	}
}

func TestDamagedRecords(t *testing.T) {
	dir := t.TempDir()
	run := openRun(t, dir, "a")
	finish(t, run, "a", 1)
	run.Close()
	path := filepath.Join(dir, jobsDir, "a", recordsFile)
	os.WriteFile(path, []byte(strings.Replace(readAll(t, path), "0.14", "0.24", 1)), 0o644)
	_, err := Open(context.Background(), dir, Plan{Suite: "quick", Jobs: []string{"a"}}, Alone, nil)
	if err == nil || !strings.Contains(err.Error(), path+" is damaged") {
		t.Errorf("error %v, want the damaged file named", err)
	}
}

func TestOtherSuite(t *testing.T) {
	dir := t.TempDir()
	openRun(t, dir, "a").Close()
	_, err := Open(context.Background(), dir, Plan{Suite: "mnist"}, Alone, nil)
	if err == nil || !strings.Contains(err.Error(), `holds the results of suite "quick", not "mnist"`) {
		t.Error(err)
	}
}

// A write that fails at any point leaves what was there and nothing else, and names the path.
func TestWriteFileFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	os.WriteFile(path, []byte("before"), 0o644)
	err := WriteFile(path, func(w io.Writer) error {
		w.Write(bytes.Repeat([]byte("x"), 1<<17))
		return syscall.ENOSPC
	})
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want the cause and the path", err)
	}
	if readAll(t, path) != "before" {
		t.Error("the file changed")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	// A directory that cannot be made, for root too.
	if _, err := Open(context.Background(), filepath.Join(path, "run"), Plan{}, Alone, nil); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want the path", err)
	}
}

func TestCurve(t *testing.T) {
	run := openRun(t, t.TempDir(), "a")
	job, err := run.Claim("a")
	if err != nil {
		t.Fatal(err)
	}
	c := Curve{Columns: []string{"step", "loss", "kl"}}
	c.Append(10, 0.1, 1e-17)
	c.Append(20, 1.0/3, math.NaN())
	c.Append(30, 7, 8)
	if err := job.SaveCurve(c); err != nil {
		t.Fatal(err)
	}
	got, err := job.Curve()
	if err != nil {
		t.Fatal(err)
	}
	got.Truncate(20)
	if len(got.Rows) != 2 || fmt.Sprint(got.Rows) != fmt.Sprint(c.Rows[:2]) || got.Column("loss")[1] != 1.0/3 || got.Column("no") != nil {
		t.Errorf("%+v", got)
	}
}

// The tests below need a second process: this binary again, with a task in the environment.
func TestMain(m *testing.M) {
	switch task := os.Getenv("RESULTS_TASK"); task {
	case "":
		os.Exit(m.Run())
	default:
		if err := childTask(task, os.Getenv("RESULTS_DIR")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func childTask(task, dir string) error {
	run, err := Open(context.Background(), dir, Plan{Suite: "quick", Text: []byte("# suite\n"), Jobs: []string{"a"}}, Alone, nil)
	if err != nil {
		return err
	}
	job, err := run.Claim("a")
	if err != nil {
		return err
	}
	fmt.Println("ready")
	if task == "hold" {
		time.Sleep(time.Hour)
	}
	for step := 0; ; step++ { // "save": until killed
		big := make([]float32, 1<<15)
		big[0] = float32(step)
		c := &Checkpoint{Meta: map[string]string{"step": fmt.Sprint(step)}, Tensors: []Tensor{{Name: "w", Shape: []int{1 << 15}, F32: big}}}
		if err := job.SaveCheckpoint(c); err != nil {
			return err
		}
		fmt.Println("saved")
	}
}

// startChild starts this program as a child that has claimed the job, and returns what it says
// after that.
func startChild(t *testing.T, task, dir string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RESULTS_TASK="+task, "RESULTS_DIR="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(out)
	if line, err := said.ReadString('\n'); line != "ready\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}
	return cmd, said
}

func TestSecondProcess(t *testing.T) {
	dir := t.TempDir()
	began := time.Now()
	child, _ := startChild(t, "hold", dir)
	plan := Plan{Suite: "quick", Text: []byte("# suite\n"), Jobs: []string{"a"}}

	for _, mode := range []Mode{Alone, Worker} {
		_, err := Open(context.Background(), dir, plan, mode, nil)
		var locked *LockedError
		if !errors.As(err, &locked) || locked.Holder.PID != child.Process.Pid || locked.Path != dir || locked.Holder.Host == "" {
			t.Fatalf("error %v, want it held by process %d", err, child.Process.Pid)
		}
		if since := locked.Holder.Since; since.Before(began.Truncate(time.Second)) || since.After(time.Now()) {
			t.Errorf("held since %v, by a process that was started at %v", since, began)
		}
	}

	// A waiting process is told once, and goes on as soon as the other is gone, killed or not.
	told := 0
	run, err := Open(context.Background(), dir, plan, Alone, func(e *LockedError) {
		told++
		child.Process.Kill()
		child.Wait()
	})
	if err != nil || told != 1 {
		t.Fatalf("%v, told %d times", err, told)
	}
	run.Close()
}

func TestWorkersShareARun(t *testing.T) {
	dir := t.TempDir()
	plan := Plan{Suite: "quick", Jobs: []string{"a", "b"}}
	open := func() *Run {
		t.Helper()
		run, err := Open(context.Background(), dir, plan, Worker, nil)
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	one, two := open(), open()
	defer one.Close()
	defer two.Close()
	if _, err := Open(context.Background(), dir, plan, Alone, nil); err == nil {
		t.Error("opened alone beside two workers")
	}
	job, err := one.Claim("a")
	if err != nil {
		t.Fatal(err)
	}
	var locked *LockedError
	if _, err := two.Claim("a"); !errors.As(err, &locked) || locked.Path != job.Dir {
		t.Errorf("error %v, want the job in use", err)
	}
	job.Release()
	finish(t, two, "b", 1)
	finish(t, one, "a", 1)
	if text := readAll(t, two.ResultsFile()); strings.Count(text, "Benchmark") != 2 {
		t.Error(text)
	}
}

// A worker joins a directory under the plan it has, waits for a job that another runs, and can ask
// who does.
func TestJoin(t *testing.T) {
	dir := t.TempDir()
	if _, err := Join(context.Background(), dir, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("join of no run directory: %v", err)
	}
	openRun(t, dir, "a", "b").Close()
	before := readAll(t, filepath.Join(dir, runFile))
	one, err := Join(context.Background(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	two, err := Join(context.Background(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	if readAll(t, filepath.Join(dir, runFile)) != before || !Planned(dir, "b") || Planned(dir, "c") {
		t.Error("joining changed the plan")
	}
	if _, working, err := Working(dir, "a"); working || err != nil {
		t.Errorf("nobody works on a: %v, %v", working, err)
	}
	job, err := one.Claim("a")
	if err != nil {
		t.Fatal(err)
	}
	if h, working, err := Working(dir, "a"); !working || err != nil || h.PID != os.Getpid() {
		t.Errorf("a is at work: %v, %+v, %v", working, h, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	told := 0
	if _, err := two.ClaimWhenFree(ctx, "a", func(*LockedError) { told++; cancel() }); !errors.Is(err, context.Canceled) || told != 1 {
		t.Errorf("claim of a job at work: %v, told %d times", err, told)
	}
	again, err := two.ClaimWhenFree(context.Background(), "a", func(*LockedError) { job.Release() })
	if err != nil {
		t.Fatal(err)
	}
	again.Release()
}

// Killed at any moment while saving, a job has a whole checkpoint, and nothing of the kill stays
// behind.
func TestKilledWhileSaving(t *testing.T) {
	dir := t.TempDir()
	for round := range 8 {
		child, said := startChild(t, "save", dir)
		for range 1 + round { // saves, and then some moment of the next
			if line, err := said.ReadString('\n'); line != "saved\n" {
				t.Fatalf("the child said %q, %v", line, err)
			}
		}
		time.Sleep(time.Duration(round) * 300 * time.Microsecond)
		child.Process.Kill()
		child.Wait()
		run := openRun(t, dir, "a")
		job, err := run.Claim("a")
		if err != nil {
			t.Fatal(err)
		}
		c, lost, err := job.LoadCheckpoint(1<<24, func(*Checkpoint) error { return nil })
		if c == nil || err != nil || lost != nil {
			t.Fatalf("round %d: %v, %v", round, err, lost)
		}
		if step := c.Tensors[0].F32[0]; fmt.Sprint(step) != c.Meta["step"] || step < float32(round) {
			t.Errorf("step %s holds %v, after the child had saved step %d", c.Meta["step"], step, round)
		}
		if stale, _ := filepath.Glob(filepath.Join(job.Dir, "."+checkpointFile+"*")); len(stale) > 0 {
			t.Errorf("left behind: %v", stale)
		}
		job.Release()
		run.Close()
	}
}
