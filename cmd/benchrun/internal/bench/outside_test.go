package bench_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/cmd/benchrun/internal/external/externaltest"
	"bayesbench/results"
	"bayesbench/suites"
)

func TestMain(m *testing.M) {
	externaltest.Main()
	os.Exit(m.Run())
}

// command is the keys of a method that the test's own binary runs as the program of that name.
func command(program string, args ...string) string {
	words := externaltest.Command(program, args...)
	for i, w := range words {
		words[i] = strconv.Quote(w)
	}
	return "command = [" + strings.Join(words, ", ") + "]\n"
}

// outside is the table of such a method.
func outside(label, program string, args ...string) string {
	return fmt.Sprintf("[[method]]\nname = \"external\"\nlabel = %q\n%s", label, command(program, args...))
}

const outsideSuite = `name = "outside"
model = "softmax-regression"
seed = [0, 1]
[data]
name = "blobs"
train = 300
test = 100
validation = 50
[train]
epochs = 3
batch = 50
lr = 1e-2
[eval]
samples = 4
batch = 64
train = true
ood = ["blobs"]
shift = ["gaussian-noise-3"]
`

// A program of another is a method like ours: its job has the rows of every other job, by K, on
// the validation examples, under shift and against another set, and is far better than chance, an
// error of three in four.
func TestOutsideProgram(t *testing.T) {
	dir := t.TempDir()
	q := &quiet{}
	text := outsideSuite + outside("mine", "honest") + "[[method]]\nname = \"ffg\"\n"
	sum, _ := runOnce(t, dir, text, q)
	if sum.Done != 4 || len(sum.Failed) > 0 {
		t.Fatalf("%+v\n%s", sum, strings.Join(q.notes, "\n"))
	}
	rows := map[string][]string{} // sweep and K of the predictive's lines, by method
	for i, o := range q.ended {
		for _, r := range o.Records {
			if len(r.Sweep) > 0 && r.Sweep[0] == (results.Pair{Key: "predict", Value: "sample"}) {
				rows[fmt.Sprint(r.Method, i%2)] = append(rows[fmt.Sprint(r.Method, i%2)], fmt.Sprint(r.Sweep, r.Samples))
			}
		}
	}
	if ours, theirs := rows["ffg0"], rows["mine0"]; len(theirs) < 6 || !slices.Equal(ours, theirs) {
		t.Errorf("the rows of the program are\n%q\nand of a method of ours\n%q", theirs, ours)
	}
	final := q.ended[0].Records
	value := func(sweep, unit string, samples int) float64 {
		for _, r := range final {
			if strings.Contains(fmt.Sprint(r.Sweep), sweep) && r.Samples == samples {
				if x, ok := r.Value(unit); ok {
					return x
				}
			}
		}
		t.Errorf("no %s of %s at K=%d", unit, sweep, samples)
		return 0
	}
	if e := value("predict sample}]", "error", 4); !(e < 0.4) {
		t.Errorf("the error on the test set is %v", e)
	}
	if e := value("split validation", "error", 4); !(e < 0.4) {
		t.Errorf("the error on the validation set is %v", e)
	}
	if kl := value("[]", "kl", 0); kl != 2.5 {
		t.Errorf("kl %v, want what the program reported", kl)
	}
	if s := value("[]", "sparsity", 0); s != 0.75 {
		t.Errorf("sparsity %v, want that of the weights that the program reported", s)
	}
	if s := value("[]", "program-sec", 0); !(s > 0) {
		t.Errorf("program-sec %v", s)
	}
	_, jobs := plan(t, text)
	if m, err := (&results.Run{Dir: dir}).Manifest(jobs[0].ID); err != nil || m.Versions["library"] != "of the test" || m.Versions["go"] == "of the test" {
		t.Errorf("the manifest has the versions %v, %v", m.Versions, err)
	}
}

