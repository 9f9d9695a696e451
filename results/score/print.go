package score

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"bayesbench/results"
	"bayesbench/results/metrics"
)

// WriteText writes a table with a row for each metric, a column for each
// number of samples, and which way the metric improves;
// below it the comparison with other predictions, if there is one.
func (r *Result) WriteText(w io.Writer) error {
	fmt.Fprintf(w, "%d inputs, %d classes, %d posterior samples", r.Inputs, r.Classes, r.Samples)
	if r.OODInputs > 0 {
		fmt.Fprintf(w, ", %d out-of-distribution inputs", r.OODInputs)
	}
	fmt.Fprint(w, "\n\n")
	if err := writeTable(w, r.At); err != nil || r.Against == nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\n", strings.Join(r.Against.lines(), "\n"))
	return err
}

// writeTable writes a row for each metric, a column for each number of samples, and which way the
// metric improves.
func writeTable(w io.Writer, all []At) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "metric\tbetter")
	for _, at := range all {
		fmt.Fprintf(table, "\tK=%d", at.Samples)
	}
	fmt.Fprintln(table)
	// The last column has every metric; some need two samples.
	for _, last := range all[len(all)-1].Scores {
		m, _ := metrics.Lookup(last.Unit)
		better := string(m.Better)
		if better == "" {
			better = "-"
		}
		fmt.Fprintf(table, "%s\t%s", last.Unit, better)
		for _, at := range all {
			cell := "-"
			for _, s := range at.Scores {
				if s.Unit == last.Unit {
					cell = fmt.Sprintf("%.5g", s.Value)
				}
			}
			fmt.Fprintf(table, "\t%s", cell)
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}

// MarshalJSON writes the scores as an object from unit to value, null where it is infinite: the NLL
// of a number that no member gives a density above 0.
func (a At) MarshalJSON() ([]byte, error) {
	scores := make(map[string]*float64)
	for _, s := range a.Scores {
		scores[s.Unit] = nil
		if !math.IsInf(s.Value, 0) {
			scores[s.Unit] = &s.Value
		}
	}
	return json.Marshal(struct {
		Samples int                 `json:"samples"`
		Scores  map[string]*float64 `json:"scores"`
	}{a.Samples, scores})
}

// Bins are a reliability diagram of bins of equal width.
type Bins []results.Bin

// MarshalJSON writes what the number of bins does not say: count and means.
func (b Bins) MarshalJSON() ([]byte, error) {
	type bin struct {
		Count                int
		Accuracy, Confidence float64
	}
	out := make([]bin, len(b))
	for i, x := range b {
		out[i] = bin{x.Count, x.Accuracy, x.Confidence}
	}
	return json.Marshal(out)
}

// WriteJSON writes the result as one JSON object.
func (r *Result) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

func writeJSON[R *Result | *NumberResult](w io.Writer, r R) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(r)
}

// Name says under which name the scores stand among those of a run.
type Name struct {
	Data, Model, Method string // as in a suite: mnist, lenet-5, my-method
	Seed                string // of the training behind the predictions, "" if it has none
	Split               string // of the data set, "" if it has none
	OOD                 string // the set behind the out-of-distribution predictions: notmnist
	Shift               string // the corruption of the inputs with its severity, as in a suite: fog-3; "" for none
}

// WriteBench writes the scores as Go benchmark lines of the format of a run,
// so that they stand in the same tables. Those of out-of-distribution detection
// have lines of their own, as in a run.
func (r *Result) WriteBench(w io.Writer, name Name) error { return writeBench(w, r.At, name) }

func writeBench(w io.Writer, all []At, name Name) error {
	set := results.Set{Units: results.Units{}}
	for _, at := range all {
		record := results.Record{Data: name.Data, Model: name.Model, Method: name.Method, Backend: results.External, Samples: at.Samples}
		record.Config = results.Replicate{Seed: name.Seed, Split: name.Split}.Keys()
		if name.Shift != "" {
			record.Sweep = results.ShiftKeys(name.Shift)
		}
		detection := record
		detection.Sweep = []results.Pair{{Key: "ood", Value: name.OOD}}
		for _, s := range at.Scores {
			m, _ := metrics.Lookup(s.Unit)
			set.Units[s.Unit] = results.Unit{Name: s.Unit, Better: m.Better}
			if m.Family == metrics.OOD {
				detection.Values = append(detection.Values, s)
			} else {
				record.Values = append(record.Values, s)
			}
		}
		set.Records = append(set.Records, record)
		if len(detection.Values) > 0 {
			set.Records = append(set.Records, detection)
		}
	}
	return results.Write(w, set)
}
