package report

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sbinet/npyio"
	"gonum.org/v1/gonum/mat"

	"bayesbench/results"
)

// savedJob is a job that saved its predictions: the probability of the true class of each of two at
// every point.
type savedJob struct {
	method, seed string
	right        []float64
}

// savedRun writes a run directory of the jobs; all labels are 0, 1, 0, 1, …
func savedRun(t *testing.T, jobs []savedJob) string {
	t.Helper()
	dir := t.TempDir()
	plan := results.Plan{Suite: "saved", Text: []byte("# saved\n")}
	for _, j := range jobs {
		plan.Jobs = append(plan.Jobs, j.method+"-"+j.seed)
	}
	run, err := results.Open(context.Background(), dir, plan, results.Alone, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	for i, j := range jobs {
		job, err := run.Claim(plan.Jobs[i])
		if err != nil {
			t.Fatal(err)
		}
		labels, p := make([]int64, len(j.right)), mat.NewDense(max(1, len(j.right)), 2, nil)
		for n, v := range j.right {
			labels[n] = int64(n % 2)
			p.Set(n, n%2, v)
			p.Set(n, 1-n%2, 1-v)
		}
		if len(j.right) > 0 {
			if err := job.WriteFile("predictions.npy", func(w io.Writer) error { return npyio.Write(w, p) }); err != nil {
				t.Fatal(err)
			}
			if err := job.WriteFile("labels.npy", func(w io.Writer) error { return npyio.Write(w, labels) }); err != nil {
				t.Fatal(err)
			}
		}
		r := record(j.method, j.seed, 1, results.Value{Unit: "error", Value: 0.5})
		if err := job.Finish(results.Manifest{}, results.Set{Units: demoUnits, Records: []results.Record{r}}, results.Details{}); err != nil {
			t.Fatal(err)
		}
		job.Release()
	}
	return dir
}

func buildPoints(t *testing.T, dir string, q Query) []PointTable {
	t.Helper()
	d, err := LoadData(dir)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := BuildPoints(d, q)
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// Of twelve points the baseline is wrong on eight that the other is right on, and on none the other
// way round: McNemar's p is 2/2⁸. The NLL differs by log 0.8 − log 0.4 on those, and not elsewhere.
func TestPoints(t *testing.T) {
	base, other := make([]float64, 12), make([]float64, 12)
	for n := range base {
		base[n], other[n] = 0.8, 0.8
		if n < 8 {
			base[n] = 0.4
		}
	}
	dir := savedRun(t, []savedJob{{"deterministic", "0", base}, {"ffg", "0", other}, {"late", "7", other}, {"silent", "0", nil}})
	tables := buildPoints(t, dir, Query{Baseline: "deterministic"})
	if len(tables) != 1 || len(tables[0].Rows) != 1 {
		t.Fatalf("%+v", tables)
	}
	r := tables[0].Rows[0]
	if r.Method != "ffg" || r.Seeds != 1 || r.Points != 12 || math.Abs(r.Error.Delta+8./12) > 1e-12 || math.Abs(r.Error.P-2./256) > 1e-12 || r.Error.Verdict != IsBetter {
		t.Errorf("%+v", r)
	}
	if want := -8. / 12 * math.Log(2); math.Abs(r.NLL.Delta-want) > 1e-7 || !(r.NLL.Lo < want && want < r.NLL.Hi) || r.NLL.Verdict != IsBetter {
		t.Errorf("%+v, want %v", r.NLL, want)
	}
	notes := strings.Join(tables[0].Notes, " ")
	for _, want := range []string{"late is left out: it shares no seed with deterministic", "1 job without saved predictions"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no %q in %s", want, notes)
		}
	}
	for format, want := range map[string]string{"text": "-0.6667 [", "markdown": "| ffg |", "json": `"p": 0.00781250000000001`} {
		var out bytes.Buffer
		if err := WritePoints(&out, tables, format, Style{Width: 100}); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %v\n%s", format, err, out.String())
		}
	}
	if err := WritePoints(&bytes.Buffer{}, tables, "pdf", Style{}); err == nil {
		t.Error("format pdf passed")
	}
}

// Over several seeds the losses of each point are averaged first: with errors of opposite sign
// nothing is left.
func TestPointsOverSeeds(t *testing.T) {
	low, high := make([]float64, 40), make([]float64, 40)
	for n := range low {
		low[n], high[n] = 0.3, 0.7
	}
	dir := savedRun(t, []savedJob{{"deterministic", "0", low}, {"deterministic", "1", high}, {"ffg", "0", high}, {"ffg", "1", low}, {"zero", "0", make([]float64, 40)}})
	for _, r := range buildPoints(t, dir, Query{Baseline: "deterministic"})[0].Rows {
		switch {
		case r.Method == "ffg" && (r.Seeds != 2 || r.Error.Delta != 0 || r.Error.P != 1 || r.NLL.Verdict != Undecided):
			t.Errorf("%+v", r)
		case r.Method == "zero" && (r.NLL.Verdict != IsWorse || r.Error.Delta != 0 || r.Error.P != 1):
			t.Errorf("%+v", r)
		}
	}
}

func TestPointsErrors(t *testing.T) {
	right := []float64{0.9, 0.9}
	for want, jobs := range map[string][]savedJob{
		"set eval.save_predictions = true": {{"deterministic", "0", nil}},
		`did you mean "ffg"`:               {{"ffg", "0", right}},
		"was tested on other labels":       {{"deterministic", "0", right}, {"ffg", "0", []float64{0.9, 0.9, 0.9}}},
	} {
		d, err := LoadData(savedRun(t, jobs))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := BuildPoints(d, Query{Baseline: "deterministic"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	if _, err := BuildPoints(Data{Set: demoSet(1)}, Query{Baseline: "deterministic"}); err == nil || !strings.Contains(err.Error(), "give a run directory") {
		t.Error(err)
	}
	// A file that is not the job's any more is not read.
	dir := savedRun(t, []savedJob{{"deterministic", "0", right}, {"ffg", "0", right}})
	other := savedRun(t, []savedJob{{"ffg", "0", []float64{0.1, 0.1}}})
	name := filepath.Join("jobs", "ffg-0", "predictions.npy")
	text, err := os.ReadFile(filepath.Join(other, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
		t.Fatal(err)
	}
	d, err := LoadData(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := BuildPoints(d, Query{Baseline: "deterministic"}); err == nil || !strings.Contains(fmt.Sprint(err), "is damaged") {
		t.Errorf("error %v", err)
	}
}
