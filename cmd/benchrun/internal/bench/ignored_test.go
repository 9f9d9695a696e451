package bench_test

import (
	"context"
	"strings"
	"testing"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/suites"
)

// A key of [train] is refused where it was set for a method that does not read it, and
// taken where another method of the suite does.
func TestIgnoredTrainKeys(t *testing.T) {
	const head = `name = "ignored"
model = "softmax-regression"
[data]
name = "blobs"
train = 600
[train]
epochs = 20
batch = 50
`
	const sgld = "[[method]]\nname = \"sgld\"\n"
	const hmc = "[[method]]\nname = \"hmc\"\n"
	const mode = "[[method]]\nname = \"deterministic\"\n"
	const taught = "[[method]]\nname = \"distill\"\n[method.teacher]\nname = \"sgld\"\n"
	for _, c := range []struct {
		name, text, set, want string // no want: it is taken
	}{
		{"of a sampler", head + sgld + "[method.train]\noptimizer = \"sgd\"\n", "", "ignored.toml:12: train.optimizer: sgld does not read it"},
		{"of all samplers", head + "lr = 0.1\n" + sgld + hmc, "", "ignored.toml:9: train.lr: no method of the suite reads it"},
		{"in a list", head + "schedule = [\"linear\", \"cosine\"]\n" + sgld, "", "ignored.toml:9: train.schedule: no method"},
		{"by -set", head + sgld, "train.momentum=0.5", `-set "train.momentum=0.5": train.momentum: no method`},
		{"epochs of HMC alone", head + hmc, "", "ignored.toml:7: train.epochs: no method"},
		{"epochs of HMC", head + mode + hmc + "[method.train]\nepochs = 7\n", "", "ignored.toml:14: train.epochs: hmc does not read it"},
		{"of an ensemble of samplers", head + "[[method]]\nname = \"ensemble\"\nmembers = 2\n[method.train]\nlr = 0.1\n[method.of]\nname = \"sgld\"\n", "", "ignored.toml:13: train.lr: ensemble(sgld) does not read it"},
		{"of a member", head + "[[method]]\nname = \"ensemble\"\nmembers = 2\n[method.of]\nname = \"sgld\"\n[method.of.train]\nlr = 0.1\n", "", "ignored.toml:15: train.lr: sgld does not read it"},
		{"of a teacher", head + taught + "[method.teacher.train]\nlr = 0.1\n", "", "ignored.toml:14: train.lr: sgld does not read it"},
		{"shared", head + "lr = 0.1\noptimizer = \"sgd\"\n" + sgld + hmc + mode, "", ""},
		{"read by an ensemble's member", head + "lr = 0.1\n[[method]]\nname = \"ensemble\"\nmembers = 2\n[method.of]\nname = \"deterministic\"\n" + sgld, "", ""},
		{"read by a student", head + taught + "[method.train]\nlr = 0.1\n", "", ""},
		{"epochs of a sampler", head + sgld + "[method.train]\nepochs = 30\nbatch = 25\n", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var overrides []string
			if c.set != "" {
				overrides = []string{c.set}
			}
			s, err := suites.Parse(bench.Words(), "ignored.toml", []byte(c.text), overrides)
			if err == nil {
				_, err = bench.Plan(context.Background(), s, &bench.Sets{})
			}
			if c.want == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("error %v\nwant      %s", err, c.want)
			}
		})
	}
}

// A table that holds a method is refused where the method has no parts of that name.
func TestForeignPart(t *testing.T) {
	text := strings.Replace(small, "name = \"deterministic\"\n", "name = \"deterministic\"\n[method.teacher]\nname = \"sgld\"\n", 1)
	s, err := suites.Parse(bench.Words(), "small.toml", []byte(text), nil)
	if err == nil {
		_, err = bench.Plan(context.Background(), s, &bench.Sets{})
	}
	if err == nil || !strings.Contains(err.Error(), `small.toml:19: unknown key "method.teacher"`) {
		t.Errorf("error %v, want one that names the table", err)
	}
}
