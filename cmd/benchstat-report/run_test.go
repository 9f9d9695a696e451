package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bayesbench/cmd/internal/cli"
)

const resultsText = `format: bayesbench-1
Unit error better=lower assume=nothing
Unit nll better=lower assume=nothing

seed: 0

BenchmarkMNIST/model=m/method=deterministic/backend=gonum/samples=1 1 0.02 error 0.1 nll
BenchmarkMNIST/model=m/method=ffg-vi/backend=gonum/samples=8 1 0.01 error 0.05 nll
`

func writeResults(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "results.txt")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestVerbs(t *testing.T) {
	path := writeResults(t, resultsText)
	line := "BenchmarkMNIST/model=m/method=ffg-vi/backend=gonum/samples=8 1 0.01 error 0.05 nll\n"
	split := writeResults(t, strings.Replace(resultsText, line, line+"\ndata-split: 1\n\n"+strings.Replace(line, "0.05", "0.06", 1), 1))
	worse := writeResults(t, strings.Replace(resultsText, "0.05 nll", "0.09 nll", 1))
	for _, c := range []struct {
		args     string
		code     int
		out, err string
	}{
		{path, 0, "ffg-vi", ""},
		{"table " + path, 0, "ffg-vi", ""},
		{"-metric nll " + path + " -format csv", 0, "ffg-vi 8,nll,nll,lower,1,seeds,0.05", ""},
		{path + " -baseline deterministic", 0, "Too few seeds", ""},
		{"-filter /method:/ffg./ " + path, 0, "ffg-vi", ""},
		{path + " -spread se", 0, "ffg-vi", ""},
		{split + " -spread se", 0, "Mean ± standard error of the mean over 1 to 2 splits", ""},
		{split, 0, "splits", ""},
		{split + " -spread sd -format markdown", 0, "Mean ± standard deviation over 1 to 2 splits", ""},
		{"html -spread ci95 -o " + split + ".html " + split, 0, split + ".html", ""},
		{path + " -baseline deterministic -alpha -1", 2, "", "want more than 0 and less than 1"},
		{path + " -baseline deterministic -alpha 0", 2, "", "want more than 0 and less than 1"},
		{"points -alpha nan " + path, 2, "", "want more than 0 and less than 1"},
		{"paper -alpha 2 sparse-vd " + path, 2, "", "want more than 0 and less than 1"},
		{path + " -primary nll", 2, "", "name one (-baseline), such as"},
		{path + " -spread x", 2, "", "want sd, se or ci95"},
		{"aggregate " + path, 0, "ffg-vi", ""},
		{"aggregate -baseline none " + path, 2, "", "no method \"none\""},
		{"plot samples " + path + " -metric nll -o " + path + ".png", 0, path + ".png: MNIST", ""},
		{"plot pareto -o " + path + ".gif " + path, 2, "", "nothing to draw for pareto"},
		{"plot sample " + path, 2, "", `did you mean "samples"?`},
		{"plot", 2, "", "which figure?"},
		{"html -o " + path + ".html " + path, 0, path + ".html", ""},
		{"html -o " + path + "/no/page.html " + path, 2, "", path + "/no"},
		{"paper sparse-vd " + path, 0, "98.9-97.2-62.0", ""},
		{"paper sparse " + path, 2, "", "there are bayesian-dark-knowledge"},
		{"-h", 0, "", "benchstat-report runs/quick"},
		{"table -h", 0, "", "-baseline"},
		{"", 2, "", "which results?"},
		{path + "x", 2, "", "no such file"},
		{"-format pdf " + path, 2, "", "-format pdf: want text"},
		{"-nosuch " + path, 2, "", "not defined: -nosuch"},
		{"compare " + path + " " + worse, 0, "ffg-vi K=8  nll     0.05  0.09   +0.04", ""},
		{"compare " + path, 2, "", "1 paths: want OLD and NEW"},
		{"gate " + path + " " + path, 0, "Gate passed", ""},
		{"gate " + path + " " + worse, 1, "ffg-vi K=8: nll went from 0.05 to 0.09", "gate failed: 1 regressions, 0 missing"},
		{"gate -margin nll=0.1 " + path + " " + worse, 0, "Gate passed", ""},
		{"gate -margin nll " + path + " " + worse, 2, "", `margin "nll"`},
		{path + " -row /metod", 2, "", `no result has the key "/metod"; did you mean "/method"?`},
		{path + " -filter /metod:ffg-vi", 2, "", `none has the key "/metod"; did you mean "/method"?`},
		{path + " -metric nl", 2, "", `did you mean "nll"?`},
	} {
		var out, errs bytes.Buffer
		code := cli.ExitCode(&errs, name, run(context.Background(), &out, &errs, strings.Fields(c.args)))
		if code != c.code || !strings.Contains(out.String(), c.out) || !strings.Contains(errs.String(), c.err) {
			t.Errorf("%s: exit %d\nout: %s\nerr: %s", c.args, code, out.String(), errs.String())
		}
	}
}
