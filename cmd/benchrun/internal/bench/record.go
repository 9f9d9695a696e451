package bench

import (
	"io"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"bayesbench/backends"
	"bayesbench/internal/npy"
	"bayesbench/methods/exec"
	"bayesbench/results"
	"bayesbench/results/metrics"
	"bayesbench/suites/data"
)

// record gathers what a job leaves: benchmark lines, and what plots need.
type record struct {
	job     *Job
	config  []results.Pair
	set     results.Set
	details results.Details
	seconds map[string]float64
	kernels string // that the numbers come from
	// versions are those that another program reported.
	versions map[string]string
	trained  float64 // seconds, over all resumes; 0 where others trained
	// stopping is where the training ended, nil without early stopping.
	stopping *results.Stopping
	// reference is the predictive that this job's is compared with, nil without.
	reference metrics.Judged
}

func newRecord(j *Job, be backends.Info, set *data.Set) *record {
	c := &j.Config
	var replicate []results.Pair
	if set.Splits > 0 {
		replicate = append(replicate, results.Pair{Key: results.SplitKey, Value: strconv.Itoa(c.Data.Split)})
	}
	replicate = append(replicate, results.Pair{Key: "seed", Value: strconv.FormatUint(uint64(c.Seed), 10)})
	return &record{
		job: j, kernels: be.Kernels,
		config: append(replicate, []results.Pair{
			{Key: "version", Value: Version()}, {Key: "data-hash", Value: shortHash(set.Hash)},
			{Key: "goos", Value: runtime.GOOS}, {Key: "goarch", Value: runtime.GOARCH}, {Key: "device", Value: be.Device},
			{Key: "kernels", Value: be.Kernels},
		}...),
		set:     results.Set{Units: results.Units{}},
		seconds: map[string]float64{},
	}
}

// shortHash is enough of "sha256:…" to tell two sets apart in a line.
func shortHash(hash string) string {
	_, hex, _ := strings.Cut(hash, ":")
	return hex[:min(12, len(hex))]
}

// add appends one benchmark line.
func (r *record) add(sweep []results.Pair, samples int, scores []results.Value) {
	c := &r.job.Config
	line := results.Record{
		Data: c.Data.Name, Model: c.Model.Name, Method: c.Method.Label(), Backend: c.Backend,
		Samples: samples, Config: r.config,
	}
	if l := c.Data.RandomLabels; l != "" {
		line.Sweep = append(line.Sweep, results.Pair{Key: "labels", Value: "random-" + l})
	}
	line.Sweep = append(line.Sweep, sweep...)
	for _, s := range scores {
		if math.IsNaN(s.Value) {
			continue // not defined on this input
		}
		line.Values = append(line.Values, s)
		r.set.Units[s.Unit] = unit(s.Unit)
	}
	if len(line.Values) > 0 {
		r.set.Records = append(r.set.Records, line)
	}
}

// unit is what the metrics registry knows of a unit.
func unit(name string) results.Unit {
	m, ok := metrics.Lookup(name)
	if !ok {
		panic("bench: no metric " + name)
	}
	return results.Unit{Name: name, Better: m.Better, Timing: m.Family == metrics.Cost}
}

// training records what the training itself gave: its speed, the KL, and the
// sparsity of the weights.
func (r *record) training(t *trainer) error {
	j := r.job
	flops, err := j.exampleFLOPs(t.set)
	if err != nil {
		return err
	}
	scores := []results.Value{
		{Unit: "parameters", Value: float64(parameters(j))},
		{Unit: "flops", Value: flops},
	}
	if rate, ok := t.Pace.rate(); ok {
		scores = append(scores, results.Value{Unit: "train-samples/s", Value: rate})
	}
	if t.Seconds > 0 {
		scores = append(scores, results.Value{Unit: "train-sec", Value: t.Seconds})
	}
	if t.Pace.Metered > 0 {
		scores = append(scores, results.Value{Unit: "energy-J/example", Value: t.Pace.Joules / float64(t.Pace.Metered)})
	}
	if t.Pace.Peak > 0 {
		scores = append(scores, results.Value{Unit: "peak-B", Value: t.Pace.Peak})
	}
	if target := j.Config.Eval.Target; target > 0 {
		if s, ok := timeTo(target, t.curve); ok {
			scores = append(scores, results.Value{Unit: "time_to_accuracy-sec", Value: s})
		}
	}
	if s := t.stopping(); s != nil {
		r.stopping = s
		scores = append(scores, results.Value{Unit: "epochs", Value: float64(s.Epochs)}, results.Value{Unit: "best_epoch", Value: float64(s.Best)})
	}
	for _, name := range []string{"kl", "accept_rate", "step_size"} {
		if x, ok := t.final[name]; ok {
			scores = append(scores, results.Value{Unit: name, Value: x})
		}
	}
	r.add(nil, 0, append(scores, r.layers(layersLeft(j.plan, t.final))...))
	return nil
}

