package bench

import (
	"fmt"
	"slices"

	"bayesbench/methods"
)

// counts lists the numbers K of posterior samples at which a predictive is
// scored, in order. groups are what its samples come from in turn, outermost
// first: the members of an ensemble, those of each of them, the stored states of
// one chain. A draw gives each group one sample before any gives another, so the
// first K samples weigh all m of a level alike where K is at most m, or a
// multiple of m whose share, K/m, does so on the levels below. Of these K the
// powers of two below m are scored, then m, 2m, 4m, … and the last. Where draws
// are endless the last is the largest such K up to most, but never less than
// what gives every group one sample; otherwise all there is.
func counts(groups []int, endless bool, most int) []int {
	if len(groups) == 0 {
		if !endless {
			return []int{1}
		}
		return doubling(most)
	}
	m := groups[0]
	var out []int
	for k := 1; k < m; k *= 2 {
		out = append(out, k)
	}
	for _, k := range counts(groups[1:], endless, max(1, most/m)) {
		out = append(out, m*k)
	}
	return out
}

// doubling is 1, 2, 4, … and n.
func doubling(n int) []int {
	var out []int
	for k := 1; k < n; k *= 2 {
		out = append(out, k)
	}
	return append(out, n)
}

// upTo is the largest of the counts that is at most n; their first is 1.
func upTo(counts []int, n int) int {
	at, found := slices.BinarySearch(counts, n)
	if found {
		return n
	}
	return counts[at-1]
}

// samples lists the K at which predictor p of the job is scored, which draws
// from so many stored states of each chain.
func (j *Job) samples(p methods.Predictor, states int) []int {
	var groups []int
	for m := j; len(m.members) > 0; m = m.members[0] {
		groups = append(groups, len(m.members))
	}
	return counts(append(groups, states), p.Stochastic, j.Config.Eval.Samples)
}

// kept counts the states that predictor p of the plan draws from.
func kept(plan *methods.Plan, p methods.Predictor) int {
	if !p.Kept {
		return 1
	}
	n := 0
	for _, s := range plan.Stages {
		n += s.KeptIn(s.Steps)
	}
	return n
}

// inTurn takes one of each list, then the next of each. Lists of members that
// differ in length would not weigh alike.
func inTurn[T any](lists [][]T) ([]T, error) {
	var out []T
	for k := range lists[0] {
		for i, l := range lists {
			if len(l) != len(lists[0]) {
				return nil, fmt.Errorf("member %d: want as many posterior samples as member 0 has, %d, found %d", i, len(lists[0]), len(l))
			}
			out = append(out, l[k])
		}
	}
	return out, nil
}
