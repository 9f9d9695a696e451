package report

import (
	"slices"

	"bayesbench/results"
)

// amongOthers lets predictions that were made elsewhere and scored here stand in the tables of the
// runs they are to be compared with: on each backend that has results of the same data and model,
// as method NAME@external. Without any they have tables of their own.
func amongOthers(records []results.Record) []results.Record {
	type place struct{ data, model string }
	backends := map[place][]string{}
	for i := range records {
		r := &records[i]
		at := place{r.Data, r.Model}
		if r.Backend != results.External && !slices.Contains(backends[at], r.Backend) {
			backends[at] = append(backends[at], r.Backend)
		}
	}
	var all []results.Record
	for _, r := range records {
		hosts := backends[place{r.Data, r.Model}]
		if r.Backend != results.External || len(hosts) == 0 {
			all = append(all, r)
			continue
		}
		for _, backend := range hosts {
			guest := r
			guest.Backend, guest.Method = backend, r.Method+"@"+results.External
			all = append(all, guest)
		}
	}
	return all
}
