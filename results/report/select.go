package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"bayesbench/results"
)

// Selection says by what one of the swept settings of each method is picked: the setting with the
// best mean of a unit on a split. The zero Selection picks none, and shows all.
type Selection struct {
	Unit  string
	Split string // onValidation or onTest
}

// The splits that settings can be selected on.
const (
	onValidation = "validation"
	onTest       = "test"
)

// ParseSelection reads UNIT@SPLIT, such as nll@validation. The split has no default: who selects on
// the test set says so.
func ParseSelection(text string) (Selection, error) {
	unit, split, _ := strings.Cut(text, "@")
	if unit == "" || split != onValidation && split != onTest {
		return Selection{}, fmt.Errorf("want UNIT@%s or UNIT@%s, such as nll@%[1]s, found %[3]q", onValidation, onTest, text)
	}
	return Selection{unit, split}, nil
}

func (s Selection) String() string { return s.Unit + "@" + s.Split }

// IsZero reports whether nothing is selected.
func (s Selection) IsZero() bool { return s == Selection{} }

// Pick is how the settings of one row were selected.
type Pick struct {
	By       Selection
	Settings string // of the row, as its name has them: "train.lr=0.01"; "" where the method has one setting
	Tried    int    // settings, this one included
}

// bestOfTest is the mark of rows whose settings were selected on the test set.
const bestOfTest = "(best of test)"

// mark is the row's mark for how it was selected.
func (p *Pick) mark() string {
	if p == nil || p.Tried < 2 || p.By.Split != onTest {
		return ""
	}
	return bestOfTest
}

// rival is what settings are selected among: one predictor of a method, on one data set, model and
// backend. Its predictors are selected for apart, since each is a row.
type rival struct{ data, model, backend, labels, method, predict string }

func rivalOf(r *results.Record) rival {
	return rival{r.Data, r.Model, r.Backend, sweepValue(r, "labels"), r.Method, sweepValue(r, predictKey)}
}

// name is what a note calls the predictor of a method: alone where the method has but one.
func (r rival) name(several bool) string {
	if several {
		return strings.TrimSpace(r.method + " " + r.predict)
	}
	return r.method
}

// isSetting reports whether a name key is a setting of the suite, or tells apart what no setting
// can.
func isSetting(key string) bool { return strings.Contains(key, ".") || key == results.SetupKey }

// settingsOf are those in a record's name.
func settingsOf(r *results.Record) string {
	var parts []string
	for _, p := range r.Sweep {
		if isSetting(p.Key) {
			parts = append(parts, p.Key+"="+p.Value)
		}
	}
	return strings.Join(parts, " ")
}

// candidates are the settings of a rival, in the order of the records, with the values to select
// by.
type candidates struct {
	order  []string
	values map[string]byReplicate // by settings
	k      map[string]map[results.Replicate]int
}

func newCandidates() *candidates {
	return &candidates{values: map[string]byReplicate{}, k: map[string]map[results.Replicate]int{}}
}

func (c *candidates) know(settings string) {
	if c.values[settings] == nil {
		c.order = append(c.order, settings)
		c.values[settings], c.k[settings] = byReplicate{}, map[results.Replicate]int{}
	}
}

// take takes the value of a record in, at the largest K that there is.
func (c *candidates) take(settings string, r *results.Record, value float64) {
	at := r.Replicate()
	if _, have := c.values[settings][at]; !have || r.Samples > c.k[settings][at] {
		c.values[settings][at], c.k[settings][at] = value, r.Samples
	}
}

// picks are what was selected for each rival.
type picks struct {
	by    Selection
	of    map[rival]*Pick
	notes map[rival][]string
}

