package score

// Points are the losses of each test point under the average of all samples.
type Points struct {
	Labels []int
	Error  []float64 // 0 or 1
	NLL    []float64 // nats, of a probability of at least 1e-12
}

// ReadPoints reads predictions and their labels, as [Score] does, for the
// losses of each point.
func ReadPoints(files Files) (*Points, error) {
	in, err := openPredictions(files.Predictions, files)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	y, err := openLabels(files.Labels, in)
	if err != nil {
		return nil, err
	}
	defer y.Close()
	labels, err := readLabels(y, in.c)
	if err != nil {
		return nil, err
	}
	e, err := in.advance(in.k, labels)
	if err != nil {
		return nil, err
	}
	losses := pointLosses(e)
	return &Points{Labels: labels, Error: losses[0], NLL: losses[1]}, nil
}
