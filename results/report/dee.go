package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

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

// withDEE adds the deep-ensemble equivalent to each record with a calibrated log-likelihood: the
// size at which deep ensembles on the same data, network and backend and of the same settings reach
// it in the mean over seeds (metrics.EnsembleCurve), and, where every size has several ensembles,
// its bounds against that mean one standard deviation up and down. It cannot be a metric of one
// job, for it takes all ensembles of the results. Without ensembles of two sizes at least there is
// none, and none where ensembles of several settings fit as well.
func withDEE(set results.Set) (results.Set, error) {
	curves := map[string][]*ensembles{} // by place
	for i := range set.Records {
		r := &set.Records[i]
		if ll, ok := r.Value(deeScore); ok && r.Method == deeEnsemble && sweepValue(r, predictKey) != "sample" {
			at, settings := deePlace(r), deeSettings(r)
			k := slices.IndexFunc(curves[at], func(e *ensembles) bool { return slices.Equal(e.settings, settings) })
			if k < 0 {
				k = len(curves[at])
				curves[at] = append(curves[at], &ensembles{settings: settings, bySize: map[int]byReplicate{}})
			}
			e := curves[at][k]
			if e.bySize[r.Samples] == nil {
				e.bySize[r.Samples] = byReplicate{}
			}
			if _, has := e.bySize[r.Samples][r.Replicate()]; !has { // more members may give the same size once more
				e.bySize[r.Samples][r.Replicate()] = ll
			}
		}
	}
	out := results.Set{Units: results.Units{}}
	for _, unit := range []string{deeUnit, deeUnit + "-lo", deeUnit + "-hi"} {
		out.Units[unit] = results.Unit{Name: unit, Better: results.Higher}
	}
	maps.Copy(out.Units, set.Units)
	for _, r := range set.Records {
		ll, ok := r.Value(deeScore)
		_, has := r.Value(deeUnit)
		if e := fitting(curves[deePlace(&r)], &r); ok && !has && e != nil && len(e.bySize) > 1 {
			var curve metrics.EnsembleCurve
			for size := range e.bySize {
				curve.Sizes = append(curve.Sizes, size)
			}
			slices.Sort(curve.Sizes)
			for _, size := range curve.Sizes {
				mean, sd := stats.Summarise(inOrder(e.bySize[size]))
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

// deePlace is what an ensemble and a method must have in common for a comparison: everything but
// the method, its own keys and the seed.
func deePlace(r *results.Record) string {
	place := fmt.Sprint(r.Data, " ", r.Model, " ", r.Backend)
	for _, p := range r.Sweep {
		if p.Key == "ood" || p.Key == "labels" || slices.Contains(detailKeys, p.Key) {
			place += fmt.Sprint(" ", p.Key, "=", p.Value)
		}
	}
	return place
}

// ensembles are the scores of deep ensembles of one place and one choice of settings, by size and
// seed.
type ensembles struct {
	settings []results.Pair
	bySize   map[int]byReplicate
}

// deeSettings are the settings in a record's name that must not be averaged over: all but the
// number of members.
func deeSettings(r *results.Record) []results.Pair {
	return slices.DeleteFunc(slices.Clone(r.Sweep), func(p results.Pair) bool {
		return p.Key != results.SetupKey && !strings.Contains(p.Key, ".") || p.Key == "method.members"
	})
}

// fitting is the one choice of ensembles whose settings are the record's, as far as the record has
// them; nil if there are none or several.
func fitting(all []*ensembles, r *results.Record) *ensembles {
	var fit *ensembles
	for _, e := range all {
		differs := slices.ContainsFunc(e.settings, func(p results.Pair) bool {
			v := sweepValue(r, p.Key)
			return v != "" && v != p.Value
		})
		if differs {
			continue
		}
		if fit != nil {
			return nil
		}
		fit = e
	}
	return fit
}
