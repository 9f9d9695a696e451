package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"bayesbench/cmd/benchrun/internal/slurm"
)

// build makes the binary, for what only a process of its own can show. Like the test itself it does not know its commit,
// since the results of both are compared.
func build(t *testing.T, dir string) string {
	t.Helper()
	binary := filepath.Join(dir, "benchrun")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

func jobsOf(t *testing.T, args ...string) []plannedJob {
	t.Helper()
	code, out, log := benchrun(t, append([]string{"-plan", "-json"}, args...)...)
	var jobs []plannedJob
	if err := json.Unmarshal([]byte(out), &jobs); err != nil || code != 0 {
		t.Fatalf("-plan -json: exit %d, %v\n%s", code, err, log)
	}
	return jobs
}

// The jobs of a plan, each by itself and the later ones first where nothing
// needs another order, leave the bytes of one run.
func TestJob(t *testing.T) {
	dir := t.TempDir()
	text, seeds := blobs, 2
	if testing.Short() {
		text, seeds = strings.Replace(blobs, "seed = [0, 1]", "seed = 0", 1), 1
	}
	suite := write(t, dir, "blobs.toml", text)
	whole, single := filepath.Join(dir, "whole"), filepath.Join(dir, "single")
	if code, _, log := benchrun(t, "-out", whole, suite); code != 0 {
		t.Fatal(log)
	}
	jobs := jobsOf(t, suite)
	var needing, others []plannedJob
	for _, j := range jobs {
		if len(j.Needs) > 0 {
			needing = append(needing, j)
		} else {
			others = append([]plannedJob{j}, others...)
		}
	}
	if len(needing) != seeds || len(others) != 5*seeds {
		t.Fatalf("%d jobs need others, %d do not", len(needing), len(others))
	}
	code, _, log := benchrun(t, "job", "-out", single, needing[0].ID, suite)
	if code != 1 || !strings.Contains(log, "needs blobs lenet-300-100 dropout seed 0 ("+needing[0].Needs[0]+"), which is not done") {
		t.Errorf("an ensemble without members: exit %d\n%s", code, log)
	}
	for _, j := range append(others, needing...) {
		if code, _, log := benchrun(t, "job", j.ID, suite, "-out", single); code != 0 || !strings.Contains(log, "is done") {
			t.Fatalf("job %s: exit %d\n%s", j.ID, code, log)
		}
	}
	if code, _, log := benchrun(t, "job", "-out", single, jobs[0].ID, suite); code != 0 || strings.Contains(log, "[1/1]") {
		t.Errorf("a job that is done: exit %d\n%s", code, log)
	}
	same(t, filepath.Join(single, "blobs"), filepath.Join(whole, "blobs"))
}

func same(t *testing.T, a, b string) {
	t.Helper()
	for _, file := range []string{"results.txt", "run.json"} {
		x, err1 := os.ReadFile(filepath.Join(a, file))
		y, err2 := os.ReadFile(filepath.Join(b, file))
		if err1 != nil || err2 != nil || !bytes.Equal(x, y) {
			t.Errorf("%s: %s and %s differ (%v, %v):\n%s\n%s", file, a, b, err1, err2, x, y)
		}
	}
}

func TestSlurmBadInput(t *testing.T) {
	dir := t.TempDir()
	suite := write(t, dir, "blobs.toml", blobs)
	id := jobsOf(t, suite)[0].ID
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"no id", "want ID SUITE.toml, found 1", []string{"job", suite}},
		{"wrong id", "the nearest is " + id, []string{"job", id[:11] + "x", suite}},
		{"changed suite", "-set changes them", []string{"job", "-set", "train.epochs=5", id, suite}},
		{"no suite", "want one SUITE.toml", []string{"slurm"}},
		{"limit", "want minutes, hours:minutes:seconds", []string{"slurm", "-time", "2h", suite}},
		{"resubmit with set", "leave out -set", []string{"slurm", "-resubmit", "-set", "train.epochs=5", suite}},
		{"resubmit of nothing", "nothing was submitted", []string{"slurm", "-resubmit", suite}},
		{"no sbatch", "sbatch is not on the PATH", []string{"slurm", suite}},
		{"no run", "want one run directory", []string{"status"}},
		{"nothing submitted", "no jobs were submitted", []string{"status", dir}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("PATH", "")
			args := append(c.args[:1:1], c.args[1:]...)
			if args[0] != "status" {
				args = append(args, "-out", dir)
			}
			code, _, log := benchrun(t, args...)
			if code != 2 || !strings.Contains(log, c.want) || strings.Count(log, "\n") != 1 {
				t.Errorf("exit %d\n%s\nwant exit 2 and one line with %q", code, log, c.want)
			}
		})
	}
}