// Numbers as the target: a linear fit in another program comes to the noise of the line, in the
// unit of the data, with the rows of a method of ours.
func TestOutsideNumbers(t *testing.T) {
	text := `name = "numbers"
model = "mlp-50"
[data]
name = "line"
validation = 50
[train]
batch = 25
[eval]
samples = 4
`
	q := &quiet{}
	sum, _ := runOnce(t, t.TempDir(), text+outside("mine", "honest")+"[[method]]\nname = \"ffg\"\n", q)
	if sum.Done != 2 {
		t.Fatalf("%+v\n%s", sum, strings.Join(q.notes, "\n"))
	}
	var rows [2][]string
	for i, o := range q.ended {
		for _, r := range o.Records {
			if len(r.Sweep) > 0 && r.Sweep[0].Value == "sample" {
				rows[i] = append(rows[i], fmt.Sprint(r.Sweep, r.Samples))
				if x, ok := r.Value("rmse"); i == 0 && !(ok && x > 0.3 && x < 0.7) {
					t.Errorf("%s: rmse %v, the noise has the deviation 0.5", r.Name(), x)
				}
			}
		}
	}
	if len(rows[0]) != 4 || !slices.Equal(rows[0], rows[1]) {
		t.Errorf("the rows of the program are %q, and of a method of ours %q", rows[0], rows[1])
	}
}

// A program is told its arguments and its threads, and the lists of its table make several jobs.
func TestOutsideArgs(t *testing.T) {
	text := brokenSuite + outside("told", "environment", `{"lr":0.5,"name":"a","rank":20}`) + "[method.args]\nlr = 0.5\nname = \"a\"\nrank = [10, 20]\n"
	q := &quiet{}
	sum, _ := runOnce(t, t.TempDir(), text, q)
	if sum.Done != 2 || len(sum.Failed) != 1 || !strings.Contains(sum.Failed[0], "method.args.rank=10") {
		t.Errorf("%+v, want the program of rank 10 alone to miss the rank that it was told of\n%s", sum, strings.Join(q.notes, "\n"))
	}
}

