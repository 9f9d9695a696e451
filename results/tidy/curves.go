package tidy

import (
	"math"
	"slices"

	"bayesbench/results"
)

// Curves is the table of what jobs measured during training: a row for each measurement that a
// job's curve.csv holds, in the order of the jobs, with
//
//	data, model, method, backend, seed, data-split, the swept settings
//	job        the job's id
//	step       of training, counted through all stages
//	quantity   what was measured, such as loss or test-nll
//	value      the number
//
// Jobs without a curve have no rows.
func Curves(jobs []results.JobResult) Table {
	var b builder
	for _, k := range []string{"data", "model", "method", "backend", "seed", results.SplitKey} {
		b.column(k)
	}
	var settings []string
	for i := range jobs {
		for _, p := range jobs[i].Shared() {
			if !slices.Contains(settings, p.Key) {
				settings = append(settings, p.Key)
			}
		}
	}
	slices.Sort(settings)
	for _, k := range settings {
		b.column(k)
	}
	for _, k := range []string{jobColumn, "step", "quantity", valueColumn} {
		b.column(k)
	}
	for i := range jobs {
		j := &jobs[i]
		if len(j.Records) == 0 {
			continue
		}
		r := &j.Records[0]
		keys := b.row()
		copy(keys, []string{r.Data, r.Model, r.Method, r.Backend})
		at := r.Replicate()
		keys[b.at["seed"]], keys[b.at[results.SplitKey]], keys[b.at[jobColumn]] = at.Seed, at.Split, j.ID
		for _, p := range j.Shared() {
			keys[b.at[p.Key]] = p.Value
		}
		for _, cells := range j.Curve.Rows {
			for k, name := range j.Curve.Columns {
				if name == "step" || math.IsNaN(cells[k]) {
					continue
				}
				row := slices.Clone(keys)
				row[b.at["step"]], row[b.at["quantity"]], row[b.at[valueColumn]] = number(cells[0]), name, number(cells[k])
				b.Rows = append(b.Rows, row)
			}
		}
	}
	return b.typed(map[string]Kind{"step": Number, "quantity": Text, valueColumn: Number, jobColumn: Text})
}
