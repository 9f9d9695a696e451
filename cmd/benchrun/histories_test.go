package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bayesbench/backends/rng"
	"bayesbench/results"
	"bayesbench/results/report"
)

// historySuite is the text of a suite with some of the methods, in the order of the numbers.
func historySuite(methods []int) string {
	tables := []string{
		"name = \"deterministic\"\n",
		"name = \"ffg\"\nprior_sigma = 1.0\n",
		"name = \"ffg\"\nprior_sigma = [0.1, 1.0]\n",
		"name = \"dropout\"\nlabel = \"mc\"\n",
		"name = \"sgld\"\nsamples = [2, 3]\n",
		"name = \"ensemble\"\nmembers = 2\n[method.of]\nname = \"deterministic\"\n",
	}
	text := "name = \"history\"\nmodel = \"softmax-regression\"\nseed = [0, 1]\n" +
		"[data]\nname = \"blobs\"\ntrain = 100\ntest = 50\n[train]\nepochs = 3\nbatch = 50\n[eval]\nsamples = 2\nbatch = 50\n"
	for _, m := range methods {
		text += "[[method]]\n" + tables[m]
	}
	return text
}

// Random histories of suites, seeds, overrides and extensions over one run directory end in the
// same results and tables as a fresh directory in which the same jobs are run in another order.
func TestHistoriesEndInTheSameTables(t *testing.T) {
	rounds := 6
	if testing.Short() {
		rounds = 1
	}
	overrides := []string{"", "train.epochs=4", "train.lr=[0.001, 0.01]", "eval.samples=3", "seed=[1, 2]", "seed=3", "train.augment=[\"flip\"]",
		"data.random_labels=[\"\", \"train\"]", "model=\"lenet-300-100\""}
	for round := range rounds {
		words := make([]uint32, 256)
		rng.Bits(words, rng.Key{uint32(round), 2}, 0)
		draw := func(below int) int {
			w := words[0]
			words = words[1:]
			return int(w % uint32(below))
		}
		dir := t.TempDir()
		var runs [][]string
		for range 2 + draw(3) {
			methods := []int{draw(6)}
			if m := draw(6); m != methods[0] && m*methods[0] != 1*2 { // those two have a job in common, which a suite refuses
				methods = append(methods, m)
			}
			suite := write(t, dir, fmt.Sprintf("%d.toml", len(runs)), historySuite(methods))
			args := []string{suite}
			for range 1 + draw(2) {
				if o := overrides[draw(len(overrides))]; o != "" {
					args = append(args, "-set", o)
				}
			}
			runs = append(runs, args)
		}
		whole := func(out string, order []int) (text []byte, tables string) {
			out = filepath.Join(dir, out)
			for _, i := range order {
				if code, _, log := benchrun(t, append([]string{"-out", out}, runs[i]...)...); code != 0 {
					t.Fatalf("round %d: %q: exit %d\n%s", round, runs[i], code, log)
				}
			}
			text, err := os.ReadFile(filepath.Join(out, "history", "results.txt"))
			if err != nil {
				t.Fatal(err)
			}
			set, err := results.ReadFile(filepath.Join(out, "history", "results.txt"))
			if err != nil {
				t.Fatal(err)
			}
			checkSetups(t, set)
			built, err := report.Build(set, report.Query{})
			if err != nil {
				t.Fatalf("round %d: %q: %v", round, runs, err)
			}
			var b bytes.Buffer
			if err := report.WriteCSV(&b, built); err != nil {
				t.Fatal(err)
			}
			return text, b.String()
		}
		forward, backward := make([]int, len(runs)), make([]int, len(runs))
		for i := range runs {
			forward[i], backward[i] = i, len(runs)-1-i
		}
		text, tables := whole("forward", forward)
		other, otherTables := whole("backward", backward)
		if !bytes.Equal(text, other) {
			t.Errorf("round %d: %q leaves\n%s\nand in the other order\n%s", round, runs, text, other)
		}
		if tables != otherTables || strings.Count(tables, "\n") < 2 {
			t.Errorf("round %d: %q: the tables are\n%s\nand in the other order\n%s", round, runs, tables, otherTables)
		}
	}
}

// checkSetups checks that no two configurations share a name, and that each value of a name and
// seed stands once.
func checkSetups(t *testing.T, set results.Set) {
	t.Helper()
	setups, values := map[string]string{}, map[string]bool{}
	for i := range set.Records {
		r := &set.Records[i]
		if other, ok := setups[r.Name()]; ok && other != r.Origin.Setup {
			t.Errorf("%s is the name of two configurations", r.Name())
		}
		setups[r.Name()] = r.Origin.Setup
		for _, v := range r.Values {
			value := fmt.Sprint(r.Name(), " ", v.Unit, " of seed ", r.Seed())
			if values[value] {
				t.Errorf("%s stands twice", value)
			}
			values[value] = true
		}
	}
}
