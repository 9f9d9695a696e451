package suites

import (
	"strings"
	"testing"
)

const small = `name = "small"
model = "lenet-300-100"
seed = [0, 1]

[data]
name = "blobs"

[train]
epochs = 2
lr = [1e-3, 1e-2]

[[method]]
name = "deterministic"

[[method]]
name = "ensemble"
members = [2, 3]
[method.of]
name = "dropout"
rate = [0.1, 0.5]
`

func TestCrossProduct(t *testing.T) {
	s, err := Parse("small.toml", []byte(small), nil)
	if err != nil {
		t.Fatal(err)
	}
	// 2 seeds x 2 learning rates, alone and x 2 sizes x 2 rates.
	if len(s.Jobs) != 4+16 {
		t.Fatalf("%d jobs, want 20", len(s.Jobs))
	}
	last := s.Jobs[19]
	if last.Seed != 1 || last.Train.LR != 1e-2 || last.Method.Label() != "ensemble(dropout)" {
		t.Errorf("last job: seed %d lr %g method %s", last.Seed, last.Train.LR, last.Method.Label())
	}
	var swept []string
	for _, w := range last.Swept {
		swept = append(swept, w.Key+"="+w.Value)
	}
	if got := strings.Join(swept, " "); got != "train-lr=0.01 members=3 of-rate=0.5" {
		t.Errorf("swept keys: %s", got)
	}
	ids := map[string]bool{}
	for _, j := range s.Jobs {
		ids[j.ID()] = true
	}
	if len(ids) != 20 {
		t.Errorf("%d ids for 20 jobs", len(ids))
	}
}

// An id is a function of what the job is, not of how the suite was written.
func TestIDIsStable(t *testing.T) {
	one, err := Parse("a.toml", []byte(small), nil)
	if err != nil {
		t.Fatal(err)
	}
	rest := strings.Replace(small, `name = "small"`, "name = \"other\" # renamed\n", 1)
	rest = strings.Replace(rest, "seed = [0, 1]", "seed = 1", 1)
	two, err := Parse("b.toml", []byte(rest), []string{"train.lr=0.01"})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := one.Jobs[3].ID(), two.Jobs[0].ID(); a != b {
		t.Errorf("the same job has the ids %s and %s", a, b)
	}
}

func TestBadInput(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown key", "epochs = 2", "epoch = 2", `small.toml:9: unknown key "train.epoch"; did you mean "epochs"?`},
		{"unknown table", "[train]", "[trian]", `small.toml:8: unknown key "trian"; did you mean "train"?`},
		{"wrong type", "epochs = 2", `epochs = "two"`, `small.toml:9: train.epochs: want a whole number, found a string`},
		{"list of lists", "lr = [1e-3, 1e-2]", "lr = [[1e-3]]", `small.toml:10: lr: want a value or a list of values`},
		{"empty list", "lr = [1e-3, 1e-2]", "lr = []", `small.toml:10: lr: the list is empty`},
		{"list of names", `name = "deterministic"`, `name = ["deterministic", "dropout"]`, `small.toml:13: name: a list does not fit here`},
		{"suite name list", `name = "small"`, `name = ["small"]`, `small.toml:1: name: want a string, found a list`},
		{"out of range", "epochs = 2", "epochs = 0", `small.toml:9: train.epochs: want at least 1, found 0`},
		{"nan", "lr = [1e-3, 1e-2]", "lr = nan", `small.toml:10: lr: want a finite number`},
		{"negative lr", "lr = [1e-3, 1e-2]", "lr = -1.0", `small.toml:10: train.lr: want more than 0, found -1`},
		{"unknown schedule", "epochs = 2", `schedule = "linaer"`, `small.toml:9: train.schedule: unknown "linaer"; did you mean "linear"?`},
		{"syntax", "epochs = 2", "epochs = = 2", `small.toml:9: `},
		{"no method", "[[method]]", "[[methods]]", `small.toml:`},
		{"no model", `model = "lenet-300-100"`, "", `model: want a name`},
		{"no data", `name = "blobs"`, "", `small.toml:5: data.name: want a name`},
		{"bad seed", "seed = [0, 1]", "seed = -1", `small.toml:3: seed: `},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(small, c.old, c.new, -1)
			if text == small {
				t.Fatal("the case changes nothing")
			}
			_, err := Parse("small.toml", []byte(text), nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v\nwant      %s", err, c.want)
			}
		})
	}
}

func TestOverrides(t *testing.T) {
	s, err := Parse("small.toml", []byte(small), []string{"train.lr=0.5", "data.name=mnist", "method.members=7", "method.of.rate=[0.3]", "seed=4"})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Jobs) != 2 {
		t.Fatalf("%d jobs, want 2", len(s.Jobs))
	}
	j := s.Jobs[1]
	var own struct {
		Members int `toml:"members"`
	}
	if err := j.Method.Without("name", "of").Decode(&own); err != nil {
		t.Fatal(err)
	}
	if j.Train.LR != 0.5 || j.Data.Name != "mnist" || own.Members != 7 || j.Seed != 4 {
		t.Errorf("overrides not taken: %+v, members %d", j, own.Members)
	}
	if _, err := Parse("small.toml", []byte(small), []string{"method.nothing=1"}); err == nil {
		t.Error("an override of a key that no method has was taken")
	}
}

// A method decodes its own keys, and an unknown one names its line.
func TestMethodKeys(t *testing.T) {
	s, err := Parse("small.toml", []byte(small), nil)
	if err != nil {
		t.Fatal(err)
	}
	of, ok := s.Jobs[19].Method.Sub("of")
	if !ok {
		t.Fatal("no table of")
	}
	var bad struct {
		Rates float64 `toml:"rates"`
	}
	err = of.Without("name").Decode(&bad)
	if want := `small.toml:20: unknown key "rate"; did you mean "rates"?`; err == nil || err.Error() != want {
		t.Errorf("error %v\nwant      %s", err, want)
	}
}
