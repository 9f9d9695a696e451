package methodtest_test

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"bayesbench/methods"
	"bayesbench/methods/methodtest"
	"bayesbench/methods/nn"
)

var update = flag.Bool("update", false, "write testdata/programs.txt anew")

// The programs of every method for a classifier are those of testdata/programs.txt, op for op: a
// line holds the method, its keys, the model, and a hash of the plan's slots and of the text of its
// programs. A change of a line changes the bits of results that are published; -update writes the
// file where that is meant.
func TestPrograms(t *testing.T) {
	const file = "testdata/programs.txt"
	want, err := os.ReadFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	cases := append([]variant(nil), variants...)
	for _, d := range methods.Drivers() {
		cases = append(cases, variant{d.Name, keys[d.Name]})
	}
	var found strings.Builder
	for _, c := range cases {
		m, err := methodtest.New(c.name, c.keys)
		if err != nil {
			t.Fatal(err)
		}
		for _, model := range []nn.Model{methodtest.MLP, methodtest.ConvNet} {
			plan, err := m.Plan(model, methodtest.Toy())
			if err != nil {
				t.Fatal(err)
			}
			h := sha256.New()
			writePrograms(h, plan)
			writeGradients(t, h, m, plan, model)
			line := fmt.Sprintf("%s %q %s %x\n", c.name, c.keys, model.Name, h.Sum(nil)[:8])
			found.WriteString(line)
			if !*update && !strings.Contains(string(want), line) {
				t.Errorf("%s no longer has the programs of %s; found %s", c.name, file, line)
			}
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(found.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// writePrograms writes the slots and programs of a plan.
func writePrograms(w io.Writer, plan *methods.Plan) {
	for _, slot := range plan.State {
		fmt.Fprintf(w, "%v %v {%v %v %v}\n", slot.Name, slot.Type, slot.Init.Dist, slot.Init.A, slot.Init.B)
	}
	for _, s := range plan.Stages {
		fmt.Fprintln(w, s.Name, s.Steps, s.FullBatch, s.Kept)
		fmt.Fprint(w, s.Step)
	}
	if plan.Program != nil {
		fmt.Fprintf(w, "program %q\n", plan.Program.Command)
		return
	}
	for _, p := range plan.Predictors {
		fmt.Fprintln(w, p.Name, p.Stochastic, p.Kept, p.Chain)
		fmt.Fprint(w, p.Program)
		if p.Refresh != nil {
			fmt.Fprint(w, p.Refresh)
		}
	}
	if plan.Report != nil {
		fmt.Fprint(w, plan.Report)
	}
	fmt.Fprintln(w, plan.Weights, len(plan.Members), plan.Teacher != nil)
}

// writeGradients writes the programs of the estimators that the plan names.
func writeGradients(t *testing.T, w io.Writer, m methods.Method, plan *methods.Plan, model nn.Model) {
	for _, estimator := range plan.Estimators {
		program, err := m.(methods.Comparer).Gradient(model, methodtest.Toy(), estimator)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(w, estimator)
		fmt.Fprint(w, program)
	}
}
