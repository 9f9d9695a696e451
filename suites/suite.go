package suites

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"bayesbench/internal/nearest"
)

// Suite is a file multiplied out.
type Suite struct {
	Name        string
	Description string
	Text        []byte
	Jobs        []Config // in the order of the file: methods, then models, backends, other lists, splits, seeds
	Train       Table    // [train] as far as the file or an override has it
	// Datasets are the sets of the user's own, by name.
	Datasets map[string]*Dataset
}

// header is what a suite says once.
type header struct {
	Name        string `toml:"name"`
	Description string `toml:"description"`
}

// Read reads a suite in the words of v. Each override is a "key=value" in TOML, such as
// train.epochs=5 or data.train=[100,1000], and takes the place of what the file
// says; keys of methods are written method.KEY and change every method that
// has the key.
//
// The file is a regular one: at a pipe it would wait, and a device has no end.
func Read(v Vocabulary, path string, overrides []string) (*Suite, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: want a suite, which is a regular file, found %s", path, kind(info.Mode()))
	}
	text, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err != nil {
		return nil, err
	}
	return Parse(v, path, text, overrides)
}

// kind says what is at a path.
func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a directory"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}

// MaxJobs bounds what a few short lists can multiply to, and the jobs that those
// need.
const MaxJobs = 100_000

// maxText bounds a suite's file.
const maxText = 128 << 10

// Parse is Read of a text; name is for errors.
func Parse(v Vocabulary, name string, text []byte, overrides []string) (*Suite, error) {
	top, err := decode(name, text)
	if err != nil {
		return nil, err
	}
	s := &Suite{Text: text}
	f := &file{name: name, text: string(text), words: &v}
	for _, o := range overrides {
		if err := override(top, f, o); err != nil {
			return nil, err
		}
	}
	root := Table{top, f, ""}
	if err := root.printable(); err != nil {
		return nil, err
	}

	var h header
	if err := (Table{pick(top, "name", "description"), f, ""}).Decode(&h); err != nil {
		return nil, err
	}
	if !nameForm.MatchString(h.Name) {
		return nil, root.Errorf("name", "name: want a suite name of at most 100 letters, digits, '-', '_', '.', the first no '-' or '.', found %q", h.Name)
	}
	s.Name, s.Description = h.Name, h.Description
	s.Train, _ = root.Sub("train")

	if s.Datasets, err = datasets(root); err != nil {
		return nil, err
	}
	rest := root.Without("name", "description", "method", "dataset")
	for _, k := range slices.Sorted(maps.Keys(rest.values)) {
		if _, ok := fieldByTag(reflect.TypeFor[Config](), k); !ok {
			return nil, root.Errorf(k, "unknown key %q%s", k, root.suggestion(k, reflect.TypeFor[Config]()))
		}
	}
	list, ok := top["method"].([]map[string]any)
	if !ok || len(list) == 0 {
		return nil, root.Errorf("method", "want at least one [[method]] table")
	}
	rests, err := s.everySplit(rest)
	if err != nil {
		return nil, err
	}
	// A method on one data set, or on all that are listed.
	type part struct {
		rest, method Table
		axes         []axis
	}
	var parts []part
	total := 0
	for i, values := range list {
		method := Table{values, f, fmt.Sprintf("method#%d", i)}
		for _, rest := range rests {
			axes, n, err := lists(rest, method)
			if err != nil {
				return nil, err
			}
			if total += n; total > MaxJobs {
				return nil, root.Errorf("", "the lists multiply to more than %d jobs", MaxJobs)
			}
			parts = append(parts, part{rest, method, axes})
		}
	}
	ids := map[string]bool{}
	for _, p := range parts {
		rest, method := p.rest, p.method
		for _, a := range p.axes {
			if err := a.distinct(rest, method); err != nil {
				return nil, err
			}
		}
		configs, err := s.product(rest, method, p.axes)
		if err != nil {
			return nil, err
		}
		for _, c := range configs {
			id := c.ID()
			if ids[id] {
				return nil, method.Errorf("", "%s: another [[method]] above makes the same job; leave one out", c.Method.Label())
			}
			ids[id] = true
			s.Jobs = append(s.Jobs, c)
		}
	}
	return s, nil
}

