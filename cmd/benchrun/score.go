package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"bayesbench/cmd/internal/cli"
	"bayesbench/internal/nearest"
	"bayesbench/results/metrics"
	"bayesbench/results/score"
)

func (c *command) score() *ffcli.Command {
	fs := c.flags("benchrun score")
	var files score.Files
	fs.StringVar(&files.Predictions, "probs", "", "`p.npy` with predictions [K,N,C] or [N,C], or [N] for class 1 of two; any float type")
	fs.StringVar(&files.Labels, "labels", "", "`y.npy` with labels [N] or [N,1], or one-hot [N,C]; any type of number")
	fs.StringVar(&files.OOD, "ood", "", "`q.npy` with predictions on inputs of another distribution")
	fs.StringVar(&files.Against, "against", "", "`b.npy` with other predictions on the same inputs, to compare point by point")
	logits := fs.Bool("logits", false, "the predictions are logits")
	logs := fs.Bool("log-probs", false, "the predictions are log-probabilities")
	fs.BoolVar(&files.Binary, "binary", false, "each prediction is one number, of class 1 of two: [K,N] is K samples, not K inputs of N classes")
	var numbers score.NumberFiles
	fs.StringVar(&numbers.Mean, "mean", "", "`m.npy` with predicted means of numbers, [K,N,D] or [N,D]; for one target an input also [K,N] or [N]")
	fs.StringVar(&numbers.Variance, "var", "", "`v.npy` with their variances, shaped as the means, or of one sample for all")
	fs.StringVar(&numbers.Samples, "samples", "", "`s.npy` with draws of the targets instead of means and variances, [S,N,D] or [S,N]")
	fs.StringVar(&numbers.Targets, "targets", "", "`y.npy` with the numbers that are right, [N] or [N,D]")
	fs.Func("floor", "smallest `variance`; smaller ones count as it (default: 0, and a variance of 0 is an error)", func(s string) error {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || !(v > 0) || math.IsInf(v, 0) {
			return errors.New("want a number above 0")
		}
		numbers.Floor = v
		return nil
	})
	format := fs.String("format", "text", "text, json or bench (Go benchmark lines, for benchstat-report and benchstat)")
	name := score.Name{}
	fs.StringVar(&name.Data, "data", "external", "`name` of the data set in benchmark lines")
	fs.StringVar(&name.Model, "model", "external", "`name` of the network in benchmark lines")
	fs.StringVar(&name.Method, "method", "external", "`name` of the method in benchmark lines")
	fs.StringVar(&name.OOD, "ood-data", "external", "`name` of the data set behind -ood in benchmark lines")
	fs.StringVar(&name.Shift, "shift", "", "`name` of the corruption of the inputs in benchmark lines, as a suite spells it: fog-3")
	whole := func(to *string) func(string) error {
		return func(s string) error {
			if _, err := strconv.ParseUint(s, 10, 32); err != nil {
				return errors.New("want a whole number below 2^32")
			}
			*to = s
			return nil
		}
	}
	fs.Func("seed", "`number` of the training's seed in benchmark lines; tables pair methods by it", whole(&name.Seed))
	fs.Func("split", "`number` of the data's split in benchmark lines; tables pair methods by it, too", whole(&name.Split))
	return &ffcli.Command{
		Name: "score",
		ShortUsage: `benchrun score -probs p.npy -labels y.npy [-logits] [-binary] [-ood q.npy] [-against b.npy] [-format text|json|bench]
  benchrun score -mean m.npy -var v.npy -targets y.npy [-floor v] [-format text|json|bench]
  benchrun score -samples s.npy -targets y.npy [-floor v] [-format text|json|bench]`,
		ShortHelp: "score predictions made anywhere, given as numpy arrays",
		LongHelp: `Scores arrays that numpy wrote, at K = 1, 2, 4, … and all samples, by the
metrics of every table here. The arrays are streamed.

Classes: predictions are probabilities unless -logits or -log-probs says otherwise,
float16, bfloat16 (as ml_dtypes stores it), float32 or float64, in C or Fortran
order. Two classes may have one number an input, that of class 1 (a logit there
goes through the sigmoid): [N], [N,1], [K,N,1], and [K,N] with -binary. Labels
are class numbers from 0 or one-hot rows, as integers, floats or bool.

Numbers: predictions are means and variances, of which K samples are an equal
mixture, or draws of the targets, noise included. All are in the unit of the
targets: standardised ones score otherwise. Variances are those of targets, not
standard deviations.

Examples:
  benchrun score -probs p.npy -labels y.npy
  benchrun score -probs logits.npy -logits -labels y.npy -ood notmnist.npy
  benchrun score -probs p.npy -labels y.npy -against baseline.npy
  benchrun score -mean m.npy -var v.npy -targets y.npy
  benchrun score -samples s.npy -targets y.npy -format json

  for s in 0 1; do benchrun score -probs p$s.npy -labels y.npy -format bench -seed $s \
      -data mnist -model lenet-300-100 -method mine >mine$s.txt; done
  benchstat-report -baseline deterministic runs/quick mine0.txt mine1.txt

In benchmark lines data and model must be called as in the run; the method then
stands in its tables, as mine@external.`,
		FlagSet: fs,
		Exec: func(_ context.Context, args []string) error {
			rest, err := cli.Interleaved(fs, args)
			if err != nil {
				return err
			}
			switch {
			case len(rest) > 0:
				return fmt.Errorf("score: want flags only, found %q (-h for help)", rest[0])
			case numbers != score.NumberFiles{}:
				return c.scoreNumbers(fs, numbers, *format, name)
			case files.Predictions == "" || files.Labels == "":
				return errors.New("score: want -probs and -labels, or for numbers -mean, -var and -targets, or -samples and -targets (-h for help)")
			case name.Shift != "" && files.OOD != "":
				return errors.New("score: -shift and -ood exclude each other: inputs out of distribution are compared with the test inputs as they are")
			case *logits && *logs:
				return errors.New("score: -logits and -log-probs exclude each other")
			}
			files.Form = metrics.Probabilities
			if *logits {
				files.Form = metrics.Logits
			}
			if *logs {
				files.Form = metrics.LogProbs
			}
			if err := checkScoreFormat(*format); err != nil {
				return err
			}
			r, err := score.Score(files)
			if err != nil {
				return err
			}
			return c.writeScore(r, *format, name)
		},
	}
}

