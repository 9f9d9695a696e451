package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/peterbourgon/ff/v3/ffcli"

	"bayesbench/cmd/internal/cli/helptest"
)

// What -h gives as examples can be run: the flags, the suites and what is named
// in them are there. The suites are planned on a data set that needs no files.
func TestExamplesOfHelp(t *testing.T) {
	root := func() *ffcli.Command { return (&command{io.Discard, io.Discard}).root() }
	examples := helptest.Examples(t, root)
	if len(examples) < 20 {
		t.Errorf("only %d examples", len(examples))
	}
	t.Chdir("../..")
	dir := t.TempDir()
	planned := 0
	for _, e := range examples {
		args := slices.Clone(e.Args)
		switch e.Verb {
		case "":
			args = append([]string{"-plan"}, args...)
		case "slurm":
			if slices.Contains(args, "-resubmit") {
				continue
			}
			args = append([]string{"slurm", "-dry-run"}, args[1:]...)
		case "list":
		case "job":
			if id := e.Rest[0]; !regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(id) {
				t.Errorf("%q: %s is not written as an id", e.Args, id)
			}
			fallthrough
		default:
			continue // what they name is of the user's
		}
		if e.Verb != "list" {
			planned++
			args = append(args, "-out", filepath.Join(dir, "out"), "-set", "data.name=blobs", "-set", "data.validation=0", "-set", "model=lenet-300-100")
		}
		if code, _, log := benchrun(t, args...); code != 0 {
			t.Errorf("%q: exit %d\n%s", e.Args, code, log)
		}
	}
	if planned < 8 {
		t.Errorf("only %d examples name a suite", planned)
	}
}

// The examples in the lines of flags are keys and values too.
func TestExamplesOfSet(t *testing.T) {
	suite := write(t, t.TempDir(), "blobs.toml", strings.Replace(blobs, `"ffg"`, "\"ffg\"\nprior_sigma = 2.0", 1))
	set := regexp.MustCompile(`-set (\S+)`)
	found := set.FindAllStringSubmatch((&command{io.Discard, io.Discard}).root().FlagSet.Lookup("set").Usage, -1)
	if len(found) < 2 {
		t.Fatalf("%d examples", len(found))
	}
	for _, m := range found {
		if code, _, log := benchrun(t, "-plan", "-method", "ffg", "-set", strings.TrimSuffix(m[1], ";"), suite); code != 0 {
			t.Errorf("%s: exit %d\n%s", m[0], code, log)
		}
	}
}

func TestMistypedSubcommand(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, c := range []struct {
		want string
		args []string
	}{
		{`lsit: no such file or subcommand; did you mean "list"?`, []string{"lsit"}},
		{`did you mean "status"?`, []string{"stats", "runs/x"}},
		{`did you mean "list"?`, []string{"-plan", "LIST5"}},
		{`did you mean "verify"?`, []string{"data", "verfiy"}},
		{"open experiment: no such file", []string{"experiment"}},
		{"open ./lsit: no such file", []string{"./lsit"}},
	} {
		if code, _, log := benchrun(t, c.args...); code != 2 || !strings.Contains(log, c.want) {
			t.Errorf("%q: exit %d, %s\nwant %s", c.args, code, log, c.want)
		}
	}
	write(t, dir, "lsit", blobs)
	if code, _, log := benchrun(t, "-plan", "lsit"); code != 0 {
		t.Errorf("a suite of that name: exit %d\n%s", code, log)
	}
}

// Every verb that writes says so where the device is full.
func TestFullDevice(t *testing.T) {
	dir := t.TempDir()
	suite := write(t, dir, "blobs.toml", blobs)
	out := filepath.Join(dir, "out")
	if code, _, log := benchrun(t, "-method", "deterministic", "-seed", "0", "-set", "train.epochs=3", "-set", "eval.save_predictions=true", "-out", out, suite); code != 0 {
		t.Fatal(log)
	}
	saved, err := filepath.Glob(filepath.Join(out, "blobs", "jobs", "*", "predictions.npy"))
	if err != nil || len(saved) != 1 {
		t.Fatalf("%q, %v", saved, err)
	}
	scored := []string{"score", "-probs", saved[0], "-labels", filepath.Join(filepath.Dir(saved[0]), "labels.npy")}
	for _, args := range [][]string{
		{"-plan", suite}, {"-plan", "-json", suite}, {"list"}, {"list", "-json"}, {"data", "list"}, {"data", "verify", "blobs"}, {"data", "fetch", "blobs"},
		{"doctor", "gonum"}, {"doctor", "-json", "gonum"}, scored, append(scored, "-format", "json"), append(scored, "-format", "bench"),
		{"-method", "deterministic", "-seed", "0", "-set", "train.epochs=3", "-set", "eval.save_predictions=true", "-out", out, suite},
		{"-json", "-method", "deterministic", "-seed", "0", "-set", "train.epochs=3", "-set", "eval.save_predictions=true", "-out", out, suite},
		{"slurm", "-dry-run", suite},
	} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		code := exitCode(&log, run(t.Context(), full, io.Discard, args))
		full.Close()
		if code != 2 || !strings.Contains(log.String(), "no space left on device") {
			t.Errorf("%q: exit %d, %q", args, code, log.String())
		}
	}
}
