package report

import (
	"fmt"
	"math"
	"slices"

	"bayesbench/results"
	"bayesbench/results/metrics"
	"bayesbench/results/stats"
)

// What the deep-ensemble equivalent is made of and called, and whose curve it is read off.
const (
	deeUnit     = "dee"
	deeScore    = "calibrated_ll"
	deeEnsemble = "ensemble(deterministic)"
)

// deeNote stands below a table with a column of them.
const deeNote = "dee: no more than the size of the largest deep ensemble in these results, where it means at least so many."

// withDEE adds the deep-ensemble equivalent to each record with a calibrated log-likelihood: the size at which deep
// ensembles on the same data, network and backend reach it in the mean over seeds (metrics.EnsembleCurve), and, where
// every size has several ensembles, its bounds against that mean one standard deviation up and down. It cannot be a
// metric of one job, for it takes all ensembles of the results. Without ensembles of two sizes at least there is none.
func withDEE(set results.Set) (results.Set, error) {
	curves := map[string]map[int][]float64{} // by place, then by size
	for i := range set.Records {
		r := &set.Records[i]
		if ll, ok := r.Value(deeScore); ok && r.Method == deeEnsemble && sweepValue(r, predictKey) != "sample" {
			at := deePlace(r)
			if curves[at] == nil {
				curves[at] = map[int][]float64{}
			}
			curves[at][r.Samples] = append(curves[at][r.Samples], ll)
		}
	}
	out := results.Set{Units: results.Units{}}
	for _, unit := range []string{deeUnit, deeUnit + "-lo", deeUnit + "-hi"} {
		out.Units[unit] = results.Unit{Name: unit, Better: results.Higher}
	}
	for name, u := range set.Units {
		out.Units[name] = u
	}
	for _, r := range set.Records {
		ll, ok := r.Value(deeScore)
		_, has := r.Value(deeUnit)
		if bySize := curves[deePlace(&r)]; ok && !has && len(bySize) > 1 {
			var curve metrics.EnsembleCurve
			for size := range bySize {
				curve.Sizes = append(curve.Sizes, size)
			}
			slices.Sort(curve.Sizes)
			for _, size := range curve.Sizes {
				mean, sd := stats.Summarise(bySize[size])
				curve.LL = append(curve.LL, mean)
				if !math.IsNaN(sd) {
					curve.SD = append(curve.SD, sd)
				}
			}
			bounded := len(curve.SD) == len(curve.Sizes)
			if !bounded { // some size has one ensemble only
				curve.SD = nil
			}
			dee, err := curve.Equivalent(ll)
			if err != nil {
				return set, err
			}
			r.Values = append(slices.Clone(r.Values), results.Value{Unit: deeUnit, Value: dee.Value})
			if bounded {
				r.Values = append(r.Values, results.Value{Unit: deeUnit + "-lo", Value: dee.Lo}, results.Value{Unit: deeUnit + "-hi", Value: dee.Hi})
			}
		}
		out.Records = append(out.Records, r)
	}
	return out, nil
}

// deePlace is what an ensemble and a method must have in common for a comparison: everything but the method, its own
// keys and the seed.
func deePlace(r *results.Record) string {
	place := fmt.Sprint(r.Data, " ", r.Model, " ", r.Backend)
	for _, p := range r.Sweep {
		if p.Key == "ood" || p.Key == "labels" || slices.Contains(detailKeys, p.Key) {
			place += fmt.Sprint(" ", p.Key, "=", p.Value)
		}
	}
	return place
}
