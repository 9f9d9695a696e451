package bench

import (
	"slices"

	"bayesbench/methods"
	"bayesbench/suites"
)

// A key of [train] is part of a job's id. Where the method does not read it, two values
// make two jobs of one result, and whoever set it believes in an effect that it has not.
// So it is refused where it was said for this method: in the method's own table train,
// or in the suite's where no method of the suite reads it.

// ignored lists the keys of [train] that neither the method nor a part of it reads.
func ignored(method suites.Table) []string {
	d, _ := methods.Find(method.Name())
	keys := slices.Clone(d.Ignores)
	for _, part := range d.Parts {
		if sub, ok := method.Sub(part); ok {
			others := ignored(sub)
			keys = slices.DeleteFunc(keys, func(k string) bool { return !slices.Contains(others, k) })
		}
	}
	return keys
}

// checkOwnTrain refuses a key of the method's own table train that it ignores.
func checkOwnTrain(method suites.Table) error {
	train, ok := method.Sub("train")
	if !ok {
		return nil
	}
	for _, k := range ignored(method) {
		if train.Has(k) {
			return train.Errorf(k, "train.%s: %s does not read it, and it would make another job with the same result; delete it (docs/methods has the keys that %s reads)",
				k, method.Label(), method.Name())
		}
	}
	return nil
}

// checkTrain refuses a key of the suite's [train] that none of its methods reads.
func checkTrain(s *suites.Suite) error {
	for _, k := range methods.TrainKeys {
		if !s.Train.Has(k) {
			continue
		}
		if slices.ContainsFunc(s.Jobs, func(c suites.Config) bool { return !slices.Contains(ignored(c.Method), k) }) {
			continue
		}
		first := s.Jobs[0].Method
		return s.Train.Errorf(k, "train.%s: no method of the suite reads it, %s as little as the others, and it would make other jobs with the same results; "+
			"delete it (docs/methods has the keys that %s reads)", k, first.Label(), first.Name())
	}
	return nil
}
