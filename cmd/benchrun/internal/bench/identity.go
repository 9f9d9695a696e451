package bench

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"bayesbench/results"
)

// identity says what a job's weights are of. It stands in every checkpoint and kept sample, and
// whoever reads one compares.
type identity struct {
	job     string // its id
	data    string // the hash of the data it trains on
	kernels string // that compute, see backends.Info
}

// The keys of an identity in a checkpoint's metadata.
const (
	metaJob      = "job"
	metaData     = "data"
	metaKernels  = "kernels"
	metaSample   = "sample" // a kept sample's number
	metaProgress = "progress"
	metaCurve    = "curve"
)

func (id identity) meta() map[string]string {
	return map[string]string{metaJob: id.job, metaData: id.data, metaKernels: id.kernels}
}

// weights compares what says whose weights a checkpoint holds.
func (id identity) weights(c *results.Checkpoint) error {
	if have := c.Meta[metaJob]; have != id.job {
		return fmt.Errorf("it is of another job: want %q, found %q", id.job, have)
	}
	if have := c.Meta[metaData]; have != id.data {
		return fmt.Errorf("it was trained on other data: want %s, found %s", id.data, orNone(have))
	}
	return nil
}

// bits compares all that its bits depend on: training that goes on by other kernels ends with the
// bits of neither.
func (id identity) bits(c *results.Checkpoint) error {
	if err := id.weights(c); err != nil {
		return err
	}
	if have := c.Meta[metaKernels]; have != id.kernels {
		return fmt.Errorf("it was computed by other kernels, on another kind of processor: want %s, found %s", id.kernels, orNone(have))
	}
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// isSample compares the number of a kept sample as well.
func isSample(c *results.Checkpoint, number int) error {
	if want, have := fmt.Sprint(number), c.Meta[metaSample]; have != want {
		return fmt.Errorf("it is another sample: want number %s, found %s", want, orNone(have))
	}
	return nil
}

// identity is what the job's weights are of where they are trained by these kernels.
func (j *Job) identity(kernels string) identity {
	name := j.Config.Data.Name
	return identity{job: j.ID, data: j.sets.Hashes(name)[name], kernels: kernels}
}

// kernels lists those that the job's numbers come from, in the order of use and each once: those
// of the jobs that it is made of or compared with, whose weights may have been trained on another
// kind of processor, and its own.
func (j *Job) kernels(run *results.Run, own string) (string, error) {
	var all []string
	add := func(list string) {
		for k := range strings.SplitSeq(list, "+") {
			if k != "" && !slices.Contains(all, k) {
				all = append(all, k)
			}
		}
	}
	for _, n := range j.Needs {
		m, err := run.Manifest(n.ID)
		if err != nil {
			return "", err
		}
		add(m.Kernels)
	}
	add(own)
	return strings.Join(all, "+"), nil
}

// data lists the hash of every set that the job reads, by name.
func (j *Job) data() map[string]string {
	names := j.dataNames()
	for _, s := range j.Config.Eval.Shift {
		names = append(names, shifted(j.Config.Data, s).Name)
	}
	return j.sets.Hashes(names...)
}

// done reports whether the job has finished and need not run again. It is an error if it finished
// on other data than those at hand: its numbers are not the ones that are asked for.
func (j *Job) done(run *results.Run) (bool, error) {
	done, err := run.Done(j.ID)
	if !done || err != nil {
		return false, err
	}
	m, err := run.Manifest(j.ID)
	if err != nil {
		return false, err
	}
	at := j.data()
	for _, name := range slices.Sorted(maps.Keys(at)) {
		have, ok := m.Data[name]
		if ok && have == at[name] || !ok && name != j.Config.Data.Name {
			continue
		}
		return false, &DataError{Job: j, Set: name, Have: orNone(have), Want: at[name], Path: run.File(j.ID, "manifest.json")}
	}
	return true, nil
}

// DataError says that a job finished on other data than those at hand.
type DataError struct {
	Job        *Job
	Set        string
	Have, Want string // hashes: of the finished job, and of the data at hand
	Path       string // of its manifest
	More       int    // other jobs of which the same can be said
}

func (e *DataError) Error() string {
	others := ""
	if e.More > 0 {
		others = fmt.Sprintf(", and so it is of %d other jobs", e.More)
	}
	return fmt.Sprintf("%s (%s) is done on other data: its %s is %s, the one at hand is %s%s; "+
		"keep both by another -out, or delete %s to run the job again on the data at hand",
		e.Job.Title(), e.Job.ID, e.Set, e.Have, e.Want, others, e.Path)
}

// checkData refuses jobs of which one, or what one needs, is done on other data than those at
// hand, before anything is trained.
func checkData(run *results.Run, jobs []*Job) error {
	seen := map[*Job]bool{}
	var first *DataError
	for _, j := range jobs {
		for _, n := range append([]*Job{j}, j.Needs...) {
			if seen[n] {
				continue
			}
			seen[n] = true
			_, err := n.done(run)
			var other *DataError
			switch {
			case errors.As(err, &other) && first != nil:
				first.More++
			case errors.As(err, &other):
				first = other
			case err != nil:
				return err
			}
		}
	}
	if first != nil {
		return first
	}
	return nil
}
