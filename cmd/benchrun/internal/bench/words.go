package bench

import (
	"maps"
	"slices"

	"bayesbench/methods"
	"bayesbench/methods/optim"
	"bayesbench/methods/schedule"
	"bayesbench/suites"
	"bayesbench/suites/data"
)

// Words are what a suite may say, gathered from those who implement it: the methods that
// are registered, the data sets, and this package.
func Words() suites.Vocabulary {
	train := methods.Train{}.WithDefaults()
	return suites.Vocabulary{
		Train:          suites.Train{Optimizer: train.Optimizer, LR: train.LR, Momentum: train.Momentum, Schedule: train.Schedule},
		Optimizers:     optim.Names(),
		Schedules:      schedule.Rates(),
		Normalisations: texts(data.Schemes()),
		LabelNoises:    texts(data.LabelNoises()),
		Attacks:        slices.Sorted(maps.Keys(attacks)),
		Datasets:       datasets(),
		Normalise:      normalisation,
		Splits:         splits,
		Parts:          methods.Parts(),
		Files:          methods.Files(),
		Content:        content,
	}
}

// datasets are the names of the data sets that the program has.
func datasets() []string {
	var names []string
	for _, info := range data.List() {
		names = append(names, info.Name)
	}
	return names
}

// splits is how many the set of that name has.
func splits(set string) int {
	info, _ := data.Describe(set) // one that there is not is refused later
	return info.Splits
}

// normalisation is the default for the set of that name. One that there is not is refused
// later, when it is opened.
func normalisation(set string) string {
	info, err := data.Describe(set)
	if known := data.Normalisations(info); err == nil && len(known) > 0 {
		return string(known[0])
	}
	return string(data.Schemes()[0])
}

func texts[T ~string](words []T) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return out
}
