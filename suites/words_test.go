package suites

// words are those of a small program.
var words = Vocabulary{
	Train:          Train{Optimizer: "adam", LR: 1e-3, Schedule: "constant"},
	Optimizers:     []string{"adam", "sgd"},
	Schedules:      []string{"constant", "linear"},
	Normalisations: []string{"unit255", "standard"},
	LabelNoises:    []string{"", "train", "all"},
	Attacks:        []string{"fgsm"},
	Parts:          []string{"of", "teacher"},
	Normalise: func(set string) string {
		if set == "yacht" {
			return "standard"
		}
		return "unit255"
	},
}
