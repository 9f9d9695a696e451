package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bayesbench/backends/rng"
	"bayesbench/results"
)

const blobs = `name = "blobs"
model = "lenet-300-100"
seed = [0, 1]
[data]
name = "blobs"
train = 400
test = 200
[train]
epochs = 6
batch = 50
[eval]
samples = 4
batch = 100
[[method]]
name = "deterministic"
[[method]]
name = "ffg"
[[method]]
name = "sparse-vd"
warmup_start = 1
warmup_end = 3
[[method]]
name = "ensemble"
members = 2
[method.of]
name = "dropout"
`

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// benchrun runs the command in this process.
func benchrun(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	err := run(context.Background(), &out, &errs, args)
	code = exitCode(&errs, err)
	return code, out.String(), errs.String()
}

func TestRunTwice(t *testing.T) {
	dir := t.TempDir()
	suite := write(t, dir, "blobs.toml", blobs)
	code, table, log := benchrun(t, "-out", dir, suite)
	if code != 0 || !strings.Contains(log, "12 jobs done now, 0 before") || !strings.Contains(table, "sparse-vd") {
		t.Fatalf("first run: exit %d\n%s\n%s", code, log, table)
	}
	events := filepath.Join(dir, "events")
	code, again, log := benchrun(t, "-out", dir, "-tensorboard", events, suite)
	if code != 0 || !strings.Contains(log, "0 jobs done now, 12 before") {
		t.Fatalf("second run: exit %d\n%s", code, log)
	}
	if files, err := filepath.Glob(filepath.Join(events, "blobs", "lenet-300-100", "*", "gonum", "seed=*", "events.out.tfevents.*")); err != nil || len(files) != 8 {
		t.Errorf("%d event files, want 8 (%v)", len(files), err)
	}
	if again != table {
		t.Errorf("the second table differs:\n%s\nthe first:\n%s", again, table)
	}
}

func TestPlanAndList(t *testing.T) {
	dir := t.TempDir()
	suite := write(t, dir, "blobs.toml", blobs)
	code, out, _ := benchrun(t, "-plan", "-out", dir, suite)
	if code != 0 || !strings.Contains(out, "ensemble(dropout)") || !strings.Contains(out, "nothing was trained") {
		t.Errorf("-plan: exit %d\n%s", code, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "blobs")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("-plan left a run directory: %v", err)
	}
	code, out, _ = benchrun(t, "list")
	for _, want := range []string{"sparse-vd", "lenet-5-caffe", "gaussian", "mnist", "gonum", "ece15-lorc"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("list: exit %d, no %s in\n%s", code, want, out)
		}
	}
}

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	suite := write(t, dir, "blobs.toml", blobs)
	bad := func(name, old, new string) string {
		text := strings.Replace(blobs, old, new, 1)
		if text == blobs {
			t.Fatalf("%s changes nothing", name)
		}
		return write(t, dir, name, text)
	}
	closed := filepath.Join(dir, "file-not-folder")
	write(t, dir, "file-not-folder", "")
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"no suite", "which suite?", nil},
		{"missing file", "no such file", []string{filepath.Join(dir, "none.toml")}},
		{"unknown flag", "-h for help", []string{"-nonsense", suite}},
		{"unknown key", `key.toml:9: unknown key "train.epoch"; did you mean "epochs"?`, []string{bad("key.toml", "epochs", "epoch")}},
		{"unknown method", `did you mean "ffg"?`, []string{bad("method.toml", `"ffg"`, `"fgg"`)}},
		{"wrong type", `type.toml:9: train.epochs: want a whole number, found a string`, []string{bad("type.toml", "epochs = 6", `epochs = "6"`)}},
		{"list in list", `list.toml:3: seed: want a value or a list of values`, []string{bad("list.toml", "seed = [0, 1]", `seed = [[0]]`)}},
		{"unknown set", `did you mean "blobs"`, []string{bad("data.toml", "[data]\nname = \"blobs\"", "[data]\nname = \"blops\"")}},
		{"unwritable", closed, []string{"-out", closed, suite}},
		{"filter", `did you mean "ffg"?`, []string{"-method", "ffgg", suite}},
		{"override", "want key=value", []string{"-set", "train.epochs", suite}},
		{"list of what", `did you mean "methods"?`, []string{"list", "method"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := c.args
			if len(args) == 1 && strings.HasSuffix(args[0], ".toml") {
				args = []string{"-out", dir, args[0]}
			}
			code, _, log := benchrun(t, args...)
			if code != 2 || !strings.Contains(log, c.want) {
				t.Errorf("exit %d\n%s\nwant exit 2 and %q", code, log, c.want)
			}
		})
	}
}