// everySplit takes data.split = "all" apart: a table for each data set, with the list of its
// published splits.
func (s *Suite) everySplit(rest Table) ([]Table, error) {
	of, _ := rest.Sub("data")
	if list, ok := of.values["split"].([]any); ok && slices.Contains(list, any("all")) {
		return nil, of.Errorf("split", "data.split: want \"all\" alone, as in split = \"all\", or a list of numbers; found \"all\" in a list")
	}
	if of.values["split"] != "all" {
		return []Table{rest}, nil
	}
	names, ok := of.values["name"].([]any)
	if !ok {
		names = []any{of.values["name"]}
	}
	var out []Table
	for _, v := range names {
		name, _ := v.(string)
		n := rest.words().Splits(name)
		if own := s.own(name); own != nil {
			n = own.Splits
		}
		if n == 0 {
			return nil, of.Errorf("split", "data.split: \"all\" is of sets that come in several splits, and %q does not", name)
		}
		splits := make([]any, n)
		for i := range splits {
			splits[i] = int64(i)
		}
		one := rest
		one.values = set(one.values, "data", "name", name)
		one.values = set(one.values, "data", "split", splits)
		out = append(out, one)
	}
	return out, nil
}

// nameForm is what a suite may be called: it names a directory, a job of a
// cluster and lines of results, and is a pattern for none of them.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$`)

// decode reads the TOML. It takes no more than 1 MiB of memory and 1 KiB for
// each byte of text.
func decode(name string, text []byte) (map[string]any, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("%s: a suite has at most %d bytes", name, maxText)
	}
	if line := tooDeep(string(text)); line > 0 {
		return nil, fmt.Errorf("%s:%d: lists, tables or parts of a key nest more than %d deep", name, line, maxDepth)
	}
	var top map[string]any
	if _, err := toml.Decode(string(text), &top); err != nil {
		var pe toml.ParseError
		if errors.As(err, &pe) {
			return nil, fmt.Errorf("%s:%d: %s", name, pe.Position.Line, pe.Message)
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return top, nil
}

func pick(m map[string]any, keys ...string) map[string]any {
	out := map[string]any{}
	for _, k := range keys {
		if v, ok := m[k]; ok {
			out[k] = v
		}
	}
	return out
}

// axis is one key that has several values.
type axis struct {
	table  string // "", "data", "method", "method.of", …
	key    string
	values []any
	drawn  bool
	along  []axis // the keys whose values move with it, as many
}

// all are the key of the axis and those that move with it.
func (a axis) all() []axis { return append([]axis{a}, a.along...) }

// place is the table that holds the key of the axis.
func (a axis) place(rest, method Table) Table {
	t := rest
	path, ofMethod := strings.CutPrefix(a.table+".", "method.")
	if ofMethod {
		t = method
	}
	for _, k := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' }) {
		t, _ = t.Sub(k)
	}
	return t
}

// distinct refuses a list that says one value twice: the jobs would be the same.
func (a axis) distinct(rest, method Table) error {
	if a.drawn {
		return nil // they are, see together
	}
	t := a.place(rest, method)
	seen := map[string]bool{}
	for _, v := range a.values {
		text := fmt.Sprint(v)
		if seen[text] {
			return t.Errorf(a.key, "%s: want each value once, found %s twice", t.dotted(a.key), text)
		}
		seen[text] = true
	}
	return nil
}

// order says which lists vary first: seeds vary fastest, and before them the splits of
// the data, so that a table's rows lie together in the results.
func (a axis) order() int {
	if a.table == "model" {
		return 0
	}
	if a.table == "" {
		switch a.key {
		case "model":
			return 0
		case "backend":
			return 1
		case "seed":
			return seedsOrder
		}
	}
	if a.table == "data" && a.key == "split" {
		return 3
	}
	return 2
}

// seedsOrder is the last.
const seedsOrder = 4

// lists finds the lists of one method and how many jobs they multiply to, which
// is not more than MaxJobs+1.
func lists(rest, method Table) (axes []axis, jobs int, err error) {
	if err := findLists(rest, "", reflect.TypeFor[Config](), &axes); err != nil {
		return nil, 0, err
	}
	if err := findLists(method, "method", nil, &axes); err != nil {
		return nil, 0, err
	}
	if axes, err = together(axes, func(a axis) Table { return a.place(rest, method) }); err != nil {
		return nil, 0, err
	}
	sort.SliceStable(axes, func(i, j int) bool { return axes[i].order() < axes[j].order() })
	jobs = 1
	for _, a := range axes {
		jobs = min(jobs*len(a.values), MaxJobs+1)
	}
	return axes, jobs, nil
}

