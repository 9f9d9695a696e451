package slurm

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bayesbench/results"
)

// forgetful puts a Slurm on the PATH whose sbatch takes every array, whose third
// answer is lost, and whose squeue knows arrays by their names. It returns the file
// with a line "ID|NAME" for each array taken.
func forgetful(t *testing.T) (taken string) {
	t.Helper()
	dir := t.TempDir()
	taken = filepath.Join(dir, "taken")
	put(t, taken, "")
	for name, text := range map[string]string{
		"sbatch": `for path; do :; done
n=$((101 + $(grep -c . ` + taken + `)))
echo "$n|$(sed -n 's/^#SBATCH --job-name=//p' "$path")" >>` + taken + `
[ $n != 103 ] || { echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2; exit 1; }
echo $n`,
		"squeue": `for a; do case $a in --name=*) grep "|${a#--name=}\$" ` + taken + `; exit 0 ;; esac; done
sed 's/|.*/|1|PENDING|None|/' ` + taken,
		"scancel": "exit 1",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return taken
}

// An array that Slurm took and whose answer did not come is not submitted again:
// neither when sbatch failed nor when benchrun was killed before it wrote the id.
func TestArraysAreSubmittedOnce(t *testing.T) {
	taken := forgetful(t)
	dir := filepath.Join(t.TempDir(), "x")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	again := func() ([]string, *Plan) {
		t.Helper()
		c := read(t, dir)
		ids, err := c.Recover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p, err := c.New(t.Context(), jobs, []byte("name = \"x\"\n"), nil, program, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return ids, p
	}
	_, p := again()
	if err := p.Submit(t.Context()); err == nil || !strings.Contains(err.Error(), "Socket timed out") {
		t.Fatalf("the third array: %v", err)
	}
	c := read(t, dir)
	if s := c.Submissions[0]; len(s.Arrays) != 2 || s.Sending == nil || !s.Sending.Ended || !slices.Equal(s.Sending.Jobs, []string{"s"}) {
		t.Fatalf("recorded: %+v", s)
	}
	// Whoever only looks is told of it, and nothing is written.
	status, err := c.Status(t.Context())
	if err != nil || status.of("s").State != Pending || status.of("s").Slurm != "103_1" {
		t.Errorf("status of s: %+v, %v", status.of("s"), err)
	}
	if ids, p := again(); !slices.Equal(ids, []string{"103"}) || len(p.Batches) != 0 {
		t.Errorf("taken up: %q, and %d batches are planned", ids, len(p.Batches))
	}
	if s := read(t, dir).Submissions[0]; len(s.Arrays) != 3 || s.Sending != nil || s.Arrays[2].Slurm != "103" {
		t.Errorf("recorded: %+v", s)
	}
	if lines := strings.Count(get(t, taken), "\n"); lines != 3 {
		t.Errorf("%d arrays were submitted", lines)
	}

	// Killed while sbatch was at work.
	cut := func(at time.Time) {
		t.Helper()
		c := read(t, dir)
		s := &c.Submissions[0]
		s.Arrays = s.Arrays[:2]
		s.Sending = &Sending{Name: "x-3-00000000", Jobs: []string{"s"}, At: at}
		if err := results.WriteJSON(c.path("1", submissionFile), s); err != nil {
			t.Fatal(err)
		}
	}
	cut(time.Now())
	if _, err := read(t, dir).Recover(t.Context()); err == nil || !strings.Contains(err.Error(), "try again in a minute") {
		t.Errorf("an sbatch that may be at work: %v", err)
	}
	cut(time.Now().Add(-2 * patient))
	ids, p := again()
	if len(ids) != 0 || len(p.Batches) != 1 || !slices.Equal(p.Batches[0].Jobs, []string{"s"}) || !slices.Equal(p.Batches[0].behind, []string{"102"}) {
		t.Errorf("an array that Slurm did not take: taken up %q, planned %+v", ids, p.Batches)
	}

	// Without Slurm nothing is known, and nothing is submitted.
	cut(time.Now().Add(-2 * patient))
	t.Setenv("PATH", "")
	if _, err := read(t, dir).Recover(t.Context()); err == nil || !strings.Contains(err.Error(), "no Slurm") {
		t.Errorf("without squeue: %v", err)
	}
	if status, err := read(t, dir).Status(t.Context()); err != nil || !status.NoSlurm {
		t.Errorf("the status without squeue: %+v, %v", status, err)
	}
}

// What squeue and sacct print beside the array itself is not taken for it.
func TestNamed(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		"12|x-1-ab\n":                 "12",
		"12_[3-5]|x-1-ab\n":           "12",
		"9|other\n 13_1|x-1-ab \n":    "13",
		"12|x-1-abc\n12|x-1-ab|more":  "",
		"--user=root|x-1-ab\n|x-1-ab": "",
	} {
		if got := named(text, "x-1-ab"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