// A job that diverges fails by itself: exit code 1, the cause named, the
// others done.
// A backend that cannot run here is one line, whatever other backends and jobs
// there are, and nothing is written.
func TestMissingPlugin(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", filepath.Join(dir, "not-here.so"))
	code, out, log := benchrun(t, "-out", filepath.Join(dir, "runs"), "-backend", "gonum,gomlx:xla:cpu", write(t, dir, "blobs.toml", blobs))
	if code != 2 || out != "" || strings.Count(log, "\n") != 1 || !strings.HasPrefix(log, "benchrun: gomlx:xla:cpu: ") {
		t.Errorf("exit %d\n%s%s", code, out, log)
	}
	if _, err := os.Stat(filepath.Join(dir, "runs")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a run directory was left: %v", err)
	}
}

func TestFailedJob(t *testing.T) {
	dir := t.TempDir()
	text := strings.Replace(blobs, "name = \"deterministic\"\n", "name = \"deterministic\"\n[method.train]\noptimizer = \"sgd\"\nlr = 1e30\n", 1)
	code, table, log := benchrun(t, "-out", dir, write(t, dir, "blobs.toml", text))
	if code != 1 || !strings.Contains(log, "FAILED: train, step") || !strings.Contains(log, "10 jobs done now, 0 before, 2 failed") || !strings.Contains(table, "ffg") {
		t.Errorf("exit %d\n%s\n%s", code, log, table)
	}
}

// The binary, killed at any moment and started again until it is through, leaves the bytes of an
// undisturbed run; so does one thread. The moments are counted in lines of its log, so that a busy
// machine changes none of it.
func TestKillAndResume(t *testing.T) {
	dir := t.TempDir()
	binary := build(t, dir)
	text, kills := strings.Replace(blobs, "train = 400\n", "", 1), uint32(12)
	if testing.Short() {
		text, kills = strings.Replace(blobs, "seed = [0, 1]", "seed = 0", 1), 4
	}
	suite := write(t, dir, "blobs.toml", text)
	finish := func(out string, env ...string) []byte {
		cmd := exec.Command(binary, "-out", out, suite)
		cmd.Env = append(os.Environ(), env...)
		if log, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, log)
		}
		text, err := os.ReadFile(filepath.Join(out, "blobs", "results.txt"))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	want := finish(filepath.Join(dir, "whole"))
	if got := finish(filepath.Join(dir, "one"), "GOMAXPROCS=1"); !bytes.Equal(got, want) {
		t.Error("one thread gives other bits")
	}

	broken := filepath.Join(dir, "broken")
	killed := 0
	for i := range kills {
		cmd := exec.Command(binary, "-out", broken, suite)
		log, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		u, v := rng.Block(rng.Key{7, 7}, i, 0)
		lines := bufio.NewScanner(log)
		for n := 1 + u%4; n > 0 && lines.Scan(); n-- {
		}
		time.Sleep(time.Duration(v % uint32(30*time.Millisecond))) // into what follows the line
		cmd.Process.Kill()
		cmd.Wait()
		if cmd.ProcessState.ExitCode() < 0 {
			killed++
		}
	}
	if killed < 3 {
		t.Fatalf("only %d runs were killed", killed)
	}
	if got := finish(broken); !bytes.Equal(got, want) {
		t.Errorf("killed %d times, the run leaves other bytes", killed)
	}
}

// Two processes on one run directory: the second refuses with -no-wait, and
// says who is at work.
func TestTwoProcesses(t *testing.T) {
	dir := t.TempDir()
	suite := write(t, dir, "blobs.toml", blobs)
	held := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		var out bytes.Buffer
		w := &watched{held: held}
		done <- run(ctx, &out, w, []string{"-out", dir, suite})
	}()
	<-held
	code, _, log := benchrun(t, "-no-wait", "-out", dir, suite)
	if code != 2 || !strings.Contains(log, filepath.Join(dir, "blobs")) {
		t.Errorf("exit %d\n%s", code, log)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("the first ended with %v", err)
	}
	if code, _, log := benchrun(t, "-out", dir, suite); code != 0 {
		t.Errorf("afterwards: exit %d\n%s", code, log)
	}
}