// pick selects the settings of each method, and returns the records of what was selected. A filter
// of the query keeps jobs: settings of which it leaves nothing were not tried.
func (q Query) pick(set results.Set) ([]results.Record, *picks, error) {
	if q.Select.IsZero() {
		return set.Records, nil, nil
	}
	unit := set.Units[q.Select.Unit]
	if unit.Name != "" && (unit.Better == results.Neither || unit.Timing) {
		return nil, nil, fmt.Errorf("select %s: want a metric with a better direction that no clock measured", q.Select)
	}
	kept, err := q.keptJobs(set.Records)
	if err != nil {
		return nil, nil, err
	}
	all, order, err := q.candidates(set.Records, kept)
	if err != nil {
		return nil, nil, err
	}
	p := &picks{by: q.Select, of: map[rival]*Pick{}, notes: map[rival][]string{}}
	for _, r := range order {
		if p.of[r], p.notes[r], err = all[r].best(q.Select, r, unit.Better); err != nil {
			return nil, nil, fmt.Errorf("select %s: %w", q.Select, err)
		}
	}
	return p.shown(set.Records), p, nil
}

// jobAndPredictor is one predictor of a job, which is named by what setting says of its records.
type jobAndPredictor struct{ job, predict string }

// keptJobs are the jobs, by predictor, of which the filter keeps some record.
func (q Query) keptJobs(records []results.Record) (map[jobAndPredictor]bool, error) {
	keep, err := newFilter(q.Filter)
	if err != nil {
		return nil, err
	}
	kept := map[jobAndPredictor]bool{}
	for i := range records {
		r := &records[i]
		ok, err := keep(r)
		if err != nil {
			return nil, err
		}
		if ok {
			kept[jobAndPredictor{setting(r), sweepValue(r, predictKey)}] = true
		}
	}
	return kept, nil
}

// candidates are the settings of each rival, and the rivals in the order of the records.
func (q Query) candidates(records []results.Record, kept map[jobAndPredictor]bool) (map[rival]*candidates, []rival, error) {
	all := map[rival]*candidates{}
	var order []rival
	found, elsewhere := false, map[string]bool{}
	for i := range records {
		r := &records[i]
		if !kept[jobAndPredictor{setting(r), sweepValue(r, predictKey)}] || !ofSplit(r, q.Select.Split) && !ofSplit(r, onTest) {
			continue
		}
		if sweepValue(r, predictKey) == "" && r.Samples == 0 {
			continue // of the training: its job's predictors tell of it
		}
		at := rivalOf(r)
		if all[at] == nil {
			all[at] = newCandidates()
			order = append(order, at)
		}
		all[at].know(settingsOf(r))
		if !ofSplit(r, q.Select.Split) {
			continue
		}
		for _, v := range r.Values {
			elsewhere[v.Unit] = true
			if v.Unit == q.Select.Unit && !math.IsNaN(v.Value) {
				all[at].take(settingsOf(r), r, v.Value)
				found = true
			}
		}
	}
	switch {
	case len(order) == 0: // which the tables say better
	case len(elsewhere) == 0:
		return nil, nil, fmt.Errorf("select %s: no results on the %s split; set data.validation in the suite and run it again", q.Select, q.Select.Split)
	case !found:
		return nil, nil, &unitError{q.Select.Unit, slices.Sorted(maps.Keys(elsewhere))}
	}
	return all, order, nil
}

// ofSplit reports whether a record is of the test set or of the validation split, all of it and as
// it is.
func ofSplit(r *results.Record, split string) bool {
	of := onTest
	for _, p := range r.Sweep {
		switch {
		case p.Key == "split":
			of = p.Value
		case p.Key == "ood" || slices.Contains(detailKeys, p.Key):
			return false
		}
	}
	return of == split
}

