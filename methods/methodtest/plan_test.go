package methodtest_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"bayesbench/methods"
	"bayesbench/methods/methodtest"
)

func planOf(t *testing.T, v variant) *methods.Plan {
	t.Helper()
	m, err := methodtest.New(v.name, v.keys)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := m.Plan(methodtest.MLP, methodtest.Toy())
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// A plan prints as the JSON of testdata/plans.json: a chain's schedules, kept steps and step size,
// a stage with something to do at its end, and an ensemble's members.
func TestPlanJSON(t *testing.T) {
	const file = "testdata/plans.json"
	plans := map[string]*methods.Plan{}
	for _, v := range []variant{
		{"sgld", "samples = 3"}, {"ffg", ""}, {"magnitude-pruning", keys["magnitude-pruning"]},
		{"ensemble", "members = 3\n[of]\nname = \"deterministic\""},
	} {
		plans[v.name] = planOf(t, v)
	}
	text, err := json.MarshalIndent(plans, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	if *update {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, want) {
		t.Errorf("the plans differ from %s; -update writes it where that is meant. Found:\n%s", file, text)
	}
}

// Two plans of one job have one hash, and a change of any part has another.
func TestPlanHash(t *testing.T) {
	hash := func(v variant) string {
		text, err := planOf(t, v).Hash()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	seen := map[string]string{}
	for _, v := range append([]variant{
		{"sgld", ""}, {"sgld", "lr = 0.2"}, {"sgld", "samples = 3"}, {"sgld", "prior_sigma = 2"},
		{"ensemble", "members = 3\n[of]\nname = \"ffg\""}, {"deterministic", "init = \"he\""},
	}, variants...) {
		h := hash(v)
		if h != hash(v) {
			t.Errorf("%v: two hashes of one plan", v)
		}
		if at, ok := seen[h]; ok {
			t.Errorf("%v has the hash of %s", v, at)
		}
		seen[h] = v.name + " " + v.keys
	}
}
