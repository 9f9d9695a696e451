package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// build makes the binary, for what only a process of its own can show. Like the test itself it does
// not know its commit, since the results of both are compared.
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

// The scripts of a suite that names files say from which folder, since they read a copy of it.
func TestSlurmSaysWhereFilesAre(t *testing.T) {
	dir := t.TempDir()
	net, err := os.ReadFile("../../methods/nn/onnx/testdata/lenet-kept.onnx")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "net.onnx", string(net))
	for model, want := range map[string]bool{"net.onnx": true, "softmax-regression": false} {
		text := "name = \"files\"\nmodel = \"" + model + "\"\ndata.name = \"blobs\"\n[[method]]\nname = \"dropout\"\n"
		code, script, log := benchrun(t, "slurm", "-dry-run", "-out", filepath.Join(dir, "runs"), write(t, dir, "files.toml", text))
		if code != 0 || strings.Contains(script, " -from "+dir+" ") != want {
			t.Errorf("%s: exit %d, -from is not as wanted in\n%s%s", model, code, script, log)
		}
	}
}