// watched tells when the first job begins.
type watched struct {
	held chan struct{}
	once bool
}

func (w *watched) Write(p []byte) (int, error) {
	if !w.once && bytes.Contains(p, []byte("[1/")) {
		w.once = true
		close(w.held)
	}
	return len(p), nil
}

func TestScoreRefuses(t *testing.T) {
	dir := t.TempDir()
	notNumpy := write(t, dir, "p.npy", "no array")
	for _, c := range []struct {
		want string
		args []string
	}{
		{"want -probs and -labels", nil},
		{"exclude each other", []string{"-probs", notNumpy, "-labels", notNumpy, "-logits", "-log-probs"}},
		{`did you mean "json"?`, []string{"-probs", notNumpy, "-labels", notNumpy, "-format", "jsn"}},
		{notNumpy, []string{"-probs", notNumpy, "-labels", notNumpy}},
		{"want a whole number", []string{"-probs", notNumpy, "-labels", notNumpy, "-seed", "-1"}},
		{"want a whole number", []string{"-mean", notNumpy, "-split", "x"}},
		{"want -mean, -var and -targets, or -samples and -targets", []string{"-mean", notNumpy, "-targets", notNumpy}},
		{"want -mean, -var and -targets", []string{"-mean", notNumpy, "-var", notNumpy, "-samples", notNumpy, "-targets", notNumpy}},
		{"found both: -labels, -logits, -probs for classes beside -mean", []string{"-probs", notNumpy, "-labels", notNumpy, "-logits", "-targets", notNumpy}},
		{"want a number above 0", []string{"-samples", notNumpy, "-targets", notNumpy, "-floor", "0"}},
		{`did you mean "bench"?`, []string{"-samples", notNumpy, "-targets", notNumpy, "-format", "benc"}},
		{notNumpy, []string{"-samples", notNumpy, "-targets", notNumpy}},
	} {
		code, _, log := benchrun(t, append([]string{"score"}, c.args...)...)
		if code != 2 || !strings.Contains(log, c.want) {
			t.Errorf("score %v: exit %d\n%s", c.args, code, log)
		}
	}
}

// What a run saves scores as it scored itself.
func TestScoreSavedPredictions(t *testing.T) {
	dir := t.TempDir()
	suite := write(t, dir, "blobs.toml", strings.Replace(blobs[:strings.Index(blobs, "[[method]]")], "[eval]", "[eval]\nsave_predictions = true", 1)+"[[method]]\nname = \"ffg\"\n")
	if code, _, log := benchrun(t, "-out", dir, "-seed", "0", suite); code != 0 {
		t.Fatal(log)
	}
	jobs, err := results.ReadJobs(filepath.Join(dir, "blobs"))
	if err != nil || len(jobs) != 1 {
		t.Fatalf("%d jobs, %v", len(jobs), err)
	}
	place := filepath.Join(dir, "blobs", "jobs", jobs[0].ID)
	code, out, log := benchrun(t, "score", "-format", "json", "-probs", filepath.Join(place, "predictions.npy"), "-labels", filepath.Join(place, "labels.npy"))
	if code != 0 {
		t.Fatal(log)
	}
	var got struct {
		At []struct{ Scores map[string]float64 }
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, r := range jobs[0].Records {
		if want, ok := r.Value("nll"); ok && r.Samples == 4 {
			if nll := got.At[0].Scores["nll"]; math.Abs(nll-want) > 1e-12 {
				t.Errorf("scored %v, the run says %v", nll, want)
			}
			return
		}
	}
	t.Error("the run has no line at K=4")
}

func TestDataCommand(t *testing.T) {
	code, out, _ := benchrun(t, "data", "list")
	if code != 0 || !strings.Contains(out, "cifar10") {
		t.Errorf("data list: exit %d\n%s", code, out)
	}
	code, _, log := benchrun(t, "data", "verify", "-offline", "cifra10")
	if code != 2 || !strings.Contains(log, "cifar10") {
		t.Errorf("data verify of a mistyped name: exit %d\n%s", code, log)
	}
	code, out, log = benchrun(t, "data", "fetch", "-data", t.TempDir(), "blobs")
	if code != 0 || !strings.Contains(out, "blobs: generated") {
		t.Errorf("data fetch of a generated set: exit %d\n%s%s", code, out, log)
	}
}
