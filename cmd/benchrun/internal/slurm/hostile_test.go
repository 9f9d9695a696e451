package slurm

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"bayesbench/internal/alloctest"
	"bayesbench/results"
)

// What squeue or sacct prints becomes tasks whose words can be printed.
func FuzzQueue(f *testing.F) {
	text, err := os.ReadFile(filepath.Join("testdata", "squeue.txt"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add("20_1|CANCELLED by 1000|0:15|n1\n20_2|NODE_FAIL|0:0|n2\n20_[5-9]|CANCELLED by 1000|0:0|None assigned\n17|COMPLETED|0:0|n1\n")
	f.Add("1|2|\x1b[2J|\u202e|\r\n\n1|99999999999999999999|RUNNING||\n")
	f.Fuzz(func(t *testing.T, text string) {
		limit := 1<<20 + 256*len(text)
		check := func(tasks map[task]entry) {
			if lines := strings.Count(text, "\n") + 1; len(tasks) > lines {
				t.Errorf("%d tasks on %d lines", len(tasks), lines)
			}
			for k, e := range tasks {
				if words := e.state + e.reason + e.node; strings.ContainsFunc(words, func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Errorf("task %v: %q", k, words)
				}
				if e.waits() && e.works() {
					t.Errorf("task %v both waits and works: %q", k, e.state)
				}
			}
		}
		alloctest.AtMost(t, limit, func() {
			if tasks, err := parseQueue(text); err == nil {
				check(tasks)
			}
		})
		alloctest.AtMost(t, limit, func() { check(parseAccounts(text)) })
	})
}

// No word reaches a script in which it would be more than a word: neither from
// the command nor from a record.
func TestWordsOfScripts(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	good := script{name: "n-1", logs: "/a b/it's/$(x)/`y`/%j/#z", program: "/p", args: []string{"-set", "seed=[0, 1]"}, suite: "/s", ids: []string{"a"}}
	if err := good.check(); err != nil {
		t.Errorf("what quotes can hold: %v", err)
	}
	for _, bad := range []string{"/a\ntouch x\n", "a\rb", "a\x1b[2J", "a\x00b", "\u009bA", "\xff", "a\tb", "\u2028\n"} {
		for _, s := range []script{
			{name: bad}, {logs: bad}, {program: bad}, {suite: bad}, {args: []string{"-out", bad}}, {ids: []string{bad}},
			{Options: Options{Partition: bad}}, {Options: Options{Gres: bad}}, {Options: Options{Mem: bad}}, {Options: Options{Time: bad}}, {Options: Options{Sbatch: []string{"--a=" + bad}}},
		} {
			if err := s.check(); err == nil {
				t.Errorf("%q is accepted in %+v", bad, s)
			}
		}
		dir := filepath.Join(t.TempDir(), strings.ReplaceAll(bad, "/", "_"), "x")
		if p, err := (&Campaign{Dir: dir}).New(t.Context(), []Job{{ID: "a"}}, nil, nil, program, Options{}); err == nil {
			t.Errorf("the run directory %q is planned: %+v", dir, p.Batches)
		}
		text, err := json.Marshal(Submission{Format: results.FormatVersion, Args: []string{bad}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodeSubmission(text, "x"); err == nil && bad != "\xff" { // which JSON does not hold
			t.Errorf("a record with the argument %q is read", bad)
		}
	}
	if err := (&script{logs: `/a\b`}).check(); err == nil {
		t.Error("a backslash, which sbatch reads as an escape, is accepted")
	}
}

// A record that is read has words that a script can hold, and is written so that it reads back the
// same.
func FuzzSubmission(f *testing.F) {
	f.Add([]byte(`{"format": 1, "at": "2026-01-01T00:00:00Z", "args": ["-out", "it's"], "options": {"partition": "short", "sbatch": ["--account=x"]}, "arrays": [{"slurm": "12", "jobs": ["a", "b"]}]}`))
	f.Add([]byte(`{"format": 1, "jobs": [{"id": "a", "title": "x", "needs": ["b"], "flops": 1e3, "origin": 1}]}`))
	f.Add([]byte(`{"format": 1, "options": {"gres": "a\n#SBATCH --wrap=rm"}, "arrays": [{"slurm": "--user=root", "jobs": ["$(rm)"]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		limit := 1<<20 + 64*len(text)
		var s Submission
		var err error
		alloctest.AtMost(t, limit, func() { s, err = decodeSubmission(text, "x") })
		if err == nil {
			written, err := json.Marshal(s)
			if err != nil {
				t.Skip(err) // a year of five digits is read and not written
			}
			back, err := decodeSubmission(written, "y")
			if err != nil {
				t.Fatalf("%v in what was written:\n%s", err, written)
			}
			if again, err := json.Marshal(back); err != nil || string(again) != string(written) {
				t.Fatalf("%v: %s\nbecame\n%s", err, written, again)
			}
			var ids []string
			for _, a := range s.Arrays {
				ids = append(ids, a.Jobs...)
			}
			checkScript(t, script{name: "n", logs: "l", program: "p", args: s.Args, suite: "s", ids: ids, Options: s.Options})
		}
		var jobs []Job
		alloctest.AtMost(t, limit, func() { jobs, err = decodeJobs(text, "x") })
		if err == nil {
			written, err := json.Marshal(jobList{results.FormatVersion, jobs})
			if err != nil {
				t.Fatal(err)
			}
			back, err := decodeJobs(written, "y")
			if err != nil || len(back) != len(jobs) || len(jobs) > 0 && !reflect.DeepEqual(back[0].ID, jobs[0].ID) {
				t.Fatalf("%v: %v became %v", err, jobs, back)
			}
		}
	})
}

// checkScript checks that a script has the lines it would have with harmless words, and its ids on
// lines of their own.
func checkScript(t *testing.T, s script) {
	t.Helper()
	head, rest, ok := strings.Cut(s.text(), "\n# One task is one job of the suite:\nset --")
	if !ok {
		t.Fatal("no list of ids")
	}
	for i, line := range strings.Split(strings.TrimSuffix(head, "\n"), "\n") {
		if i > 0 && !strings.HasPrefix(line, "#SBATCH -") {
			t.Errorf("line %q among the options", line)
		}
	}
	for _, id := range s.ids {
		if rest, ok = strings.CutPrefix(rest, " \\\n  "+id); !ok {
			t.Fatalf("%q where the id %q was to be", rest, id)
		}
	}
	if !strings.HasPrefix(rest, "\nid=${!SLURM_ARRAY_TASK_ID}\n") {
		t.Errorf("%.100q behind the ids", rest)
	}
}

// A record from elsewhere cannot put commands into a script, options into a call, or an index out
// of range.
func TestHostileRecords(t *testing.T) {
	const submission = `{"format": 1, "args": [], "options": {}, "arrays": [{"slurm": "7", "jobs": ["a"]}]}`
	const jobs = `{"format": 1, "jobs": [{"id": "a", "needs": ["b"], "origin": 1}]}`
	for _, c := range []struct{ file, old, new, want string }{
		{jobsFile, `"a"`, `"a\nrm -rf ~"`, `job id "a\nrm -rf ~"`},
		{jobsFile, `"a"`, `"$(rm)"`, `job id "$(rm)"`},
		{jobsFile, `"a"`, `"../../a"`, `job id "../../a"`},
		{jobsFile, `"b"`, `"-b"`, `job id "-b"`},
		{jobsFile, `"origin": 1`, `"origin": 0`, "job a is of submission 0"},
		{jobsFile, `"origin": 1`, `"origin": 2`, "job a is of submission 2 of 1"},
		{submissionFile, `"7"`, `"--user=root"`, `array "--user=root"`},
		{submissionFile, `"a"`, "\"`rm`\"", "job id \"`rm`\""},
		{submissionFile, `{}`, `{"gres": "x\n#SBATCH --uid=0"}`, "-gres"},
		{submissionFile, `{}`, `{"sbatch": ["--a\u0000"]}`, "-sbatch"},
		{submissionFile, `[]`, `["\u0000"]`, `argument "\x00"`},
	} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, folder, "1"), 0o755); err != nil {
			t.Fatal(err)
		}
		for path, text := range map[string]string{jobsFile: jobs, filepath.Join("1", submissionFile): submission} {
			if filepath.Base(path) == c.file {
				text = strings.Replace(text, c.old, c.new, 1)
			}
			if err := os.WriteFile(filepath.Join(dir, folder, path), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file) {
			t.Errorf("%s: error %v, want %s", c.new, err, c.want)
		}
	}
	path := filepath.Join(t.TempDir(), folder, jobsFile)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<40); err != nil { // all of it a hole
		t.Fatal(err)
	}
	alloctest.AtMost(t, 6*maxRecord, func() {
		if _, err := Read(filepath.Dir(filepath.Dir(path))); err == nil || !strings.Contains(err.Error(), "more than") {
			t.Errorf("a terabyte: %v", err)
		}
	})
}

// Of a log, whose length nobody bounds, no more than its end is read.
func TestLastWords(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	if err := os.WriteFile(log, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(log, 1<<40); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("\nbenchrun: the disk is full\n")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	alloctest.AtMost(t, 1<<16, func() {
		if words := (&Campaign{Dir: dir}).lastWords(log); words != "the disk is full" {
			t.Errorf("last words %q", words)
		}
	})
}

// A record is read as strictly as the other files of a run, and the error says where it is wrong.
func TestRecordsAreStrict(t *testing.T) {
	for text, want := range map[string]string{
		`{"format": 1, "jobs": [], "more": 1}`: `jobs.json: json: unknown field "more"`,
		`{"format": 99, "jobs": []}`:           "jobs.json: " + results.ErrFormat.Error() + ": the file has format 99",
		`{"jobs": []}`:                         `jobs.json: no "format": not a bayesbench file`,
		"{\"format\": 1,\n\"jobs\": 7}":        "jobs.json:2: json: cannot unmarshal",
	} {
		if _, err := decodeJobs([]byte(text), "jobs.json"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error %v\nwant %s", text, err, want)
		}
	}
}