// product makes the configs of one method: one for every choice of a value
// from each list. Seeds, which vary last, and what only the method's lists
// change are not decoded again for each, so that many jobs cost little.
func (s *Suite) product(rest, method Table, axes []axis) ([]Config, error) {
	var seeds []uint32
	if n := len(axes) - 1; n >= 0 && axes[n].order() == seedsOrder {
		if seeds = axes[n].seeds(); seeds != nil {
			rest, axes = rest.Without("seed"), axes[:n]
		}
	}
	var out []Config
	var common Config
	choice := make([]int, len(axes))
	for moved := 0; moved >= 0; moved = next(choice, axes) {
		r, m := rest, method
		decode := len(out) == 0
		for i, axis := range axes {
			for _, a := range axis.all() {
				v := a.values[choice[i]]
				if own, ok := strings.CutPrefix(a.table+".", "method."); ok {
					m.values = set(m.values, strings.TrimSuffix(own, "."), a.key, v)
					continue
				}
				r.values = set(r.values, a.table, a.key, v)
				decode = decode || i >= moved
			}
		}
		if decode {
			common = rest.words().config()
			if err := r.Decode(&common); err != nil {
				return nil, err
			}
			// What fits a set of the user's own is known when its files have been read.
			if d := &common.Data; d.Normalise == "" && s.own(d.Name) == nil {
				d.Normalise = rest.words().Normalise(d.Name)
			}
			if err := common.Model.resolve(r); err != nil {
				return nil, err
			}
		}
		c, err := common.with(m)
		if err == nil {
			err = c.check(r)
		}
		if err != nil {
			return nil, err
		}
		if seeds == nil {
			out = append(out, c)
		}
		for _, c.Seed = range seeds {
			out = append(out, c)
		}
	}
	return out, nil
}

// seeds are the values of a list of seeds, nil if some value is none.
func (a axis) seeds() []uint32 {
	out := make([]uint32, len(a.values))
	for i, v := range a.values {
		n, ok := v.(int64)
		if !ok || n != int64(uint32(n)) {
			return nil
		}
		out[i] = uint32(n)
	}
	return out
}

// next moves to the next choice, the last axis first, and returns the first
// axis that moved, -1 behind the last choice.
func next(choice []int, axes []axis) int {
	for i := len(axes) - 1; i >= 0; i-- {
		if choice[i]++; choice[i] < len(axes[i].values) {
			return i
		}
		choice[i] = 0
	}
	return -1
}

