package externaltest

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"bayesbench/cmd/benchrun/internal/external"
	"bayesbench/internal/npy"
)

func init() { programs["honest"] = func(args []string) error { return honest(last(args)) } }

func last(args []string) string { return args[len(args)-1] }

// job reads job.json.
func job(folder string) (external.Job, error) {
	var j external.Job
	text, err := os.ReadFile(filepath.Join(folder, "job.json"))
	if err == nil {
		err = json.Unmarshal(text, &j)
	}
	return j, err
}

// read reads an array of the folder.
func read(folder, name string) ([]float64, error) {
	a, err := npy.Open(filepath.Join(folder, name))
	if err != nil {
		return nil, err
	}
	defer a.Close()
	return a.Float64s()
}

// write writes a prediction.
func write(folder string, s external.Set, k int, form string, numbers []float64, shape ...int) error {
	f, err := os.Create(filepath.Join(folder, s.Out, fmt.Sprintf("%03d.%s.npy", k, form)))
	if err != nil {
		return err
	}
	defer f.Close()
	return npy.Write(f, numbers, shape...)
}

// fit is what is learnt from training examples: a prediction of inputs x, [rows size], in the form
// of its name, with its shape.
type fit func(x []float64, rows int) (numbers []float64, form string, shape []int)

// honest is the bootstrap of Efron (1979): each posterior sample is what [classes] or [numbers]
// learn of training examples that are drawn with replacement.
func honest(folder string) error {
	j, err := job(folder)
	if err != nil {
		return err
	}
	x, err := read(folder, j.Train.Inputs)
	if err != nil {
		return err
	}
	y, err := read(folder, j.Train.Targets)
	if err != nil {
		return err
	}
	rows := j.Train.Rows
	size, columns := len(x)/rows, len(y)/rows
	draw := rand.New(rand.NewPCG(uint64(j.Seed), 1))
	for k := range j.Samples {
		var xs, ys []float64
		for range rows {
			i := draw.IntN(rows)
			xs, ys = append(xs, x[i*size:(i+1)*size]...), append(ys, y[i*columns:(i+1)*columns]...)
		}
		var learnt fit
		if j.Targets.Classes > 0 {
			learnt = classes(xs, ys, j.Targets.Classes)
		} else {
			learnt = numbers(xs, ys, columns)
		}
		for _, s := range j.Inputs {
			if k >= s.Samples {
				continue
			}
			in, err := read(folder, s.Inputs)
			if err != nil {
				return err
			}
			out, form, shape := learnt(in, s.Rows)
			if err := write(folder, s, k, form, out, shape...); err != nil {
				return err
			}
		}
	}
	ones, epochs, kl := 1.0, float64(j.Epochs), 2.5
	text, err := json.Marshal(external.Scalars{
		Epochs: &epochs, TrainSeconds: &ones, KL: &kl, Versions: map[string]string{"library": "of the test", "go": "of the test"},
		Weights: []external.Weights{{Layer: "map", Weights: 4, NonZero: 1}},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "out", "scalars.json"), text, 0o644)
}

// classes has a Gaussian of one variance around the mean of each class.
func classes(x, y []float64, n int) fit {
	size := len(x) / len(y)
	means, counts := make([][]float64, n), make([]float64, n)
	for c := range means {
		means[c] = make([]float64, size)
	}
	for i, c := range y {
		floats.Add(means[int(c)], x[i*size:(i+1)*size])
		counts[int(c)]++
	}
	for c, m := range means {
		floats.Scale(1/max(counts[c], 1), m)
	}
	variance := 1e-6
	for i, c := range y {
		variance += math.Pow(floats.Distance(x[i*size:(i+1)*size], means[int(c)], 2), 2) / float64(len(x))
	}
	return func(x []float64, rows int) ([]float64, string, []int) {
		var logits []float64
		for i := range rows {
			for _, m := range means {
				logits = append(logits, -math.Pow(floats.Distance(x[i*size:(i+1)*size], m, 2), 2)/(2*variance))
			}
		}
		return logits, "logits", []int{rows, n}
	}
}

// numbers is a linear map by least squares, with a ridge of 1, and the variance of its residuals.
func numbers(x, y []float64, columns int) fit {
	rows := len(y) / columns
	in, out := withOnes(x, rows), mat.NewDense(rows, columns, y)
	_, size := in.Dims()
	var gram, right, w, fitted mat.Dense
	gram.Mul(in.T(), in)
	for i := range size {
		gram.Set(i, i, gram.At(i, i)+1)
	}
	right.Mul(in.T(), out)
	if err := w.Solve(&gram, &right); err != nil {
		panic(err) // a ridge has an inverse
	}
	fitted.Mul(in, &w)
	variance := make([]float64, columns)
	for i := range rows {
		for c := range columns {
			variance[c] += math.Pow(out.At(i, c)-fitted.At(i, c), 2) / float64(rows)
		}
	}
	return func(x []float64, rows int) ([]float64, string, []int) {
		var mean mat.Dense
		mean.Mul(withOnes(x, rows), &w)
		both := slices.Clone(mean.RawMatrix().Data)
		for range rows {
			both = append(both, variance...)
		}
		return both, "mean-variance", []int{2, rows, columns}
	}
}

// withOnes is the rows of x with a 1 behind each.
func withOnes(x []float64, rows int) *mat.Dense {
	size := len(x) / rows
	out := mat.NewDense(rows, size+1, nil)
	for i := range rows {
		out.SetRow(i, append(slices.Clone(x[i*size:(i+1)*size]), 1))
	}
	return out
}
