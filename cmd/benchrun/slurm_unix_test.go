//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"bayesbench/cmd/benchrun/internal/slurm"
)

// The scripts as Slurm would run them: a task that gets TERM saves and asks to
// be requeued, one that was cancelled does not, and in the end the bytes are
// those of a local run. The dry run writes nothing.
func TestSlurmScripts(t *testing.T) {
	dir := t.TempDir()
	binary := build(t, dir)
	// The task that gets TERM is long, and yields to this process: it does not end before it is
	// told to.
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
