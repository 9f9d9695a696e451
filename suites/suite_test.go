package suites

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
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
	s, err := Parse(words, "small.toml", []byte(small), nil)
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
	text, err := json.Marshal(last.Method)
	if want := `{"members":3,"name":"ensemble","of":{"name":"dropout","rate":0.5}}`; err != nil || string(text) != want {
		t.Errorf("last method: %s, want %s (%v)", text, want, err)
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
	one, err := Parse(words, "a.toml", []byte(small), nil)
	if err != nil {
		t.Fatal(err)
	}
	rest := strings.Replace(small, `name = "small"`, "name = \"other\" # renamed\n", 1)
	rest = strings.Replace(rest, "seed = [0, 1]", "seed = 1", 1)
	two, err := Parse(words, "b.toml", []byte(rest), []string{"train.lr=0.01"})
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
		{"likelihood that is no table", "members = [2, 3]", "likelihood = 3", `small.toml:17: method.likelihood: want a table [method.likelihood], found a whole number`},
		{"train that is no table", "rate = [0.1, 0.5]", "train = true", `small.toml:20: method.of.train: want a table [method.of.train], found true or false`},
		{"choice that is no table", "members = [2, 3]", "choose = [1, 2]", `small.toml:17: method.choose: want a table [method.choose], found a list`},
		{"part that is no table", "members = [2, 3]", "teacher = \"a\"", `small.toml:17: method.teacher: want a table [method.teacher], found a string`},
		{"list of lists", "lr = [1e-3, 1e-2]", "lr = [[1e-3]]", `small.toml:10: train.lr: want a value or a list of values`},
		{"empty list", "lr = [1e-3, 1e-2]", "lr = []", `small.toml:10: train.lr: the list is empty`},
		{"list of names", `name = "deterministic"`, `name = ["deterministic", "dropout"]`, `small.toml:13: name: a list does not fit here`},
		{"suite name list", `name = "small"`, `name = ["small"]`, `small.toml:1: name: want a string, found a list`},
		{"out of range", "epochs = 2", "epochs = 0", `small.toml:9: train.epochs: want at least 1, found 0`},
		{"nan", "lr = [1e-3, 1e-2]", "lr = nan", `small.toml:10: train.lr: want a finite number`},
		{"nan in a list", "lr = [1e-3, 1e-2]", "lr = [1e-3, nan]", `small.toml:10: train.lr: want a finite number`},
		{"more than float32", "lr = [1e-3, 1e-2]", "lr = 1e39", `small.toml:10: train.lr: want a number that float32 holds`},
		{"less than float32", "lr = [1e-3, 1e-2]", "lr = [1e-3, 1e-50]", `small.toml:10: train.lr: want a number that float32 holds`},
		{"more than float32 of a method", "rate = [0.1, 0.5]", "rate = [0.1, 1e300]", `small.toml:20: method.of.rate: want a number that float32 holds`},
		{"negative lr", "lr = [1e-3, 1e-2]", "lr = -1.0", `small.toml:10: train.lr: want more than 0, found -1`},
		{"unknown random labels", "[train]", "random_labels = \"test\"\n[train]", `small.toml:8: data.random_labels: unknown "test"; want one of all, train`},
		{"unknown schedule", "epochs = 2", `schedule = "linaer"`, `small.toml:9: train.schedule: unknown "linaer"; did you mean "linear"?`},
		{"syntax", "epochs = 2", "epochs = = 2", `small.toml:9: `},
		{"no method", "[[method]]", "[[methods]]", `small.toml:`},
		{"no model", `model = "lenet-300-100"`, "", `model: want a name`},
		{"no data", `name = "blobs"`, "", `small.toml:5: data.name: want a name`},
		{"bad seed", "seed = [0, 1]", "seed = -1", `small.toml:3: seed: `},
		{"seed twice", "seed = [0, 1]", "seed = [0, 1, 0]", `small.toml:3: seed: want each value once, found 0 twice`},
		{"rate twice", "rate = [0.1, 0.5]", "rate = [0.1, 1e-1]", `small.toml:20: method.of.rate: want each value once, found 0.1 twice`},
		{"method twice", `name = "ensemble"
members = [2, 3]
[method.of]
name = "dropout"
rate = [0.1, 0.5]
`, `name = "deterministic"`, `small.toml:15: deterministic: another [[method]] above makes the same job`},
		{"no pattern", `name = "small"`, `name = "*"`, `small.toml:1: name: want a suite name of at most 100 letters`},
		{"no flag", `name = "small"`, `name = "-rf"`, `small.toml:1: name: want a suite name`},
		{"no parent", `name = "small"`, `name = ".."`, `small.toml:1: name: want a suite name`},
		{"no letters", `name = "small"`, `name = "a b"`, `small.toml:1: name: want a suite name`},
		{"long name", `name = "small"`, `name = "` + strings.Repeat("a", 101) + `"`, `small.toml:1: name: want a suite name`},
		{"empty label", "members = [2, 3]", `label = ""`, `small.toml:17: label: want a name of at most 100 characters`},
		{"label of spaces", "members = [2, 3]", `label = " a"`, `small.toml:17: label: want a name`},
		{"label of numbers", "members = [2, 3]", `label = [1, 2]`, `small.toml:17: label: want a name`},
		{"nested label", "rate = [0.1, 0.5]", `label = ""`, `small.toml:20: label: want a name`},
		{"nested name", `name = "dropout"`, `nam = "dropout"`, `small.toml:18: [method.of]: want a name`},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(small, c.old, c.new, -1)
			if text == small {
				t.Fatal("the case changes nothing")
			}
			_, err := Parse(words, "small.toml", []byte(text), nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v\nwant      %s", err, c.want)
			}
		})
	}
}