// scoreNumbers scores predictions of numbers, if their flags fit together.
func (c *command) scoreNumbers(fs *flag.FlagSet, files score.NumberFiles, format string, name score.Name) error {
	var alien []string
	fs.Visit(func(f *flag.Flag) {
		if slices.Contains([]string{"probs", "labels", "logits", "log-probs", "binary", "ood", "ood-data", "against"}, f.Name) {
			alien = append(alien, "-"+f.Name)
		}
	})
	gaussian := files.Mean != "" && files.Variance != "" && files.Samples == ""
	draws := files.Mean == "" && files.Variance == "" && files.Samples != ""
	switch {
	case len(alien) > 0:
		return fmt.Errorf("score: want flags of classes or of numbers, found both: %s for classes beside -mean, -var, -samples, -targets or -floor for numbers", strings.Join(alien, ", "))
	case files.Targets == "" || !gaussian && !draws:
		return errors.New("score: want -mean, -var and -targets, or -samples and -targets (-h for help)")
	}
	if err := checkScoreFormat(format); err != nil {
		return err
	}
	r, err := score.ScoreNumbers(files)
	if err != nil {
		return err
	}
	return c.writeScore(r, format, name)
}

// scored is what predictions of any kind score.
type scored interface {
	WriteText(io.Writer) error
	WriteJSON(io.Writer) error
	WriteBench(io.Writer, score.Name) error
}

// scoreFormats are the values of -format.
var scoreFormats = []string{"text", "json", "bench"}

func checkScoreFormat(format string) error {
	if !slices.Contains(scoreFormats, format) {
		return fmt.Errorf("score: -format %s: did you mean %q?", format, nearest.Name(format, scoreFormats))
	}
	return nil
}

func (c *command) writeScore(r scored, format string, name score.Name) error {
	switch format {
	case "json":
		return r.WriteJSON(c.stdout)
	case "bench":
		return r.WriteBench(c.stdout, name)
	}
	return r.WriteText(c.stdout)
}