// A program that is interrupted is told so when it is tried again, and finds its folder state.
func TestOutsideResumes(t *testing.T) {
	dir := t.TempDir()
	text := strings.Replace(brokenSuite, "[[method]]\nname = \"deterministic\"\n", "", 1) + outside("resumes", "resumes")
	s, jobs := plan(t, text)
	run, err := results.Open(t.Context(), dir, results.Plan{Suite: s.Name, Text: s.Text, Jobs: []string{jobs[0].ID}}, results.Alone, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for { // until the program is at work
			if _, err := os.Stat(run.File(jobs[0].ID, "external/state/tries")); err == nil || ctx.Err() != nil {
				cancel()
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	if _, err := bench.Run(ctx, run, jobs, &quiet{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the interrupted run ends with %v", err)
	}
	if _, err := run.Manifest(jobs[0].ID); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the interrupted job has a manifest, %v", err)
	}
	run.Close()
	q := &quiet{}
	if sum, _ := runOnce(t, dir, text, q); sum.Done != 1 {
		t.Errorf("tried again: %+v\n%s", sum, strings.Join(q.notes, "\n"))
	}
}

// A program that has ended is not run again where scoring was interrupted, and the results are
// those of an undisturbed run.
func TestOutsideScoringResumes(t *testing.T) {
	starts := t.TempDir()
	text := strings.Replace(brokenSuite, "[[method]]\nname = \"deterministic\"\n", "[eval]\nsamples = 8\n", 1) + outside("counts", "counts", starts)
	whole := t.TempDir()
	q := &quiet{}
	runOnce(t, whole, text, q)
	calls := q.calls
	dir := t.TempDir()
	for end := calls - 1; ; end++ {
		if _, done := runOnce(t, dir, text, &quiet{stop: func(n int) bool { return n == end-7 }}); done {
			break
		}
	}
	if got, want := resultsText(t, dir), resultsText(t, whole); !bytes.Equal(got, want) {
		t.Errorf("interrupted:\n%s\nundisturbed:\n%s", got, want)
	}
	if count, err := os.ReadDir(starts); err != nil || len(count) != 2 {
		t.Errorf("the program was started %d times in two runs, want each once; %v", len(count), err)
	}
}

// Programs can be members, and their predictive is the mean of the members' own.
func TestEnsembleOfOutside(t *testing.T) {
	base := strings.Replace(members, "samples = 8", "samples = 4", 1)
	own := outside("mine", "honest")
	mixture, counts := predictions(t, base+"[[method]]\nname = \"ensemble\"\nmembers = 2\n[method.of]\nname = \"external\"\n"+command("honest"))
	if !slices.Equal(counts[0], []int{1, 2, 4, 8}) {
		t.Errorf("scored at %v samples", counts[0])
	}
	want := make([]float64, len(mixture[0]))
	for k := range uint32(2) {
		one, _ := predictions(t, base+own, fmt.Sprint("seed=", member(0, k)))
		for i, x := range one[0] {
			want[i] += x / 2
		}
	}
	for i, x := range mixture[0] {
		if math.Abs(x-want[i]) > 1e-9 {
			t.Fatalf("probability %d is %v, the mean of the members' is %v", i, x, want[i])
		}
	}
}

// A method of ours is compared with a program's predictive.
func TestOutsideReference(t *testing.T) {
	text := strings.Replace(brokenSuite, "[[method]]", "[eval]\nreference = \"mine\"\n[[method]]", 1) + outside("mine", "honest")
	q := &quiet{}
	if sum, _ := runOnce(t, t.TempDir(), text, q); sum.Done != 2 {
		t.Fatalf("%+v\n%s", sum, strings.Join(q.notes, "\n"))
	}
	for _, o := range q.ended {
		for _, r := range o.Records {
			if x, ok := r.Value("agreement"); ok && r.Method == "deterministic" && x > 0 && x <= 1 {
				return
			}
		}
	}
	t.Error("no agreement with the program")
}

// What a program cannot give is refused before anything trains.
func TestOutsideRefused(t *testing.T) {
	for text, want := range map[string]string{
		"[eval]\nattack = [\"fgsm\"]\nepsilon = 0.1\n" + outside("mine", "honest"):                    "gives predictions and no gradient",
		"[eval]\ngradient_draws = 2\n" + outside("mine", "honest"):                                    "nothing to compare",
		"[[method]]\nname = \"distill\"\n[method.teacher]\nname = \"external\"\n" + command("honest"): "teacher: want a method of ours",
		"[[method]]\nname = \"external\"\ncommand = \"python3 mine.py\"\n":                            "method.command: want a list, found a string",
		"[[method]]\nname = \"external\"\ncommand = [\"python3\", \"not-there.py\"]\n":                `command: "not-there.py" looks like a file`,
		"[[method]]\nname = \"external\"\ncommand = [\"python3\"]\nfiles = [\"not-there\"]\n":         `files: "not-there": `,
		"[[method]]\nname = \"external\"\n":                                                           "command = []: want a program and its arguments",
		"[[method]]\nname = \"external\"\ncommand = [\"true\"]\n[method.train]\nlearning_rate = 1\n":  `unknown key "method.train.learning_rate"`,
		"[[method]]\nname = \"external\"\ncommand = [\"true\"]\nargs = 1\n":                           "method.args: want a table, found a whole number",
		"[[method]]\nname = \"external\"\ncommand = [\"true\"]\n[method.args]\nx = [[1]]\n":           "found a list in a list",
	} {
		text = strings.Replace(brokenSuite, "[[method]]\nname = \"deterministic\"\n", text, 1)
		s, err := suites.Parse(bench.Words(), "small.toml", []byte(text), nil)
		if err == nil {
			_, err = bench.Plan(t.Context(), s, &bench.Sets{})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
}

// The content of the files that a command names is part of the job, and a file beside the suite is
// found from there.
func TestOutsideFiles(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "mine.py")
	id := func(content string) (string, string) {
		if err := os.WriteFile(script, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := suites.Parse(bench.Words(), filepath.Join(dir, "small.toml"), []byte(brokenSuite+
			"[[method]]\nname = \"ensemble\"\nmembers = 1\n[method.of]\nname = \"external\"\ncommand = [\"python3\", \"mine.py\"]\n"), nil)
		if err != nil {
			t.Fatal(err)
		}
		jobs, err := bench.Plan(t.Context(), s, &bench.Sets{})
		if err != nil {
			t.Fatal(err)
		}
		last := jobs[len(jobs)-1]
		return last.ID, last.Config.Files
	}
	// As sha256sum prints for print(1), and for the line mine.py and this sum.
	const sum, both = "d287bb7f9d15abdc5b6e98536263815744b6ef21c8f3c839fc434ca70d8efe99", "05d4279725a766aac952b8b2f95c27ec9e36fbc36bf97080eea0246657d04e7d"
	one, files := id("print(1)")
	if files != "sha256:"+both {
		t.Errorf("files %s, want %s of %s", files, both, sum)
	}
	if other, _ := id("print(2)"); other == one {
		t.Error("an edited script is the same job")
	}
	if again, _ := id("print(1)"); again != one {
		t.Error("the same script is another job")
	}
}
