package results

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Origin says which job a record is of. It is zero for predictions that were made elsewhere and for
// results of versions that did not store it.
type Origin struct {
	Job   string // the job's id
	Setup string // see [Setup]: jobs of one setup differ in the seed and the split of the data alone
}

// SetupKey is the name key that tells two setups apart where no setting of theirs can.
const SetupKey = "setup"

// ownKeys are the name keys that the harness writes. None has a dot, and each setting of a user's
// has one.
var ownKeys = []string{"predict", "layer", "corruption", "severity", "attack", "epsilon", "ood", "labels", "split",
	"estimator", "parameter", SetupKey}

// Configured is a job whose name is to be told from others by its configuration.
type Configured struct {
	// Base is what every name has: data, model, method's label and backend. Only jobs of one base
	// are told apart.
	Base     string
	Settings []Pair // see [Settings]
	Setup    string // see [Setup]
}

// Settings lists a job's resolved configuration as dotted keys, as a suite spells them, in their
// order:
//
//	data.train=1000  eval.samples=8  method.name=ffg  method.prior_sigma=0.1  train.lr=0.001
//
// A list is its elements with commas between. An empty value is written "". What every name holds
// anyway (the model's name, seed, backend, data.name) is left out, and so are data.random_labels,
// for which there is the name key labels, and data.split, for which there is the configuration key
// [SplitKey].
func Settings(config json.RawMessage) ([]Pair, error) {
	top, err := configuration(config)
	if err != nil {
		return nil, err
	}
	for _, key := range []string{"seed", "backend"} {
		delete(top, key)
	}
	if model, ok := top["model"].(map[string]any); ok {
		delete(model, "name") // and its content stays
	} else {
		delete(top, "model")
	}
	var settings []Pair
	flatten("", top, &settings)
	settings = slices.DeleteFunc(settings, func(p Pair) bool {
		return p.Key == "data.name" || p.Key == "data.random_labels" || p.Key == "data.split"
	})
	return sortedConfig(settings), nil
}

// Setup is a hash of a job's resolved configuration without its seed and its split of the data.
func Setup(config json.RawMessage) (string, error) {
	top, err := configuration(config)
	if err != nil {
		return "", err
	}
	delete(top, "seed")
	if data, ok := top["data"].(map[string]any); ok {
		delete(data, "split")
	}
	text, err := json.Marshal(top)
	if err != nil {
		return "", err
	}
	return hexSum(text)[:12], nil
}

// configuration decodes a job's configuration; none at all is an empty one.
func configuration(config json.RawMessage) (map[string]any, error) {
	if len(bytes.TrimSpace(config)) == 0 {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(config))
	dec.UseNumber() // keeps the digits
	var top map[string]any
	if err := dec.Decode(&top); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return top, nil
}

func flatten(path string, value any, settings *[]Pair) {
	if table, ok := value.(map[string]any); ok {
		for key, v := range table {
			flatten(strings.TrimPrefix(path+"."+key, "."), v, settings)
		}
		return
	}
	if !strings.Contains(path, ".") {
		path = "suite." + path // a key of the top level that a later version may have
	}
	if path == "eval.save" { // so manifests say, and with them the hashes that are the jobs' ids
		path = "eval.save_predictions"
	}
	*settings = append(*settings, Pair{path, settingText(value)})
}

// maxSetting is the longest value of a setting in a name, in bytes.
const maxSetting = 64

// settingText is the value as it stands in a name. A long one is cut, and a hash of the whole
// stands behind.
func settingText(value any) string {
	text := scalarText(value)
	if list, ok := value.([]any); ok {
		parts := make([]string, len(list))
		for i, v := range list {
			parts[i] = scalarText(v)
		}
		text = strings.Join(parts, ",")
	}
	if text == "" {
		return `""`
	}
	if len(text) > maxSetting {
		text = strings.ToValidUTF8(text[:maxSetting-10], "") + "…" + hexSum([]byte(text))[:8]
	}
	return text
}

func scalarText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	default: // true, false, null, a list in a list
		text, err := json.Marshal(v)
		if err != nil {
			return err.Error()
		}
		return string(text)
	}
}

