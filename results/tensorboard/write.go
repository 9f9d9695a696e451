package tensorboard

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bayesbench/results"
)

// Write writes a finished job below dir, in a directory that names the job, which is what
// TensorBoard calls a run:
//
//	DIR/mnist/lenet-300-100/sparse-vd/gonum/seed=0/events.out.tfevents.ID
//
// Each column of the curve is a scalar `training/NAME` against the step of training. Each value of
// the records is one against the number K of posterior samples (0 for what does not depend on it),
// named after what tells the job's records apart: `nll/predict=sample`,
// `nll/corruption=fog/severity=3`, `sparsity/layer=fc1.weight`. Values are float32, as
// TensorBoard's are. A job that is written again replaces its file.
func Write(dir string, job results.JobResult) error {
	if len(job.Records) == 0 {
		return fmt.Errorf("job %s has no records", job.ID)
	}
	own := job.Shared()
	dir = filepath.Join(dir, directory(&job.Records[0], own))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return results.WriteFile(filepath.Join(dir, "events.out.tfevents."+job.ID), func(w io.Writer) error {
		_, err := w.Write(encode(job, own))
		return err
	})
}

func directory(r *results.Record, own []results.Pair) string {
	parts := []string{r.Data, r.Model, r.Method, r.Backend}
	for _, p := range slices.Concat(own, r.Replicate().Keys()) {
		parts = append(parts, p.Key+"="+p.Value)
	}
	for i, p := range parts {
		parts[i] = strings.NewReplacer("/", "%2F", "\\", "%5C", ":", "-").Replace(p)
	}
	return filepath.Join(parts...)
}

// encode makes the event file.
func encode(job results.JobResult, own []results.Pair) []byte {
	start := float64(job.Manifest.Started.UnixNano()) / 1e9
	file := appendHead(nil, start)

	end := start
	seconds := job.Curve.Column("seconds")
	for i, row := range job.Curve.Rows {
		if seconds != nil && !math.IsNaN(seconds[i]) {
			end = start + seconds[i]
		}
		var scalars []scalar
		for c, name := range job.Curve.Columns {
			if name != "step" && !math.IsNaN(row[c]) {
				scalars = append(scalars, scalar{"training/" + name, row[c]})
			}
		}
		if len(scalars) > 0 {
			file = appendScalars(file, end, int64(row[0]), scalars)
		}
	}

	for _, r := range job.Records {
		var scalars []scalar
		for _, v := range r.Values {
			tag := v.Unit
			for _, p := range r.Sweep {
				if !slices.Contains(own, p) {
					tag += "/" + p.Key + "=" + p.Value
				}
			}
			scalars = append(scalars, scalar{tag, v.Value})
		}
		file = appendScalars(file, end, int64(r.Samples), scalars)
	}
	return file
}
