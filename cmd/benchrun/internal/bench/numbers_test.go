package bench_test

import (
	"strings"
	"testing"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/suites"
)

// What does not fit a set of numbers is refused before anything trains, with file, line and key.
func TestNumbersRefuseWhatImagesHave(t *testing.T) {
	const text = `name = "numbers"
model = "mlp-50"
[data]
name = "line"
[train]
batch = 50
[[method]]
name = "deterministic"
`
	plan := func(data, train, eval string) error {
		text := strings.Replace(text, "[train]", data+"\n[train]\n"+train+"\n", 1) + "\n[eval]\n" + eval + "\n"
		s, err := suites.Parse(bench.Words(), "numbers.toml", []byte(text), nil)
		if err == nil {
			_, err = bench.Plan(t.Context(), s, &bench.Sets{})
		}
		return err
	}
	if err := plan("split = 4", "", ""); err != nil {
		t.Errorf("the last split: %v", err)
	}
	for _, c := range []struct{ data, train, eval, want string }{
		{"split = 5", "", "", "numbers.toml:5: data.split: data set \"line\": split 5: it has 5 splits, 0 to 4"},
		{"size = 32", "", "", "numbers.toml:5: data.size: "},
		{"random_labels = \"train\"", "", "", "numbers.toml:5: data.random_labels: "},
		{"validation_last = 0.999", "", "", "numbers.toml:5: data.validation_last: "},
		{"validation = 450", "", "", "numbers.toml:5: data.validation: "},
		{"train = 451", "", "", "numbers.toml:5: data.train: "},
		{"test = 51", "", "", "numbers.toml:5: data.test: "},
		{"normalise = \"unit256\"", "", "", "numbers.toml:5: data.normalise: "},
		{"", "augment = [\"flip\"]", "", "numbers.toml:7: train.augment: only images are augmented"},
		{"", "", "shift = [\"fog-3\"]", "eval.shift: "},
		{"", "", "ood = [\"blobs\"]", "eval.ood: "},
	} {
		if err := plan(c.data, c.train, c.eval); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s %s: %v, want %q", c.data, c.train, c.eval, err, c.want)
		}
	}
}