// layers records the sparsity of each layer, and gives the values of all together; none without
// layers.
func (r *record) layers(layers []results.Layer) []results.Value {
	if len(layers) == 0 {
		return nil
	}
	for _, l := range layers {
		r.add([]results.Pair{{Key: "layer", Value: l.Name}}, 0, []results.Value{{Unit: "sparsity", Value: metrics.Sparsity(l)}})
	}
	r.details.Layers = layers
	all := metrics.Total(layers)
	scores := []results.Value{{Unit: "sparsity", Value: metrics.Sparsity(all)}}
	if all.NonZero > 0 { // a network without weights has no finite ratio
		scores = append(scores,
			results.Value{Unit: "compression", Value: metrics.Compression(all)},
			results.Value{Unit: "compression-storage", Value: metrics.StorageCompression(layers)},
			results.Value{Unit: "bits_per_weight", Value: metrics.BitsPerWeight(layers)})
	}
	return scores
}

// timeTo is the training time until the curve's test accuracy first reached
// the target; measured every eval.every epochs.
func timeTo(target float64, c results.Curve) (float64, bool) {
	seconds := c.Column("seconds")
	for i, e := range c.Column("test-error") {
		if 1-e >= target { // false for the rows without a measurement, which are NaN
			return seconds[i], true
		}
	}
	return 0, false
}

// parameters counts the numbers that the first predictor reads.
func parameters(j *Job) int {
	n := 0
	for _, s := range exec.Reads(j.plan.State, j.plan.Predictors[0]) {
		n += s.Type.Size()
	}
	return n
}

// predictive records the metrics at K samples and the speed of getting there.
func (r *record) predictive(name string, k int, scores []results.Value, passes []float64, n int) {
	if len(passes) == 0 { // another program's
		r.add([]results.Pair{{Key: "predict", Value: name}}, k, scores)
		return
	}
	total := 0.0
	for _, s := range passes[:k] {
		total += s
	}
	speed := []results.Value{
		{Unit: "predict-samples/s", Value: float64(k*n) / total},
		{Unit: "predict-sec/example", Value: total / float64(n)},
		{Unit: "predict-relative", Value: total / passes[0]},
	}
	r.add([]results.Pair{{Key: "predict", Value: name}}, k, append(scores, speed...))
}

// onValidation records the metrics on the validation split.
func (r *record) onValidation(predictor string, k int, scores []results.Value) {
	r.add([]results.Pair{{Key: "predict", Value: predictor}, {Key: "split", Value: "validation"}}, k, scores)
}

// underShift records the metrics on a corrupted test set.
func (r *record) underShift(predictor, name string, k int, scores []results.Value) {
	r.add(append([]results.Pair{{Key: "predict", Value: predictor}}, results.ShiftKeys(name)...), k, scores)
}

func (r *record) underAttack(predictor, name string, epsilon float64, k int, scores []results.Value) {
	r.add([]results.Pair{{Key: "predict", Value: predictor}, {Key: "attack", Value: name}, {Key: "epsilon", Value: strconv.FormatFloat(epsilon, 'g', -1, 64)}}, k, scores)
}

func (r *record) outOfDistribution(predictor, ood string, k int, scores []results.Value) {
	r.add([]results.Pair{{Key: "predict", Value: predictor}, {Key: "ood", Value: ood}}, k, scores)
}

// writeArray writes a matrix as npy, [Rows] where it has one column of whole numbers.
func writeArray(w io.Writer, a metrics.Array) error {
	if !a.Whole {
		return npy.Write(w, a.Values, a.Rows, a.Columns)
	}
	whole := make([]int64, len(a.Values))
	for i, x := range a.Values {
		whole[i] = int64(x)
	}
	return npy.Write(w, whole, a.Rows)
}

func float32s(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

func median(x []float64) float64 {
	s := append([]float64(nil), x...)
	slices.Sort(s)
	n := len(s)
	if n == 0 {
		return math.NaN()
	}
	return (s[(n-1)/2] + s[n/2]) / 2
}