// A directory whose name has a newline would put a command into the script's
// header. It is refused before anything is written.
func TestSlurmRefusesControlCharacters(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a\ntouch broken\n#")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	suite := write(t, t.TempDir(), "blobs.toml", blobs)
	t.Chdir(dir)
	for _, args := range [][]string{{"-dry-run"}, {}, {"-resubmit"}, {"-out", t.TempDir(), "-data", "x\ny"}, {"-out", t.TempDir(), "-set", "description=\"\"\"\ntouch broken\"\"\""}} {
		code, out, log := benchrun(t, append(append([]string{"slurm"}, args...), suite)...)
		if code != 2 || out != "" || !strings.Contains(log, "want text without control characters") {
			t.Errorf("%q: exit %d\n%s%s", args, code, out, log)
		}
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// The scripts as Slurm would run them: a task that gets TERM saves and asks to
// be requeued, one that was cancelled does not, and in the end the bytes are
// those of a local run. The dry run writes nothing.
func TestSlurmScripts(t *testing.T) {
	dir := t.TempDir()
	binary := build(t, dir)
	// The task that gets TERM is long, and yields to this process: it does not end before it is told to.
	longer := strings.Replace(blobs, "name = \"ffg\"\n", "name = \"ffg\"\n[method.train]\nepochs = 150\n", 1)
	suite := write(t, dir, "blobs.toml", longer)
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	asked := filepath.Join(dir, "asked")
	state := write(t, dir, "state", "SIGNALING\n")
	for name, text := range map[string]string{
		"sbatch":   `n=$(($(cat ` + dir + `/n 2>/dev/null || echo 6) + 1)); echo $n | tee ` + dir + `/n`,
		"squeue":   `case "$*" in *%T) kill -TERM 0; cat ` + state + `;; esac`,                                          // a second TERM, to all of the task
		"scontrol": `echo "$@" >>` + asked + `; [ -e ` + asked + `.before ] || { touch ` + asked + `.before; exit 1; }`, // fails once
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	env := append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	command := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(binary, args...)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("benchrun %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	out, whole := filepath.Join(dir, "it's shared"), filepath.Join(dir, "whole")
	preview := command("slurm", "-dry-run", "-seed", "0", "-method", "ffg,ensemble(dropout)", "-out", out, suite)
	if !strings.Contains(preview, "afterany:<array 1>") || !strings.Contains(preview, "#SBATCH --array=1-3\n") {
		t.Errorf("the dry run says\n%s", preview)
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("the dry run wrote: %v", err)
	}
	if log := command("slurm", "-seed", "0", "-method", "ffg,ensemble(dropout)", "-out", out, suite); !strings.HasPrefix(log, "7\t3 jobs\t") || !strings.Contains(log, "\n8\t1 jobs\t") {
		t.Errorf("submission says\n%s", log)
	}
	// Whatever becomes of these, what was submitted does not change.
	write(t, dir, "blobs.toml", "nonsense")
	if err := os.Remove(binary); err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(out, "blobs")
	task := func(array, index string) *exec.Cmd {
		cmd := exec.Command("nice", "-n", "19", "bash", filepath.Join(run, "slurm", "1", "array-"+array+".sh"))
		cmd.Env = append(env, "SLURM_ARRAY_TASK_ID="+index, "SLURM_ARRAY_JOB_ID=7", "SLURM_CPUS_ON_NODE=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that TERM can go to all of it, as Slurm sends it
		cmd.Stderr = new(bytes.Buffer)
		return cmd
	}
	// Task 1 is FFG.
	end := func() int {
		t.Helper()
		old, _ := filepath.Glob(filepath.Join(run, "jobs", "*", "progress.json"))
		for _, path := range old {
			os.Remove(path)
		}
		cmd := task("1", "1")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for training := false; !training; {
			select {
			case err := <-ended:
				t.Fatalf("the task ended without progress: %v\n%s", err, cmd.Stderr)
			case <-time.After(2 * time.Millisecond):
				jobs, _ := filepath.Glob(filepath.Join(run, "jobs", "*", "progress.json"))
				training = len(jobs) > 0
			}
		}
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-ended
		return cmd.ProcessState.ExitCode()
	}
	if code := end(); code != slurm.Requeue {
		t.Errorf("TERM: exit %d, want %d", code, slurm.Requeue)
	}
	if text, err := os.ReadFile(asked); err != nil || string(text) != "requeue 7_1\nrequeue 7_1\n" {
		t.Errorf("scontrol was called with %q, %v", text, err)
	}
	if saved, err := filepath.Glob(filepath.Join(run, "jobs", "*", "checkpoint.safetensors")); err != nil || len(saved) != 1 {
		t.Errorf("%d checkpoints, %v", len(saved), err)
	}
	write(t, dir, "state", "COMPLETING\n")
	if code := end(); code != slurm.Requeue {
		t.Errorf("TERM of a cancelled task: exit %d, want %d", code, slurm.Requeue)
	}
	if text, _ := os.ReadFile(asked); string(text) != "requeue 7_1\nrequeue 7_1\n" {
		t.Errorf("a cancelled task asked: %q", text)
	}
	for _, at := range []string{"11", "12", "13", "21"} {
		cmd := task(at[:1], at[1:])
		if err := cmd.Run(); err != nil {
			t.Fatalf("task %s: %v\n%s", at, err, cmd.Stderr)
		}
	}
	write(t, dir, "blobs.toml", longer)
	if code, _, log := benchrun(t, "-seed", "0", "-method", "ffg,ensemble(dropout)", "-out", whole, suite); code != 0 {
		t.Fatal(log)
	}
	same(t, run, filepath.Join(whole, "blobs"))
	t.Setenv("PATH", bin)
	code, table, log := benchrun(t, "status", run)
	if code != 0 || !strings.Contains(table, "4 DONE") {
		t.Errorf("status: exit %d\n%s%s", code, table, log)
	}
}
