package results

import "fmt"

// Details is what plots need beyond records: details.json, small, written once when the job is
// done. Any list may be empty.
type Details struct {
	Format      int           `json:"format"`
	Reliability []Reliability `json:"reliability,omitempty"`
	RiskCover   []RiskCover   `json:"risk_coverage,omitempty"`
	Coverage    []Coverage    `json:"interval_coverage,omitempty"`
	Layers      []Layer       `json:"layers,omitempty"`
	Histograms  []Histogram   `json:"histograms,omitempty"`
}

// Reliability is a reliability diagram of the predictive at one K.
type Reliability struct {
	Samples int   `json:"samples"`
	Bins    []Bin `json:"bins"`
}

// Bin is one confidence bin (Low, High].
type Bin struct {
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Count      int     `json:"count"`
	Confidence float64 `json:"confidence"` // mean in the bin; 0 if it is empty
	Accuracy   float64 `json:"accuracy"`   // mean in the bin; 0 if it is empty
}

// RiskCover is the risk-coverage curve at one K: the error rate among the most confident Coverage
// of the test set. About 100 points are enough for a picture; AURC itself is a record.
type RiskCover struct {
	Samples  int       `json:"samples"`
	Coverage []float64 `json:"coverage"`
	Risk     []float64 `json:"risk"`
}

// Coverage is the reliability of predictions of numbers at one K: for each level the share of the
// targets that lie in the predictive's central interval of that level, which should be the level.
type Coverage struct {
	Samples int       `json:"samples"`
	Targets int       `json:"targets"` // how many there are
	Levels  []float64 `json:"levels"`  // rising, in (0, 1)
	Shares  []float64 `json:"shares"`
}

// Layer is the sparsity of one weight tensor (biases and normalisation are not counted).
type Layer struct {
	Name    string `json:"name"`
	Weights int    `json:"weights"`
	NonZero int    `json:"nonzero"` // weights that survive the threshold
}

// Histogram counts one quantity of the predictive over one set of inputs, such as "entropy" on
// "notmnist" or "residual" on "boston".
type Histogram struct {
	Quantity string    `json:"quantity"`
	Data     string    `json:"data"`
	Samples  int       `json:"samples"`
	Edges    []float64 `json:"edges"` // one more than Counts
	Counts   []int     `json:"counts"`
}

// check reports lists whose lengths do not fit together.
func (d *Details) check() error {
	for _, r := range d.RiskCover {
		if len(r.Coverage) != len(r.Risk) {
			return fmt.Errorf("risk_coverage at %d samples: want as many risks as coverages, found %d and %d",
				r.Samples, len(r.Risk), len(r.Coverage))
		}
	}
	for _, c := range d.Coverage {
		if len(c.Levels) != len(c.Shares) {
			return fmt.Errorf("interval_coverage at %d samples: want as many shares as levels, found %d and %d",
				c.Samples, len(c.Shares), len(c.Levels))
		}
	}
	for _, h := range d.Histograms {
		if len(h.Edges) != len(h.Counts)+1 {
			return fmt.Errorf("histogram of %s on %s: want one edge more than counts, found %d edges and %d counts",
				h.Quantity, h.Data, len(h.Edges), len(h.Counts))
		}
	}
	return nil
}