// maxNamed is how many settings stand in a name at most.
const maxNamed = maxParts / 2

// Distinguish returns for each job the settings that its name needs: all in which jobs of its base
// differ. A setting that some of them lack, such as a key that only one suite gave, is left out of
// the names of those. The table train of a method counts only as far as the training budget that it
// changes does not tell as much. Jobs of two setups never have the same name: where the settings do
// not tell them apart, the key setup does.
//
// The names depend on the set of jobs alone, neither on their order nor on which suites asked for
// them.
func Distinguish(jobs []Configured) [][]Pair {
	byBase := map[string][]int{}
	for i, j := range jobs {
		byBase[j.Base] = append(byBase[j.Base], i)
	}
	names := make([][]Pair, len(jobs))
	for _, group := range byBase {
		varying := varyingKeys(jobs, group)
		name := func(j *Configured) []Pair {
			var pairs []Pair
			for _, p := range j.Settings {
				if varying[p.Key] && len(pairs) < maxNamed {
					pairs = append(pairs, p)
				}
			}
			return pairs
		}
		setups := map[string]string{} // by the name
		ambiguous := map[string]bool{}
		for _, i := range group {
			names[i] = name(&jobs[i])
			text := fmt.Sprint(names[i])
			if other, ok := setups[text]; ok && other != jobs[i].Setup {
				ambiguous[text] = true
			}
			setups[text] = jobs[i].Setup
		}
		for _, i := range group {
			if ambiguous[fmt.Sprint(names[i])] {
				names[i] = append(names[i], Pair{SetupKey, jobs[i].Setup})
			}
		}
	}
	return names
}

// varyingKeys returns the settings in which the jobs of one group differ.
func varyingKeys(jobs []Configured, group []int) map[string]bool {
	first, count, varying := map[string]string{}, map[string]int{}, map[string]bool{}
	for _, i := range group {
		for _, p := range jobs[i].Settings {
			if value, ok := first[p.Key]; ok && value != p.Value {
				varying[p.Key] = true
			}
			first[p.Key] = p.Value
			count[p.Key]++
		}
	}
	for key, n := range count {
		if n < len(group) {
			varying[key] = true
		}
	}
	for key := range varying {
		own, ok := strings.CutPrefix(key, "method.")
		if ok && (strings.HasPrefix(own, "train.") || strings.HasPrefix(own, "likelihood.")) && sameWhereSet(jobs, group, key, own) {
			delete(varying, key)
		}
	}
	return varying
}

// sameWhereSet reports whether each job of the group that has the setting key has the same value
// for other, and whether all that lack key differ from them in other.
func sameWhereSet(jobs []Configured, group []int, key, other string) bool {
	with, without := map[string]bool{}, map[string]bool{}
	for _, i := range group {
		value, set := setting(jobs[i].Settings, key)
		effective, _ := setting(jobs[i].Settings, other)
		switch {
		case set && value != effective:
			return false
		case set:
			with[effective] = true
		default:
			without[effective] = true
		}
	}
	for value := range with {
		if without[value] {
			return false
		}
	}
	return true
}

func setting(settings []Pair, key string) (string, bool) {
	i, found := slices.BinarySearchFunc(settings, key, func(p Pair, key string) int { return strings.Compare(p.Key, key) })
	if !found {
		return "", false
	}
	return settings[i].Value, true
}

// describe is what the job's name is made from.
func describe(j *JobResult) (Configured, error) {
	settings, err := Settings(j.Manifest.Config)
	if err != nil {
		return Configured{}, fmt.Errorf("job %s: %w", j.ID, err)
	}
	setup, err := Setup(j.Manifest.Config)
	if err != nil {
		return Configured{}, fmt.Errorf("job %s: %w", j.ID, err)
	}
	return Configured{Base: j.base(), Settings: settings, Setup: setup}, nil
}

