package external_test

import (
	"reflect"
	"slices"
	"testing"

	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
)

// A plan holds what the suite says of the program, and no program of ours.
func TestPlan(t *testing.T) {
	m, err := methodtest.New("external", "command = [\"python3\", \"swag.py\"]\ntimeout = 60\ndisk = 0.5\n[args]\nrank = 20")
	if err != nil {
		t.Fatal(err)
	}
	j := methodtest.Toy()
	plan, err := m.Plan(methodtest.MLP, j)
	if err != nil {
		t.Fatal(err)
	}
	p := plan.Program
	if p == nil || !slices.Equal(p.Command, []string{"python3", "swag.py"}) || p.Args["rank"] != int64(20) {
		t.Fatalf("the program is %+v", p)
	}
	if p.Timeout != 60 || p.Disk != 1<<29 || p.Epochs != j.Epochs || p.Batch != j.Batch || !reflect.DeepEqual(p.Train, j.Train) {
		t.Errorf("the program is told %+v", p)
	}
	if len(plan.State)+len(plan.Stages) > 0 || len(plan.Predictors) != 1 || plan.Predictors[0].Program != nil {
		t.Errorf("the plan has programs of ours: %+v", plan)
	}
}

func TestRefusals(t *testing.T) {
	const command = "command = [\"true\"]\n"
	for keys, key := range map[string]string{
		"":                         "command",
		"command = []":             "command",
		"command = [\"\", \"a\"]":  "command",
		command + "timeout = 0":    "timeout",
		command + "timeout = nan":  "timeout",
		command + "timeout = 1e10": "timeout",
		command + "disk = -1.0":    "disk",
		command + "disk = inf":     "disk",
		command + "memory = 1":     "memory",
	} {
		methodtest.Refused(t, "external", keys, key)
	}
}