func TestOverrides(t *testing.T) {
	s, err := Parse(words, "small.toml", []byte(small), []string{"train.lr=0.5", "data.name=mnist", "method.members=7", "method.of.rate=[0.3]", "seed=4"})
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
	if _, err := Parse(words, "small.toml", []byte(small), []string{"method.nothing=1"}); err == nil {
		t.Error("an override of a key that no method has was taken")
	}
}

// Keys match letter by letter, in every table, and the key is the same one
// whenever it is asked.
func TestKeysMatchExactly(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"epochs = 2", "epochs = 2\nLR = 0.1", `small.toml:10: unknown key "train.LR"; did you mean "lr"?`},
		{"epochs = 2", "Epochs = 2", `small.toml:9: unknown key "train.Epochs"; did you mean "epochs"?`},
		{"seed = [0, 1]", "Seed = [0, 1]", `small.toml:3: unknown key "Seed"; did you mean "seed"?`},
		{`name = "small"`, `NAME = "small"`, `small.toml:1: name: want a suite name`},
		{`name = "small"`, "name = \"small\"\nName = \"big\"", `small.toml:2: unknown key "Name"; did you mean "name"?`},
		{"[train]", "[Train]", `small.toml:8: unknown key "Train"; did you mean "train"?`},
		{"[[method]]", "[[Method]]", `unknown key "Method"; did you mean "method"?`},
		{"[data]", "[data]\nTrain = 5", `small.toml:6: unknown key "data.Train"; did you mean "train"?`},
		{"epochs = 2", "epochs = 2\n[eval]\nSamples = 2", `small.toml:11: unknown key "eval.Samples"; did you mean "samples"?`},
		// Words of other tools, also where the key belongs into another table.
		{"epochs = 2", "n_epochs = 2", `small.toml:9: unknown key "train.n_epochs"; did you mean "epochs"?`},
		{"epochs = 2", "prior_sigma = 2", `small.toml:9: unknown key "train.prior_sigma"; did you mean "method.prior_sigma"?`},
		{"epochs = 2", "clip_grad_norm = 2", `small.toml:9: unknown key "train.clip_grad_norm"; did you mean "clip_norm"?`},
		{"epochs = 2", "weightdecay = 2", `small.toml:9: unknown key "train.weightdecay"; did you mean "weight_decay"?`},
		{"seed = [0, 1]", "learning_rate = 0.1", `small.toml:3: unknown key "learning_rate"; did you mean "train.lr"?`},
		{"epochs = 2", "num_samples = 2", `small.toml:9: unknown key "train.num_samples"; did you mean "eval.samples"?`},
	} {
		for range 12 {
			_, err := Parse(words, "small.toml", []byte(strings.ReplaceAll(small, c.old, c.new)), []string{"train.lr=0.1"})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v\nwant      %s", err, c.want)
			}
		}
	}
	s, err := Parse(words, "small.toml", []byte(small), nil)
	if err != nil {
		t.Fatal(err)
	}
	method := s.Jobs[19].Method
	var own struct {
		Name, Of any
		Member   int `toml:"Members"`
	}
	if err := method.Without("name", "of").Decode(&own); err == nil || !strings.Contains(err.Error(), `small.toml:17: unknown key "method.members"; did you mean "Members"?`) {
		t.Errorf("a method's own keys: %v", err)
	}
}