// nameAndOrder gives the records of jobs their names, which are what the harness wrote and the
// settings that tell the jobs apart, and sorts the jobs by them. What an earlier version wrote of
// settings gives way.
func nameAndOrder(jobs []JobResult) error {
	configured := make([]Configured, len(jobs))
	for i := range jobs {
		configured[i] = jobs[i].configured
	}
	for i, pairs := range Distinguish(configured) {
		for k := range jobs[i].Records {
			r := &jobs[i].Records[k]
			r.Origin = Origin{Job: jobs[i].ID, Setup: configured[i].Setup}
			own := slices.DeleteFunc(slices.Clone(r.Sweep), func(p Pair) bool { return !isOwn(p.Key) })
			r.Sweep = slices.Concat(pairs, own)
		}
	}
	order(jobs)
	return nil
}

// align gives all records of one setup the same settings: each setting that stands in the name of
// one of them stands in the names of all. What was read apart, or written when other jobs were at
// hand, has names that tell fewer jobs apart: without this one configuration would stand in two
// rows.
func align(groups ...[]Record) {
	settings := map[string][]Pair{} // by setup, sorted
	for _, records := range groups {
		for i := range records {
			r := &records[i]
			if r.Origin.Setup == "" {
				continue
			}
			known := settings[r.Origin.Setup]
			for _, p := range r.Sweep {
				if _, ok := setting(known, p.Key); !ok && ofConfiguration(p.Key) && len(known) <= maxNamed {
					known = sortedConfig(append(known, p))
				}
			}
			settings[r.Origin.Setup] = known
		}
	}
	for _, records := range groups {
		for i := range records {
			r := &records[i]
			known := settings[r.Origin.Setup]
			if len(known) == 0 {
				continue
			}
			own := slices.DeleteFunc(slices.Clone(r.Sweep), func(p Pair) bool { return ofConfiguration(p.Key) })
			r.Sweep = slices.Concat(known, own)
		}
	}
}

// isOwn reports whether the harness writes this name key; others are settings of a user's.
func isOwn(key string) bool { return slices.Contains(ownKeys, key) }

// ofConfiguration reports whether a name key tells configurations apart.
func ofConfiguration(key string) bool { return !isOwn(key) || key == SetupKey }

// base is the part of the names of a job's records that every name has.
func (j *JobResult) base() string {
	if len(j.Records) == 0 {
		return ""
	}
	r := &j.Records[0]
	labels := ""
	for _, p := range r.Sweep {
		if p.Key == "labels" {
			labels = p.Value
		}
	}
	return fmt.Sprintf("%q", []string{r.Data, r.Model, r.Method, r.Backend, labels})
}

// order sorts jobs as their names ask for it: by data, model and backend, methods that are made of
// others behind those that are not, settings by their numbers, seeds and splits by theirs. So the
// order of a run's results follows from its jobs alone.
func order(jobs []JobResult) {
	first := func(j *JobResult) *Record {
		if len(j.Records) == 0 {
			return &Record{}
		}
		return &j.Records[0]
	}
	made := func(r *Record) int { return strings.Count(r.Method, "(") }
	slices.SortStableFunc(jobs, func(x, y JobResult) int {
		a, b := first(&x), first(&y)
		return cmp.Or(strings.Compare(a.Data, b.Data), strings.Compare(a.Model, b.Model), cmp.Compare(made(a), made(b)),
			strings.Compare(a.Method, b.Method), strings.Compare(a.Backend, b.Backend), comparePairs(x.settings(), y.settings()),
			a.Replicate().Compare(b.Replicate()), strings.Compare(x.ID, y.ID))
	})
}

// settings are the settings in the job's name.
func (j *JobResult) settings() []Pair {
	if len(j.Records) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(j.Records[0].Sweep), func(p Pair) bool {
		return p.Key != "labels" && p.Key != SetupKey && isOwn(p.Key)
	})
}

func comparePairs(a, b []Pair) int {
	return slices.CompareFunc(a, b, func(p, q Pair) int {
		return cmp.Or(strings.Compare(p.Key, q.Key), compareNumbers(p.Value, q.Value))
	})
}

// compareNumbers compares two texts as numbers where both are. Numbers come before other texts.
func compareNumbers(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	switch {
	case errX == nil && errY == nil:
		return cmp.Or(cmp.Compare(x, y), strings.Compare(a, b))
	case errX == nil:
		return -1
	case errY == nil:
		return 1
	}
	return strings.Compare(a, b)
}
