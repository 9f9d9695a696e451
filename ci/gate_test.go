package ci

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sbinet/npyio"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"bayesbench/results"
)

// binaries builds the commands and returns the directory they are in.
func binaries(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", dir, "../cmd/benchrun", "../cmd/benchstat-report").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// benchrun runs the suite with some overrides into dir and returns the run directory.
func benchrun(t *testing.T, bin, dir, seed, suite string, sets ...string) string {
	t.Helper()
	args := []string{"-out", dir, "-seed", seed}
	for _, s := range sets {
		args = append(args, "-set", s)
	}
	if out, err := exec.Command(filepath.Join(bin, "benchrun"), append(args, suite)...).CombinedOutput(); err != nil {
		t.Fatalf("benchrun %q: %v\n%s", args, err, out)
	}
	return filepath.Join(dir, "gate")
}

// gate returns what benchstat-report gate says, and whether it passed.
func gate(t *testing.T, bin string, args ...string) (verdict string, pass bool) {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, "benchstat-report"), append([]string{"gate"}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != 0 && code != 1 {
		t.Fatalf("gate %q: %v\n%s", args, err, errs.String())
	}
	verdict, _, _ = strings.Cut(out.String(), "<details>")
	return verdict, err == nil
}

const suite = "testdata/gate.toml"

// short is a budget for runs whose numbers only have to be equal.
var short = []string{"data.train=600", "train.epochs=2", "method.warmup_end=2", "eval.samples=2"}

// The gate on real runs of the commands.
func TestGate(t *testing.T) {
	bin := binaries(t)
	t.Run("twenty identical runs", func(t *testing.T) { testIdenticalRuns(t, bin) })
	t.Run("names what broke", func(t *testing.T) { testNamesWhatBroke(t, bin) })
	t.Run("script", func(t *testing.T) { testScript(t, bin) })
}

// Real runs, one seed after the other as ci/paired.sh does: each of twenty is
// gated against the one before it, bit for bit in the metrics and by the
// default margin in speed.
func testIdenticalRuns(t *testing.T, bin string) {
	dir := t.TempDir()
	const gates = 20
	runs := make([]string, gates+1)
	for _, seed := range []string{"0", "1", "2"} {
		for i := range runs {
			runs[i] = benchrun(t, bin, filepath.Join(dir, fmt.Sprint(i)), seed, suite, short...)
		}
	}
	checkStorage(t, runs[0])
	for i := range gates {
		if verdict, pass := gate(t, bin, "-exact", runs[i], runs[i+1]); !pass {
			t.Errorf("run %d against run %d:\n%s", i+1, i, verdict)
		}
	}
}

// checkStorage checks that a job that prunes says what its weights take: with
// positions never less than the share that is left.
func checkStorage(t *testing.T, run string) {
	t.Helper()
	set, err := results.Load(run)
	if err != nil {
		t.Fatal(err)
	}
	pruned := 0
	for _, r := range set.Records {
		bits, has := r.Value("bits_per_weight")
		if !has {
			continue
		}
		pruned++
		sparsity, _ := r.Value("sparsity")
		storage, _ := r.Value("compression-storage")
		if r.Method != "sparse-vd" || bits < 32*(1-sparsity) || bits > 32 || math.Abs(bits*storage-32) > 1e-9 {
			t.Errorf("%s: %v bits a weight, compression in storage %v, sparsity %v", r.Name(), bits, storage, sparsity)
		}
	}
	if pruned != 3 {
		t.Errorf("%d jobs say what their weights take, want the three of sparse VD", pruned)
	}
}

func testNamesWhatBroke(t *testing.T, bin string) {
	dir := t.TempDir()
	run := func(name string, sets ...string) (path string) {
		for _, seed := range []string{"0", "1", "2"} {
			path = benchrun(t, bin, filepath.Join(dir, name), seed, suite, append(sets, "eval.save_predictions=true")...)
		}
		return path
	}
	base := run("base")
	again := run("again")
	if verdict, pass := gate(t, bin, base, again); !pass {
		t.Fatalf("the same run again:\n%s", verdict)
	}

	for _, c := range []struct {
		name     string
		old, new string
		want     []string // lines that must begin so
	}{
		{
			// The KL term out of the loss: nothing is pruned any more.
			"sparse VD without KL", base, run("kl", "method.kl_weight=0"),
			[]string{"- BLOBS lenet-300-100 gonum sparse-vd: sparsity went from 0."},
		},
		{
			"temperature 2", score(t, bin, base, 1), score(t, bin, base, 2),
			[]string{"- BLOBS lenet-300-100 external deterministic K=1: ece15-lorc went from 0."},
		},
		{
			// The ratios are those of a program exactly 30 % slower: real
			// timings of so short jobs scatter more than that on a busy
			// machine. What scatter does to the test is report's to show.
			"30 % slower steps", base, slower(t, base, 1.3),
			[]string{
				"- all rows together: train-samples/s (relative) went from 1 to 0.7692 (-23.1%, margin 15%,",
				"- all rows together: train-sec (relative) went from 1 to 1.3 (+30.0%, margin 15%,",
				"- BLOBS lenet-300-100 gonum sparse-vd: train-samples/s went from ",
			},
		},
	} {
		verdict, pass := gate(t, bin, c.old, c.new)
		if pass {
			t.Errorf("%s passed:\n%s", c.name, verdict)
		}
		for _, want := range c.want {
			if !strings.Contains("\n"+verdict, "\n"+want) {
				t.Errorf("%s: no line begins with %q:\n%s", c.name, want, verdict)
			}
		}
	}
}

// testScript runs paired.sh with one build as both sides.
func testScript(t *testing.T, bin string) {
	out := t.TempDir()
	summary := filepath.Join(out, "summary.md")
	if err := os.WriteFile(summary, []byte("earlier\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("./paired.sh", bin, bin, suite, "-exact", "-metric", "error,nll")
	cmd.Env = append(os.Environ(), "SEEDS=3 7", "OUT="+out, "GITHUB_STEP_SUMMARY="+summary)
	stdout, err := cmd.Output()
	if err != nil || !strings.HasPrefix(string(stdout), "## Gate passed") {
		t.Errorf("%v\n%s", err, stdout)
	}
	if text, _ := os.ReadFile(summary); string(text) != "earlier\n"+string(stdout) {
		t.Errorf("the summary holds\n%s", text)
	}
	for _, side := range []string{"old", "new"} {
		jobs, err := results.ReadJobs(filepath.Join(out, side, "gate"))
		if err != nil || len(jobs) != 6 || jobs[1].Records[0].Seed() != "7" {
			t.Errorf("%s: %v, %d jobs", side, err, len(jobs))
		}
	}

	cmd = exec.Command("./paired.sh", bin, bin, "testdata/none.toml")
	message, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.Contains(string(message), "testdata/none.toml") {
		t.Errorf("no suite: exit %d\n%s", code, message)
	}
}

// score tempers the deterministic network's probabilities of one run, p^(1/T)
// normalised, and returns the results file of benchrun score.
func score(t *testing.T, bin, run string, temperature float64) string {
	t.Helper()
	jobs, err := results.ReadJobs(run)
	if err != nil {
		t.Fatal(err)
	}
	if jobs[0].Records[0].Method != "deterministic" {
		t.Fatalf("the first job is %s", jobs[0].Records[0].Name())
	}
	f, err := os.Open(filepath.Join(run, "jobs", jobs[0].ID, "predictions.npy"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var p mat.Dense
	if err := npyio.Read(f, &p); err != nil {
		t.Fatal(err)
	}
	n, classes := p.Dims()
	tempered, labels := mat.NewDense(n, classes, nil), make([]int64, n)
	for i := range n {
		row := tempered.RawRowView(i)
		for c := range row {
			row[c] = math.Pow(p.At(i, c), 1/temperature)
		}
		floats.Scale(1/floats.Sum(row), row)
		labels[i] = int64(i % classes) // the classes of blobs take turns
	}
	dir := t.TempDir()
	probs, y := filepath.Join(dir, "p.npy"), filepath.Join(dir, "y.npy")
	if err := results.WriteFile(probs, func(w io.Writer) error { return npyio.Write(w, tempered) }); err != nil {
		t.Fatal(err)
	}
	if err := results.WriteFile(y, func(w io.Writer) error { return npyio.Write(w, labels) }); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(filepath.Join(bin, "benchrun"), "score", "-probs", probs, "-labels", y, "-format", "bench",
		"-data", "blobs", "-model", "lenet-300-100", "-method", "deterministic").Output()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "results.txt")
	if err := os.WriteFile(path, out, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// slower returns a results file of the run in which training took longer by the factor.
func slower(t *testing.T, run string, factor float64) string {
	t.Helper()
	set, err := results.Load(run)
	if err != nil {
		t.Fatal(err)
	}
	for i := range set.Records {
		for j, v := range set.Records[i].Values {
			switch v.Unit {
			case "train-samples/s":
				set.Records[i].Values[j].Value /= factor
			case "train-sec":
				set.Records[i].Values[j].Value *= factor
			}
		}
	}
	path := filepath.Join(t.TempDir(), "results.txt")
	if err := results.WriteFile(path, func(w io.Writer) error { return results.Write(w, set) }); err != nil {
		t.Fatal(err)
	}
	return path
}