// findLists collects the keys of a table and its subtables that have a list
// for a value, but for those that are lists by nature (a slice in typ).
func findLists(t Table, name string, typ reflect.Type, axes *[]axis) error {
	for _, k := range slices.Sorted(maps.Keys(t.values)) {
		if _, ok := t.Sub(k); !ok && t.needsTable(k) {
			return t.Errorf(k, "%s: %w", t.dotted(k), mismatch("a table ["+t.dotted(k)+"]", t.values[k]))
		}
		var field reflect.Type
		if typ != nil {
			if f, ok := fieldByTag(typ, k); ok {
				field = f.Type
			}
		}
		switch v := t.values[k].(type) {
		case map[string]any:
			sub, _ := t.Sub(k)
			if sub.isDraw() {
				a, err := t.drawn(name, k, field)
				if err != nil {
					return err
				}
				*axes = append(*axes, a)
				continue
			}
			if strings.HasPrefix(name+".", "method.") && k == chosen {
				var among []axis // its lists are values to choose among
				if err := findLists(sub, name+"."+k, nil, &among); err != nil {
					return err
				}
				for _, a := range among {
					if a.drawn {
						return t.Errorf(k, "%s.%s: want a list of values to choose among, found values to draw", a.table, a.key)
					}
				}
				continue
			}
			switch {
			case strings.HasPrefix(name+".", "method.") && k == "train":
				field = reflect.TypeFor[Train]() // whose lists by nature are no sweep here either
			case field != nil && field.Kind() != reflect.Struct:
				field = nil
			}
			if err := findLists(sub, strings.TrimPrefix(name+"."+k, "."), field, axes); err != nil {
				return err
			}
		case []any:
			if field != nil && field.Kind() == reflect.Slice || t.isMethod() && slices.Contains(t.words().Files, k) {
				continue
			}
			if len(v) == 0 {
				return t.Errorf(k, "%s: the list is empty", t.dotted(k))
			}
			for _, e := range v {
				switch e.(type) {
				case []any, map[string]any:
					return t.Errorf(k, "%s: want a value or a list of values, found a list in a list", t.dotted(k))
				}
				if v, ok := e.(float64); ok {
					if err := t.checkNumber(k, v); err != nil {
						return err
					}
				}
			}
			if name == "method" && k == "name" {
				return t.Errorf(k, "name: a list does not fit here; write a [[method]] for each")
			}
			*axes = append(*axes, axis{table: name, key: k, values: v})
		case []map[string]any:
			return t.Errorf(k, "%s: want a table [%s], found a list of tables", t.dotted(k), t.dotted(k))
		case float64:
			if err := t.checkNumber(k, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkNumber refuses what no float32 holds, in which methods and networks compute: a larger number
// would be an infinity there, and a smaller one 0.
func (t Table) checkNumber(key string, v float64) error {
	narrow := float64(float32(v))
	switch {
	case math.IsInf(v, 0) && strings.HasPrefix(t.path, "method#"):
		return nil // a method may take inf: a flat prior's standard deviation
	case math.IsNaN(v) || math.IsInf(v, 0):
		return t.Errorf(key, "%s: want a finite number, found %v", t.dotted(key), v)
	case math.IsInf(narrow, 0) || narrow == 0 && v != 0:
		return t.Errorf(key, "%s: want a number that float32 holds, 0 or in size from 1.4e-45 to 3.4e38, found %v", t.dotted(key), v)
	}
	return nil
}

// set returns a copy of m with the key of the dotted subtable changed.
func set(m map[string]any, table, key string, v any) map[string]any {
	out := make(map[string]any, len(m))
	maps.Copy(out, m)
	if table == "" {
		out[key] = v
		return out
	}
	head, tail, _ := strings.Cut(table, ".")
	sub, _ := out[head].(map[string]any)
	out[head] = set(sub, tail, key, v)
	return out
}

// with is the config of the method, whose own tables train and likelihood come last.
func (c Config) with(method Table) (Config, error) {
	if train, ok := method.Sub("train"); ok {
		if err := train.Decode(&c.Train); err != nil {
			return c, err
		}
		if train.values["early_stopping"] == "" && !train.Has("patience") && !train.Has("min_delta") {
			c.Train.Patience, c.Train.MinDelta = 0, 0 // of what the suite's others do
		}
	}
	if likelihood, ok := method.Sub("likelihood"); ok {
		if noise, ok := likelihood.values["noise"]; ok && noise != c.Likelihood.Noise {
			// A precision or a form of the variance belongs to the noise that it stands beside.
			c.Likelihood = Likelihood{Name: c.Likelihood.Name}
		}
		if err := likelihood.Decode(&c.Likelihood); err != nil {
			return c, err
		}
	}
	for _, table := range []string{"train", "likelihood"} {
		if own, ok := method.Sub(table); ok && len(own.values) == 0 {
			method = method.Without(table) // it says nothing, so it makes no other job
		}
	}
	c.Method = method
	if c.Backend == "" {
		c.Backend = "gonum"
	}
	return c, nil
}

// check refuses what no job could run with. What only a method, a model or a
// data set can judge is left to it.
func (c *Config) check(t Table) error {
	sub := func(name string) Table {
		if s, ok := t.Sub(name); ok {
			return s
		}
		return t
	}
	if err := c.Method.checkNames("[[method]]"); err != nil {
		return err
	}
	if c.Model.Name == "" {
		return t.Errorf("model", "model: want a name")
	}
	if c.Data.Name == "" {
		return sub("data").Errorf("name", "data.name: want a name")
	}
	for _, v := range []struct {
		table, key       string
		found, min, most int
	}{
		{"data", "train", c.Data.Train, 0, maxExamples}, {"data", "test", c.Data.Test, 0, maxExamples},
		{"data", "validation", c.Data.Validation, 0, maxExamples}, {"data", "size", c.Data.Size, 0, 2048},
		{"data", "split", c.Data.Split, 0, maxExamples},
		{"eval", "samples", c.Eval.Samples, 1, 100_000}, {"eval", "batch", c.Eval.Batch, 1, maxBatch},
		{"eval", "every", c.Eval.Every, 0, maxEpochs}, {"eval", "gradient_draws", c.Eval.GradientDraws, 0, 1_000_000},
	} {
		if err := within(sub(v.table), v.table, v.key, v.found, v.min, v.most); err != nil {
			return err
		}
	}
	words := t.words()
	if c.Data.Normalise != "" { // "" is the default of a set of the user's own
		if err := sub("data").word("data", "normalise", c.Data.Normalise, words.Normalisations); err != nil {
			return err
		}
	}
	if err := sub("data").word("data", "random_labels", c.Data.RandomLabels, words.LabelNoises); err != nil {
		return err
	}
	if last := c.Data.ValidationLast; !(last >= 0 && last < 1) || last > 0 && c.Data.Validation > 0 {
		return sub("data").Errorf("validation_last", "data.validation_last: want a share of the training examples in [0, 1), and none "+
			"beside data.validation, found %v", last)
	}
	if !(c.Eval.Target >= 0 && c.Eval.Target <= 1) || c.Eval.Target > 0 && c.Eval.Every == 0 {
		return sub("eval").Errorf("target", "eval.target: want an accuracy in (0, 1] together with eval.every, found %v", c.Eval.Target)
	}
	if c.Eval.GradientDraws == 1 {
		return sub("eval").Errorf("gradient_draws", "eval.gradient_draws: want at least 2 for a variance, or 0 for none, found 1")
	}
	for _, a := range c.Eval.Attack {
		if err := sub("eval").word("eval", "attack", a, words.Attacks); err != nil {
			return err
		}
	}
	if len(c.Eval.Attack) > 0 != (c.Eval.Epsilon > 0) || !(c.Eval.Epsilon >= 0 && c.Eval.Epsilon <= 1) {
		return sub("eval").Errorf("epsilon", "eval.epsilon: want a share in (0, 1] together with eval.attack, found %v", c.Eval.Epsilon)
	}
	return c.Train.check(sub("train"), words)
}

// The most that the numbers of a suite may be which multiply its memory and its
// steps: more is a mistake, and overflows somewhere.
const (
	maxExamples = 1 << 31
	maxEpochs   = 1_000_000
	maxBatch    = 1 << 16

	maxMilestones = 100
)

// within refuses a number that is not from min to most.
func within(t Table, table, key string, found, min, most int) error {
	switch {
	case found < min:
		return t.Errorf(key, "%s.%s: want at least %d, found %d", table, key, min, found)
	case found > most:
		return t.Errorf(key, "%s.%s: want at most %d, found %d", table, key, most, found)
	}
	return nil
}

// maxLabel bounds a method's label, in characters.
const maxLabel = 100

// checkNames refuses a method that tables could not call by a name, and so for
// the methods that it is made of.
func (t Table) checkNames(what string) error {
	if t.Name() == "" {
		return t.Errorf("", "%s: want a name", what)
	}
	if v, ok := t.values["label"]; ok {
		label, _ := v.(string)
		if label == "" || strings.TrimSpace(label) != label || utf8.RuneCountInString(label) > maxLabel {
			return t.Errorf("label", "label: want a name of at most %d characters, none of them a space at an end, found %#v", maxLabel, v)
		}
	}
	for _, part := range t.words().Parts {
		if sub, ok := t.Sub(part); ok {
			if err := sub.checkNames("[method." + part + "]"); err != nil {
				return err
			}
		}
	}
	return nil
}

// check refuses a budget that no training could have; t is the table that the
// error names.
func (c *Train) check(t Table, words *Vocabulary) error {
	if err := within(t, "train", "epochs", c.Epochs, 1, maxEpochs); err != nil {
		return err
	}
	if err := within(t, "train", "batch", c.Batch, 1, maxBatch); err != nil {
		return err
	}
	if err := t.word("train", "optimizer", c.Optimizer, words.Optimizers); err != nil {
		return err
	}
	if err := t.word("train", "schedule", c.Schedule, words.Schedules); err != nil {
		return err
	}
	if !(c.LR > 0) || math.IsInf(c.LR, 0) {
		return t.Errorf("lr", "train.lr: want more than 0, found %v", c.LR)
	}
	if !(c.Mixup >= 0) || math.IsInf(c.Mixup, 0) {
		return t.Errorf("mixup", "train.mixup: want at least 0, found %v", c.Mixup)
	}
	if !(c.Momentum >= 0 && c.Momentum < 1) {
		return t.Errorf("momentum", "train.momentum: want at least 0 and less than 1, found %v", c.Momentum)
	}
	for _, v := range []struct {
		key   string
		found float64
	}{{"weight_decay", c.WeightDecay}, {"clip_norm", c.ClipNorm}, {"gamma", c.Gamma}, {"warmup", c.Warmup}, {"min_delta", c.MinDelta}} {
		if !(v.found >= 0) || math.IsInf(v.found, 0) {
			return t.Errorf(v.key, "train.%s: want a finite number, 0 or more, found %v", v.key, v.found)
		}
	}
	if err := within(t, "train", "patience", c.Patience, 0, maxEpochs); err != nil {
		return err
	}
	switch {
	case c.EarlyStopping != "" && c.Patience == 0:
		return t.Errorf("early_stopping", "train.early_stopping: want train.patience beside it, the epochs to wait for a better one")
	case c.EarlyStopping == "" && c.Patience != 0:
		return t.Errorf("patience", "train.patience: want train.early_stopping beside it, such as early_stopping = \"nll\"")
	case c.EarlyStopping == "" && c.MinDelta != 0:
		return t.Errorf("min_delta", "train.min_delta: want train.early_stopping beside it, such as early_stopping = \"nll\"")
	}
	if len(c.Milestones) > maxMilestones {
		return t.Errorf("milestones", "train.milestones: want at most %d, found %d", maxMilestones, len(c.Milestones))
	}
	for _, m := range c.Milestones {
		if !(m > 0 && m <= maxEpochs) {
			return t.Errorf("milestones", "train.milestones: want epochs above 0 and at most %d, found %v", maxEpochs, m)
		}
	}
	return nil
}

// override puts the value of "a.b=value" into the decoded file, and tells f.
func override(top map[string]any, f *file, text string) error {
	key, value, ok := strings.Cut(text, "=")
	key = strings.TrimSpace(key)
	if !ok || key == "" || strings.Contains("."+key+".", "..") {
		return fmt.Errorf("-set %q: want key=value, as in -set train.epochs=5", shortened(text))
	}
	if len(text) > maxText || strings.Count(key, ".") >= maxDepth || tooDeep("v = "+value) > 0 {
		return fmt.Errorf("-set: want at most %d bytes, nested at most %d deep", maxText, maxDepth)
	}
	var one map[string]any
	if _, err := toml.Decode("v = "+value, &one); err != nil || len(one) != 1 {
		// A bare word is a string, so that a shell needs no second quotes.
		if _, err2 := toml.Decode("v = "+strconv.Quote(value), &one); err2 != nil {
			return fmt.Errorf("-set %q: %w", shortened(text), err)
		}
	}
	table, last := "", key
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		table, last = key[:i], key[i+1:]
	}
	if table == "method" || strings.HasPrefix(table, "method.") {
		list, _ := top["method"].([]map[string]any)
		inner := strings.TrimPrefix(strings.TrimPrefix(table, "method"), ".")
		hit := false
		known := map[string]bool{}
		for i, m := range list {
			if has(m, inner, last) {
				list[i], hit = set(m, inner, last, one["v"]), true
				f.set = append(f.set, change{fmt.Sprintf("method#%d", i) + strings.TrimPrefix(key, "method"), text})
			}
			for k := range tableOf(m, inner) {
				known[k] = true
			}
		}
		if !hit {
			return fmt.Errorf("-set %q: no [[method]] of the suite has the key %q%s", shortened(text), last, nearest.Hint(last, slices.Collect(maps.Keys(known))))
		}
		return nil
	}
	if t, ok := top[strings.Split(key, ".")[0]]; ok && table != "" {
		if _, ok := t.(map[string]any); !ok {
			return fmt.Errorf("-set %q: %s is no table of the suite", shortened(text), strings.Split(key, ".")[0])
		}
	}
	f.set = append(f.set, change{key, text})
	maps.Copy(top, set(top, table, last, one["v"]))
	return nil
}

// tableOf is the dotted subtable of m, nil if there is none.
func tableOf(m map[string]any, table string) map[string]any {
	for table != "" {
		head, tail, _ := strings.Cut(table, ".")
		m, _ = m[head].(map[string]any)
		table = tail
	}
	return m
}

func has(m map[string]any, table, key string) bool {
	_, ok := tableOf(m, table)[key]
	return ok
}
