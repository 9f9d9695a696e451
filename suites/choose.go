package suites

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Choose says that settings of a method are chosen on examples held out of training, the table
// [method.choose]. Each combination of the listed values is trained without these examples and
// scored on them; the one with the smallest metric is trained on all training examples.
type Choose struct {
	Metric  string  `toml:"metric"`  // of the held-out examples; smaller is better
	Holdout float64 `toml:"holdout"` // data.validation_last of the candidates
	Samples int     `toml:"samples"` // eval.samples of the candidates
}

// Candidate is one combination of the values to choose among.
type Candidate struct {
	Settings string // "p=0.05 likelihood.tau=0.1"
	Trial    Config // trained without the held-out examples
	Final    Config // trained on all
}

// maxCandidates bounds the combinations of one table.
const maxCandidates = 1000

// chosen is the table of a method by which its settings are chosen.
const chosen = "choose"

// Chooses reports whether the method's settings are chosen.
func (t Table) Chooses() bool { return t.Has(chosen) }

// Candidates lists the combinations that the job's method chooses among, in the order of the lists;
// none where it has no table [method.choose].
func (c Config) Candidates() (Choose, []Candidate, error) {
	rule := Choose{Holdout: 0.2, Samples: c.Eval.Samples}
	t, ok := c.Method.Sub(chosen)
	if !ok {
		return rule, nil, nil
	}
	if err := t.Without("among").Decode(&rule); err != nil {
		return rule, nil, err
	}
	among, ok := t.Sub("among")
	switch {
	case rule.Metric == "":
		return rule, nil, t.Errorf("", "method.choose: want a metric, such as metric = \"nll\"")
	case !(rule.Holdout > 0 && rule.Holdout < 1):
		return rule, nil, t.Errorf("holdout", "method.choose.holdout: want a share in (0, 1), found %v", rule.Holdout)
	case c.Data.Validation > 0 || c.Data.ValidationLast > 0:
		return rule, nil, t.Errorf("holdout", "method.choose.holdout: want no data.validation beside it: it holds out examples by itself")
	}
	if !ok && t.Has("among") {
		return rule, nil, t.Errorf("among", "%s: %w", t.dotted("among"), mismatch("a table ["+t.dotted("among")+"]", t.values["among"]))
	}
	if err := within(t, "method.choose", "samples", rule.Samples, 1, 100_000); err != nil {
		return rule, nil, err
	}
	if err := among.onlyLists(c.Method, ""); err != nil {
		return rule, nil, err
	}
	var axes []axis
	if err := findLists(among, "method", nil, &axes); err != nil {
		return rule, nil, err
	}
	n := 1
	for _, a := range axes {
		n = min(n*len(a.values), maxCandidates+1)
	}
	if len(axes) == 0 || n < 2 || n > maxCandidates {
		return rule, nil, t.Errorf("among", "method.choose.among: want lists of values that combine to 2 to %d candidates, found %d", maxCandidates, n)
	}
	for _, a := range axes {
		if err := a.distinct(among, among); err != nil {
			return rule, nil, err
		}
	}
	out, err := c.combine(axes, rule)
	return rule, out, err
}

// onlyLists refuses what would be read past in a table of lists to choose among: single values, a
// name for tables, a choice within the choice, and keys that the method has a fixed value for.
func (t Table) onlyLists(method Table, table string) error {
	for _, k := range slices.Sorted(maps.Keys(t.values)) {
		if table == "" && (k == "label" || k == chosen) {
			return t.Errorf(k, "%s: want keys of the method or of its tables, found %q", plainPath(t.path), k)
		}
		switch v := t.values[k].(type) {
		case map[string]any:
			sub, _ := t.Sub(k)
			if err := sub.onlyLists(method, strings.TrimPrefix(table+"."+k, ".")); err != nil {
				return err
			}
		case []any:
			if k != "name" && has(method.values, table, k) {
				return t.Errorf(k, "%s: want no fixed value beside it, found %v in the method", t.dotted(k), tableOf(method.values, table)[k])
			}
		default:
			return t.Errorf(k, "%s: %w", t.dotted(k), mismatch("a list", v))
		}
	}
	return nil
}

// combine is the candidates of a choice from each list.
func (c Config) combine(axes []axis, rule Choose) ([]Candidate, error) {
	var out []Candidate
	choice := make([]int, len(axes))
	for moved := 0; moved >= 0; moved = next(choice, axes) {
		method := c.Method.Without(chosen)
		var settings []string
		for i, a := range axes {
			table := strings.TrimPrefix(strings.TrimPrefix(a.table, "method"), ".")
			method.values = set(method.values, table, a.key, a.values[choice[i]])
			settings = append(settings, fmt.Sprintf("%s=%v", strings.TrimPrefix(table+"."+a.key, "."), a.values[choice[i]]))
		}
		final, err := c.With(method, c.Seed)
		if err != nil {
			return nil, err
		}
		final.Eval.Samples = 1 // of its own: the job that chooses it scores it
		final.Eval = Eval{Samples: final.Eval.Samples, Batch: final.Eval.Batch}
		trial := final
		trial.Eval.Samples, trial.Data.ValidationLast = rule.Samples, rule.Holdout
		out = append(out, Candidate{strings.Join(settings, " "), trial, final})
	}
	return slices.Clip(out), nil
}
