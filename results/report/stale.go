package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"bayesbench/results"
)

// Staleness is a reason not to take results as those of today's program: their version is no
// commit, or the program changed after it.
type Staleness struct {
	Reason  string   // without the mark
	Methods []string // those that it concerns, sorted
	Jobs    int      // how many jobs; a configuration and seed, where the results do not say the job
}

// Stale lists the reasons against a set of results, the untraceable versions first, then the
// changes in their order. What marks a row of a table is a reason here, and nothing else is.
func Stale(set results.Set) []Staleness {
	type reason struct{ methods, jobs map[string]bool }
	found := map[string]*reason{}
	var order []string
	add := func(text string, r *results.Record) {
		if found[text] == nil {
			found[text] = &reason{map[string]bool{}, map[string]bool{}}
			order = append(order, text)
		}
		found[text].methods[r.Method] = true
		job := r.Origin.Job
		if job == "" {
			job = strings.Join([]string{r.Data, r.Model, r.Method, r.Backend, r.Replicate().String()}, " ")
		}
		found[text].jobs[job] = true
	}
	for i := range set.Records {
		r := &set.Records[i]
		if version := r.ConfigValue("version"); r.Backend != results.External && !traceable(version) {
			add(fmt.Sprintf("cannot be traced to a commit: %s", shortVersion(version)), r)
		}
	}
	slices.Sort(order)
	for i := range outdatings {
		o := &outdatings[i]
		for j := range set.Records {
			r := &set.Records[j]
			if slices.ContainsFunc(r.Values, func(v results.Value) bool { return o.concerns(r, v.Unit) }) {
				add(o.Why, r)
			}
		}
	}
	var all []Staleness
	for _, text := range order {
		all = append(all, Staleness{text, slices.Sorted(maps.Keys(found[text].methods)), len(found[text].jobs)})
	}
	return all
}