// What -set wrote stands on no line of the file.
func TestOverridesInErrors(t *testing.T) {
	for _, c := range []struct{ set, want string }{
		{"train.epochs=0", `-set "train.epochs=0": train.epochs: want at least 1, found 0`},
		{"train.epoch=2", `-set "train.epoch=2": unknown key "train.epoch"; did you mean "epochs"?`},
		{"train.LR=0.1", `-set "train.LR=0.1": unknown key "train.LR"; did you mean "lr"?`},
		{"Train.lr=0.1", `-set "Train.lr=0.1": unknown key "Train"; did you mean "train"?`},
		{"eval={samples=0}", `-set "eval={samples=0}": eval.samples: want at least 1, found 0`},
		{"seed=[1,1]", `-set "seed=[1,1]": seed: want each value once, found 1 twice`},
		{"seed=x", `-set "seed=x": seed: want a whole number, found a string`},
		{"method.members=[]", `-set "method.members=[]": method.members: the list is empty`},
		{"method.of.rates=[1]", `-set "method.of.rates=[1]": no [[method]] of the suite has the key "rates"; did you mean "rate"?`},
		{"method.Members=3", `-set "method.Members=3": no [[method]] of the suite has the key "Members"; did you mean "members"?`},
		{"name=*", `-set "name=*": name: want a suite name`},
		{"seed.x=1", `-set "seed.x=1": seed is no table of the suite`},
		{"train..lr=1", `want key=value`},
		{"lr=1\nx=2", `-set "lr=1\nx=2": "lr": want printable text`},
		{"train.lr=[" + strings.Repeat("1.5,", 1000) + "]", `…": train.lr: want each value once`},
		{"data.train=[[1]]", `-set "data.train=[[1]]": data.train: want a value or a list of values`},
	} {
		_, err := Parse(words, "small.toml", []byte(small), []string{"train.lr=0.5", c.set})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "small.toml") {
			t.Errorf("%s: error %v\nwant      %s", c.set, err, c.want)
		}
	}
	// An error about the whole names the file and what was changed in it.
	many := make([]string, 400)
	for i := range many {
		many[i] = strconv.Itoa(i)
	}
	list := "[" + strings.Join(many, ",") + "]"
	_, err := Parse(words, "small.toml", []byte(small), []string{"seed=" + list, "data.train=" + list})
	if want := `small.toml:1: the lists multiply to more than 100000 jobs (with -set "seed=[0,1,`; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v\nwant      %s", err, want)
	}
}

// A method decodes its own keys, and an unknown one names its line.
func TestMethodKeys(t *testing.T) {
	s, err := Parse(words, "small.toml", []byte(small), nil)
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
	if want := `small.toml:20: unknown key "method.of.rate"; did you mean "rates"?`; err == nil || err.Error() != want {
		t.Errorf("error %v\nwant      %s", err, want)
	}
}

