package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

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
	format := fs.String("format", "text", "text, json or bench (Go benchmark lines, for benchstat-report and benchstat)")
	name := score.Name{}
	fs.StringVar(&name.Data, "data", "external", "`name` of the data set in benchmark lines")
	fs.StringVar(&name.Model, "model", "external", "`name` of the network in benchmark lines")
	fs.StringVar(&name.Method, "method", "external", "`name` of the method in benchmark lines")
	fs.StringVar(&name.OOD, "ood-data", "external", "`name` of the data set behind -ood in benchmark lines")
	fs.Func("seed", "`number` of the training's seed in benchmark lines; tables pair methods by it", func(s string) error {
		if _, err := strconv.ParseUint(s, 10, 32); err != nil {
			return errors.New("want a whole number below 2^32")
		}
		name.Seed = s
		return nil
	})
	return &ffcli.Command{
		Name:       "score",
		ShortUsage: "benchrun score -probs p.npy -labels y.npy [-logits] [-binary] [-ood q.npy] [-against b.npy] [-format text|json|bench]",
		ShortHelp:  "score predictions made anywhere, given as numpy arrays",
		LongHelp: `Scores arrays that numpy wrote, at K = 1, 2, 4, … and all samples, by the
metrics of every table here. The arrays are streamed.

Predictions are probabilities unless -logits or -log-probs says otherwise,
float16, bfloat16 (as ml_dtypes stores it), float32 or float64, in C or Fortran
order. Two classes may have one number an input, that of class 1 (a logit there
goes through the sigmoid): [N], [N,1], [K,N,1], and [K,N] with -binary. Labels
are class numbers from 0 or one-hot rows, as integers, floats or bool.

Examples:
  benchrun score -probs p.npy -labels y.npy
  benchrun score -probs logits.npy -logits -labels y.npy -ood notmnist.npy
  benchrun score -probs p.npy -labels y.npy -against baseline.npy

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
			case files.Predictions == "" || files.Labels == "":
				return errors.New("score: want -probs and -labels (-h for help)")
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
			formats := []string{"text", "json", "bench"}
			write := map[string]func(*score.Result) error{
				"text":  func(r *score.Result) error { return r.WriteText(c.stdout) },
				"json":  func(r *score.Result) error { return r.WriteJSON(c.stdout) },
				"bench": func(r *score.Result) error { return r.WriteBench(c.stdout, name) },
			}[*format]
			if write == nil {
				return fmt.Errorf("score: -format %s: did you mean %q?", *format, nearest.Name(*format, formats))
			}
			r, err := score.Score(files)
			if err != nil {
				return err
			}
			return write(r)
		},
	}
}
