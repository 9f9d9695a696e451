package data

// Schemes lists the normalisations that a suite names; Normalisations has those of one set.
func Schemes() []Scheme { return []Scheme{Unit255, Unit256, Standard, None} }

// LabelNoises lists what a suite may say of random labels; the first is none.
func LabelNoises() []LabelNoise {
	return []LabelNoise{TrueLabels, RandomTrainLabels, RandomAllLabels}
}