// An error names the line of its key also behind text that only looks like keys.
func TestLines(t *testing.T) {
	const text = `name = "lines"
description = """
[train]
epochs = 1
"""
model = 'm' # [train]
seed = [
	0, # epochs = 2
	1,
]
"data" . name = "d"
eval = {samples = 2,
	batch = 0}

[ 'train' ]
"epochs" = 3
augment = ["""\
lr = 1""", 
'x']
lr = -1

[[method]]
name = "a"
[ method . of ]
name = "b"
k.x = 3
[[method]]
label = " "
`
	for path, want := range map[string]int{
		"description": 2, "model": 6, "seed": 7, "data.name": 11, "data": 1, "eval.batch": 12, "eval.samples": 12, "train": 15,
		"train.epochs": 16, "train.augment": 17, "train.lr": 20, "train.batch": 15, "method#0": 22, "method#0.name": 23,
		"method#0.of": 24, "method#0.of.name": 25, "method#0.of.k.x": 26, "method#0.of.k": 24, "method#1": 27, "method#1.label": 28, "method#1.name": 27,
	} {
		f := file{text: text}
		if got, _ := f.line(path); got != want {
			t.Errorf("%s: line %d, want %d", path, got, want)
		}
	}
	if _, err := Parse(words, "lines.toml", []byte(text), nil); err == nil || !strings.HasPrefix(err.Error(), "lines.toml:12: eval.batch: want at least 1, found 0") {
		t.Errorf("error %v, want one of line 12", err)
	}
}

// A value fits its key's type or is refused.
func TestValues(t *testing.T) {
	for value, want := range map[string]string{
		`train.epochs = 3.0`:                      "train.epochs: want a whole number, found a number",
		`train.epochs = true`:                     "train.epochs: want a whole number, found true or false",
		`train.epochs = 2024-01-01`:               "train.epochs: want a whole number, found a date or a time",
		`train.lr = "1e-3"`:                       "train.lr: want a number, found a string",
		`train.lr = 9007199254740993`:             "train.lr: want a number that float64 holds, found 9007199254740993",
		`train.lr = {x = 1}`:                      "train.lr: want a number, found a table",
		`train.LR = 1`:                            `unknown key "train.LR"; did you mean "lr"?`,
		`train = 1`:                               "train: want a table, found a whole number",
		`train.augment = "flip"`:                  "train.augment: want a list, found a string",
		`train.augment = [1]`:                     "train.augment: want a string, found a whole number",
		`eval.train = 1`:                          "eval.train: want true or false, found a whole number",
		`seed = 4294967296`:                       "seed: want a whole number from 0 to 4294967295, found 4294967296",
		`seed = 1.5`:                              "seed: want a whole number, found a number",
		`model = 1`:                               "model: want a string, found a whole number",
		`data.name = ["d", "D"]`:                  "",
		`train.lr = 1`:                            "",
		`likelihood = {noise = "fixed", tau = 2}`: "",
		`likelihood.tau = "2"`:                    "likelihood.tau: want a number, found a string",
		`likelihood.nose = "fixed"`:               `unknown key "likelihood.nose"; did you mean "noise"?`,
		`data.normalise = "unit25"`:               `data.normalise: unknown "unit25"; did you mean "unit255"?`,
		`train.optimizer = "adma"`:                `train.optimizer: unknown "adma"; did you mean "adam"?`,
	} {
		key, _, _ := strings.Cut(value, " ")
		text := "name = 'values'\n" + value + "\n"
		for _, other := range []string{"model = 'm'", "data.name = 'd'"} {
			if k, _, _ := strings.Cut(other, " "); k != key {
				text += other + "\n"
			}
		}
		_, err := Parse(words, "values.toml", []byte(text+"[[method]]\nname = 'a'\n"), nil)
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != "values.toml:2: "+want) {
			t.Errorf("%s: error %v\nwant       %s", value, err, want)
		}
	}
}

// What a suite does not say follows from the data set, and adds nothing to the JSON of a
// job, on which its id rests.
func TestDefaults(t *testing.T) {
	text := "name = 'd'\nmodel = 'm'\ndata.name = ['mnist', 'yacht']\ndata.train = [10, 20]\n[[method]]\nname = 'a'\n"
	s, err := Parse(words, "d.toml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, c := range s.Jobs {
		found = append(found, c.Data.Name+" "+c.Data.Normalise)
	}
	if want := []string{"mnist unit255", "mnist unit255", "yacht standard", "yacht standard"}; !slices.Equal(found, want) {
		t.Errorf("normalisations %q, want %q", found, want)
	}
	const want = `{"model":"m","seed":0,"backend":"gonum","data":{"name":"mnist","normalise":"unit255","train":10},` +
		`"train":{"epochs":1,"batch":100,"optimizer":"adam","lr":0.001,"momentum":0,"schedule":"constant"},` +
		`"eval":{"samples":1,"batch":500,"save":false},"method":{"name":"a"}}`
	if text, err := json.Marshal(s.Jobs[0]); err != nil || string(text) != want {
		t.Errorf("%s, want %s (%v)", text, want, err)
	}
}

