package ci

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
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

// seeds are those of the runs: one where tests are to be short.
func seeds() []string {
	if testing.Short() {
		return []string{"0"}
	}
	return []string{"0", "1", "2"}
}

// benchrun runs a suite named gate with some seeds and overrides into dir and returns the run
// directory.
func benchrun(t *testing.T, bin, dir, seeds, suite string, sets ...string) string {
	t.Helper()
	args := []string{"-out", dir, "-seed", seeds}
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

// The gate on real runs of the commands. None of it depends on how long they take: what the gate
// makes of timings is shown on simulated ones, here and in TestGateOnABusyMachine of package
// report.
func TestGate(t *testing.T) {
	bin := binaries(t)
	t.Run("identical runs", func(t *testing.T) { testIdenticalRuns(t, bin) })
	t.Run("names what broke", func(t *testing.T) { testNamesWhatBroke(t, bin) })
	t.Run("script", func(t *testing.T) { testScript(t, bin) })
}

// Three seeds in one process, and one after the other as ci/paired.sh runs them, are equal bit for
// bit in the metrics.
func testIdenticalRuns(t *testing.T, bin string) {
	dir := t.TempDir()
	together := benchrun(t, bin, filepath.Join(dir, "together"), strings.Join(seeds(), ","), suite, short...)
	var apart string
	for _, seed := range slices.Backward(seeds()) {
		apart = benchrun(t, bin, filepath.Join(dir, "apart"), seed, suite, short...)
	}
	checkStorage(t, together)
	verdict, pass := gate(t, bin, "-exact", "-timing", "fail", together, apart)
	if !pass || !strings.Contains(verdict, "Not tested: the smallest attainable p is ") {
		t.Errorf("passed: %v\n%s", pass, verdict)
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
	if pruned != len(seeds()) {
		t.Errorf("%d jobs say what their weights take, want those of sparse VD, %d", pruned, len(seeds()))
	}
}

func testNamesWhatBroke(t *testing.T, bin string) {
	dir := t.TempDir()
	run := func(name string, sets ...string) string {
		return benchrun(t, bin, filepath.Join(dir, name), strings.Join(seeds(), ","), suite, append(sets, "eval.save_predictions=true")...)
	}
	base := run("base")
	for _, c := range []struct {
		name     string
		old, new string
		flags    []string
		fails    bool
		want     []string // lines that must begin so
	}{
		{
			// The KL term out of the loss: nothing is pruned any more.
			"sparse VD without KL", base, run("kl", "method.kl_weight=0"), nil, true,
			[]string{"- BLOBS lenet-300-100 gonum sparse-vd: sparsity went from 0."},
		},
		{
			"temperature 2", score(t, bin, base, 1), score(t, bin, base, 2), nil, true,
			[]string{"- BLOBS lenet-300-100 external deterministic K=1: ece15-lorc went from 0."},
		},
		{
			"30 % slower steps", slower(t, base, 1), slower(t, base, 1.3), []string{"-timing", "fail"}, true,
			[]string{
				"- all rows together: train-samples/s (relative) went from 1 to 0.7692 (-23.1%, margin 15%,",
				"- all rows together: train-sec (relative) went from 1 to 1.3 (+30.0%, margin 15%,",
				"- BLOBS lenet-300-100 gonum sparse-vd: train-samples/s went from ",
			},
		},
		{
			"30 % slower steps, not asked", slower(t, base, 1), slower(t, base, 1.3), nil, false,
			[]string{"Slower, which fails no gate", "- all rows together: train-sec (relative) went from 1 to 1.3 (+30.0%, margin 15%,"},
		},
	} {
		verdict, pass := gate(t, bin, append(c.flags, c.old, c.new)...)
		if pass == c.fails {
			t.Errorf("%s: passed is %v:\n%s", c.name, pass, verdict)
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
	cmd := exec.Command("./paired.sh", bin, bin, quick(t), "-exact", "-metric", "error,nll")
	cmd.Env = append(os.Environ(), "SEEDS=3 7", "OUT="+out, "GITHUB_STEP_SUMMARY="+summary)
	stdout, err := cmd.Output()
	if err != nil || !strings.HasPrefix(string(stdout), "## Gate passed") {
		t.Errorf("%v\n%s", err, stdout)
	}
	if !regexp.MustCompile(`(?m)^(Other processes kept [0-9]+ % of the processors busy|The load of others was not measured)`).Match(stdout) {
		t.Errorf("nothing on the load of others:\n%s", stdout)
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

// quick returns the suite with a budget for runs whose numbers only have to be equal.
func quick(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(suite)
	if err != nil {
		t.Fatal(err)
	}
	small := strings.NewReplacer("[data]\n", "[data]\ntrain = 600\n", "epochs = 5", "epochs = 2", "samples = 4", "samples = 2", "warmup_end = 4", "warmup_end = 2")
	path := filepath.Join(t.TempDir(), "gate.toml")
	if err := os.WriteFile(path, []byte(small.Replace(string(text))), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
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

// slower returns a results file of six seeds, which have the numbers of the run's in turn, in which
// training took longer by the factor.
func slower(t *testing.T, run string, factor float64) string {
	t.Helper()
	set, err := results.Load(run)
	if err != nil {
		t.Fatal(err)
	}
	first := set.Records
	for copies := 1; copies*len(seeds()) < 6; copies++ {
		for _, r := range first {
			r.Config = slices.Clone(r.Config)
			for i, p := range r.Config {
				if p.Key == "seed" {
					r.Config[i].Value = fmt.Sprint(copies, p.Value)
				}
			}
			set.Records = append(set.Records, r)
		}
	}
	for i := range set.Records {
		r := &set.Records[i]
		r.Values = slices.Clone(r.Values)
		for j, v := range r.Values {
			switch v.Unit {
			case "train-samples/s":
				r.Values[j].Value /= factor
			case "train-sec":
				r.Values[j].Value *= factor
			}
		}
	}
	path := filepath.Join(t.TempDir(), "results.txt")
	if err := results.WriteFile(path, func(w io.Writer) error { return results.Write(w, set) }); err != nil {
		t.Fatal(err)
	}
	return path
}