// best is the setting with the best mean. Of several the first is taken; a setting that lacks the
// value of a seed which others have is none to select, for its mean is of other runs: a training
// that diverged leaves no value.
func (c *candidates) best(by Selection, r rival, better results.Better) (*Pick, []string, error) {
	if len(c.order) == 1 {
		return &Pick{By: by, Settings: c.order[0], Tried: 1}, nil, nil
	}
	runs := map[results.Replicate]bool{}
	for _, values := range c.values {
		for at := range values {
			runs[at] = true
		}
	}
	best := &Pick{By: by, Tried: len(c.order)}
	least, ties := math.NaN(), []string{}
	var lacking []string
	for _, settings := range c.order {
		values := c.values[settings]
		if len(values) < len(runs) || len(values) == 0 {
			lacking = append(lacking, fmt.Sprintf("%s (%d of %d)", settings, len(values), len(runs)))
			continue
		}
		mean := summarise(values).Mean
		if better == results.Higher {
			mean = -mean
		}
		switch {
		case math.IsNaN(mean):
		case math.IsNaN(least) || mean < least:
			best.Settings, least, ties = settings, mean, []string{settings}
		case mean == least:
			ties = append(ties, settings)
		}
	}
	name := r.name(true)
	var notes []string
	if len(lacking) > 0 {
		notes = append(notes, fmt.Sprintf("Not selected among, for some runs have no %s: %s.", by.Unit, name+" "+strings.Join(lacking, ", ")))
	}
	if len(runs) == 0 || math.IsNaN(least) || math.IsInf(least, 1) {
		return nil, nil, fmt.Errorf("%s has %d settings, and none with a finite mean of %s over the runs that any of them has; "+
			"leave its settings but one out with -filter", name, len(c.order), by.Unit)
	}
	if len(ties) > 1 {
		notes = append(notes, fmt.Sprintf("The settings %s of %s have the same mean %s; the first is taken.", strings.Join(ties, ", "), name, by.Unit))
	}
	return best, notes, nil
}

// shown are the records of what was selected, those of the training of one that was selected for
// any predictor among them.
func (p *picks) shown(records []results.Record) []results.Record {
	trained := map[rival]map[string]bool{}
	for r, pick := range p.of {
		of := r
		of.predict = ""
		if trained[of] == nil {
			trained[of] = map[string]bool{}
		}
		trained[of][pick.Settings] = true
	}
	var out []results.Record
	for i := range records {
		r := &records[i]
		at := rivalOf(r)
		pick := p.of[at]
		if pick != nil && pick.Settings == settingsOf(r) || pick == nil && at.predict == "" && trained[at][settingsOf(r)] {
			out = append(out, *r)
		}
	}
	return out
}

// at is how the settings of some samples were selected, nil where nothing was, or where they are of
// several methods.
func (p *picks) at(samples []sample) *Pick {
	if p == nil {
		return nil
	}
	var one *Pick
	for _, s := range samples {
		switch pick := p.of[rivalOf(s.record)]; {
		case pick == nil || pick == one:
		case one != nil:
			return nil
		default:
			one = pick
		}
	}
	return one
}

// apart reports whether settings were selected for several predictors of one method, each of which
// is then alone in its job.
func (p *picks) apart() bool {
	if p == nil {
		return false
	}
	seen := map[rival]bool{}
	for r, pick := range p.of {
		r.predict = ""
		if seen[r] && pick.Tried > 1 {
			return true
		}
		seen[r] = true
	}
	return false
}

// noted are the notes on what was selected for the records of a table.
func (p *picks) noted(samples []sample) []string {
	if p == nil {
		return nil
	}
	var order []rival
	several := map[string]int{}
	for _, s := range samples {
		at := rivalOf(s.record)
		if p.of[at] == nil || slices.Contains(order, at) {
			continue
		}
		order = append(order, at)
		several[at.method]++
	}
	var picked, more []string
	marked := false
	for _, at := range order {
		pick := p.of[at]
		text := at.name(several[at.method] > 1)
		if pick.Tried > 1 {
			text += " " + pick.Settings
		}
		picked = append(picked, fmt.Sprintf("%s (of %s)", text, plural(pick.Tried, "setting")))
		marked = marked || p.by.Split == onTest && pick.Tried > 1
		more = append(more, p.notes[at]...)
	}
	if len(picked) == 0 {
		return nil
	}
	notes := []string{fmt.Sprintf("Selected by the best mean %s on the %s: %s.", p.by.Unit,
		cmp.Or(map[string]string{onTest: "test set"}[p.by.Split], p.by.Split+" split"), strings.Join(picked, ", "))}
	if marked {
		notes = append(notes, fmt.Sprintf("%s: Warning: these settings were selected on the test set itself, so that their values here are better than those of new "+
			"examples would be; select on examples held out (-select %s@%s).", bestOfTest, p.by.Unit, onValidation))
	}
	return append(notes, more...)
}
