package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bayesbench/results"
)

// What the pages of this tree show is what its committed results print.
func TestPagesOfTheTree(t *testing.T) {
	var out bytes.Buffer
	if err := run(context.Background(), &out, nil); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestParse(t *testing.T) {
	text := "# Title\n<!-- table: benchstat-report x -->\n| a |\n<!-- end -->\n```\n<!-- table: in a fence -->\n```\n<!-- quotes -->\n0.5\n<!-- end -->\n"
	p, err := parse("page.md", text)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.blocks) != 2 || p.blocks[0] != (block{tableMark, "benchstat-report x", 2, 2, 3}) || p.blocks[1] != (block{quotesMark, "", 8, 8, 9}) {
		t.Errorf("blocks %+v", p.blocks)
	}
	if body := p.body(p.blocks[0]); body != "| a |\n" {
		t.Errorf("body %q", body)
	}
	for text, want := range map[string]string{
		"<!-- end -->\n":                    "page.md:1:",
		"\n<!-- table: x -->\n":             "page.md:2: the mark has no <!-- end -->",
		"<!-- table -->\n<!-- end -->\n":    "page.md:1: found <!-- table -->",
		"<!-- quotes: x -->\n":              "page.md:1:",
		"<!--table: x -->\n<!-- end -->\n":  "page.md:1:",
		"see <!-- end -->\n<!-- quotes -->": "page.md:2: the mark has no",
		"<!-- quotes -->\n<!-- quotes -->":  "page.md:2: want <!-- end --> of the mark in line 1 first",
	} {
		if _, err := parse("page.md", text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestTablesWithoutAnOrigin(t *testing.T) {
	for text, want := range map[string]int{
		"| a | b |\n| --- | ---: |\n| x | 0.5 |\n":                                      1,
		"| a | b |\n| --- | --- |\n| x | **1,000.5** |\n":                               1,
		"| a | b |\n| --- | --- |\n| x | 12 ± 3 |\n":                                    1,
		"<!-- measured: by hand -->\n| a |\n| --- |\n| 0.5 |\n<!-- end -->\n":           0,
		"| key | default |\n| --- | --- |\n| lr | 0.001 |\n":                            0,
		"| flag | means |\n| --- | --- |\n| -time | a step of 0.5, version v0.9.18 |\n": 0,
	} {
		p, err := parse("page.md", text)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.unmarked(); len(got) != want || want == 1 && !strings.HasPrefix(got[0], "page.md:1: ") {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestQuotes(t *testing.T) {
	table := "<!-- table: benchstat-report x -->\n    benchstat-report -alpha 0.7\n\n| 0.0463 ±0.0005 | 3.06e-07 | 12 |\n<!-- end -->\n"
	for prose, missing := range map[string]string{
		"0.0463 and 0.05, 4.63 % and 4.6 %.":                 "", // rounded, or as a percentage
		"0.0464 is old":                                      "0.0464",
		"4.64 % is old":                                      "4.64",
		"with 0.0005, 0.9":                                   "0.9",
		"0.7 is in the command alone":                        "0.7",
		"v0.9.18, x0.31, 1.2.3 are no figures; see a/0.4.md": "",
	} {
		p, err := parse("page.md", table+"<!-- quotes -->\n"+prose+"\n<!-- end -->\n")
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(p.unquoted(), "\n")
		want := ""
		if missing != "" {
			want = "page.md:7: " + missing + " stands in no table of this page"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", prose, got, want)
		}
	}
}

func TestArguments(t *testing.T) {
	got, err := arguments(`benchstat-report table -filter '/method:(a OR "b c")' results/x`)
	if err != nil || strings.Join(got, "|") != `table|-filter|/method:(a OR "b c")|results/x` {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"rm -r results", "benchstat-report 'x", ""} {
		if _, err := arguments(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// What is stale is said by run directory, with the reason and the methods.
func TestStale(t *testing.T) {
	root := t.TempDir()
	const text = "format: bayesbench-1\nUnit nll better=lower assume=nothing\n\nseed: 0\nversion: devel\n\n" +
		"BenchmarkBLOBS/model=m/method=ffg/backend=gonum/samples=1 1 0.5 nll\n"
	run, err := results.Open(t.Context(), filepath.Join(root, "results", "published", "paper", "some"), results.Plan{Suite: "some"}, results.Alone, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	if err := os.WriteFile(filepath.Join(run.Dir, "results.txt"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := listStale(&out, root); err != nil {
		t.Fatal(err)
	}
	want := "results/published/paper/some: 1 jobs cannot be traced to a commit: devel: ffg\n0 of 1 kept results are traceable and of today's values\n"
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
}

const tiny = `name = "tiny"
model = "softmax-regression"
seed = [0, 1]
[data]
name = "blobs"
train = 200
test = 100
[train]
epochs = 1
batch = 50
[eval]
samples = 1
batch = 100
[[method]]
name = "deterministic"
`

// A page is written, holds, differs when a digit changes, and differs from a run with other
// results.
func TestWriteCheckTrain(t *testing.T) {
	ctx := context.Background()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	tools, err := build(ctx, root, "benchstat-report", "benchrun")
	if err != nil {
		t.Fatal(err)
	}
	defer tools.remove()
	tools.root = t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(tools.root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	read := func() []page {
		t.Helper()
		pages, err := readPages(tools.root)
		if err != nil {
			t.Fatal(err)
		}
		return pages
	}
	keep := func(flags ...string) {
		t.Helper()
		if err := os.RemoveAll(filepath.Join(tools.root, "results")); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(filepath.Join(tools.dir, "benchrun"), append(flags, "-out", "results/published", "tiny.toml")...)
		cmd.Dir = tools.root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if err := tools.write(ctx, io.Discard, read()); err != nil {
			t.Fatal(err)
		}
	}
	write("tiny.toml", tiny)
	write("README.md", "# Read me\n<!-- table: benchstat-report -metric error,nll results/published/tiny -->\n<!-- end -->\n\nEnd.\n")
	keep()
	if err := tools.check(ctx, io.Discard, read()); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := tools.train(ctx, &out, read(), "tiny.toml"); err != nil || !strings.Contains(out.String(), "the digits must agree") {
		t.Errorf("the same run: %v\n%s", err, out.String())
	}

	text, err := os.ReadFile(filepath.Join(tools.root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(text, []byte("deterministic"))
	digit := at + bytes.Index(text[at:], []byte("0."))
	changed := bytes.Clone(text)
	changed[digit] = '7'
	write("README.md", string(changed))
	out.Reset()
	err = tools.check(ctx, &out, read())
	if !errors.Is(err, errDiffers) || !strings.Contains(out.String(), "README.md:2: ") || !strings.Contains(out.String(), "\n- deterministic") || !strings.Contains(out.String(), "\n+ deterministic") {
		t.Errorf("a changed digit: %v\n%s", err, out.String())
	}

	// The kept results are of another training now, and the page is theirs.
	keep("-set", "train.lr=0.05")
	out.Reset()
	err = tools.train(ctx, &out, read(), "tiny.toml")
	if !errors.Is(err, errDiffers) || !strings.Contains(out.String(), "README.md:2: the table differs from a run of tiny.toml") {
		t.Errorf("another run: %v\n%s", err, out.String())
	}
	// Other kernels would round differently. What is further away than that is found as well.
	args := []string{"-metric", "error,nll", "results/published/tiny"}
	runs, err := filepath.Glob(filepath.Join(tools.dir, "runs*", "tiny"))
	if err != nil || len(runs) == 0 {
		t.Fatal(runs, err)
	}
	said, err := tools.compare(ctx, args, replaced(args, 2, runs[0]), false)
	if err != nil || !strings.Contains(said, "deterministic 1: error is ") || !strings.Contains(said, "(margin 0.003)") {
		t.Errorf("another run with other kernels: %q, %v", said, err)
	}
	if said, err := tools.compare(ctx, args, args, true); said != "" || err != nil {
		t.Errorf("a run and itself: %q, %v", said, err)
	}
	if said, err := tools.compare(ctx, append(args[:1:1], "error", "results/published/tiny"), args, true); err != nil || !strings.Contains(said, "nll is in the run, and not in the kept results") {
		t.Errorf("a run with more: %q, %v", said, err)
	}
}