// docs/suites.md names every key of a suite.
func TestPageNamesKeys(t *testing.T) {
	page, err := os.ReadFile("../docs/suites.md")
	if err != nil {
		t.Fatal(err)
	}
	keys := append(dotted("", reflect.TypeFor[Config]()), "name", "description", "label")
	for _, k := range keys {
		field, _ := fieldByTag(reflect.TypeFor[Config](), k)
		if table := field.Type != nil && field.Type.Kind() == reflect.Struct; !table && !strings.Contains(string(page), "`"+k+"`") {
			t.Errorf("docs/suites.md does not name %s", k)
		}
	}
	if len(keys) < 30 {
		t.Errorf("only the keys %q", keys)
	}
}

// data.split = "all" is the list of a set's splits, set by set.
func TestAllSplits(t *testing.T) {
	v := words
	v.Splits = func(set string) int { return map[string]int{"two": 2, "three": 3}[set] }
	parse := func(names string) (*Suite, error) {
		return Parse(v, "s.toml", []byte("name = \"s\"\nmodel = \"m\"\nseed = [7, 8]\n[data]\nname = "+names+"\nsplit = \"all\"\n[[method]]\nname = \"a\"\n"), nil)
	}
	s, err := parse(`["three", "two"]`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range s.Jobs {
		got = append(got, fmt.Sprint(c.Data.Name, c.Data.Split, " ", c.Seed))
	}
	if want := "[three0 7 three0 8 three1 7 three1 8 three2 7 three2 8 two0 7 two0 8 two1 7 two1 8]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %v", got, want)
	}
	if _, err := parse(`["two", "one"]`); err == nil || !strings.Contains(err.Error(), "s.toml:6:") || !strings.Contains(err.Error(), `"one" does not`) {
		t.Errorf("a set without splits: %v", err)
	}
	_, err = Parse(v, "s.toml", []byte("name = \"s\"\nmodel = \"m\"\n[data]\nname = \"two\"\nsplit = [0, \"all\"]\n[[method]]\nname = \"a\"\n"), nil)
	if err == nil || !strings.Contains(err.Error(), `s.toml:5: data.split: want "all" alone`) {
		t.Errorf("all in a list: %v", err)
	}
}

// A method that names a noise of its own starts its likelihood anew: the precision of fixed noise
// and the form of a variance belong to the noise that they stand beside. An empty table says
// nothing.
func TestOwnNoise(t *testing.T) {
	const top = "name = 's'\nmodel = 'm'\ndata.name = 'd'\nlikelihood = {noise = 'fixed', tau = 4.0}\n"
	parse := func(method string) Config {
		s, err := Parse(words, "s.toml", []byte(top+"[[method]]\nname = 'a'\n"+method), nil)
		if err != nil {
			t.Fatal(err)
		}
		return s.Jobs[0]
	}
	for method, want := range map[string]Likelihood{
		"":                                      {Noise: "fixed", Tau: 4},
		"likelihood.noise = 'homoscedastic'":    {Noise: "homoscedastic"},
		"likelihood.noise = 'fixed'":            {Noise: "fixed", Tau: 4},
		"likelihood.tau = 2.0":                  {Noise: "fixed", Tau: 2},
		"likelihood = {}\ntrain = {}":           {Noise: "fixed", Tau: 4},
		"likelihood = {noise='fixed', tau=1.0}": {Noise: "fixed", Tau: 1},
	} {
		if got := parse(method).Likelihood; got != want {
			t.Errorf("%q: %+v, want %+v", method, got, want)
		}
	}
	plain, empty := parse(""), parse("likelihood = {}\ntrain = {}")
	if plain.ID() != empty.ID() {
		t.Errorf("empty tables make the job %s, want %s", empty.ID(), plain.ID())
	}
}
