package main

import (
	"time"

	"bayesbench/cmd/benchrun/internal/bench"
)

// forecast estimates when a suite will be through: the arithmetic that its plan
// says is left, at the speed of what this process has done so far. The zero
// forecast says nothing.
type forecast struct {
	todo  float64   // FLOPs of the jobs that have not ended
	began time.Time // of the first job of this process
	spent float64   // FLOPs that this process has done
	job   float64   // FLOPs of the job at work, 0 if there is none
	at    float64   // of them done, before this process too
	known bool      // whether at is of this job yet
}

// expect tells of the jobs to come.
func (f *forecast) expect(jobs []*bench.Job, done func(id string) bool) {
	for _, j := range jobs {
		if !done(j.ID) {
			f.todo += j.FLOPs
		}
	}
}

func (f *forecast) begin(j *bench.Job) {
	f.end(false) // of a job that another process has finished
	if f.began.IsZero() {
		f.began = time.Now()
	}
	f.job, f.at, f.known = j.FLOPs, 0, false
}

// reached says how much of the job is done. What its first report says was done
// before, by a process that was interrupted. Reports that say less, as of a
// second predictor, count nothing.
func (f *forecast) reached(flops float64) {
	flops = min(flops, f.job)
	if f.known {
		f.spent += max(flops-f.at, 0)
	}
	f.at, f.known = max(flops, f.at), true
}

// end says that the job at work has ended, whether or not all of it was done.
func (f *forecast) end(whole bool) {
	if whole {
		f.reached(f.job)
	}
	f.todo = max(f.todo-f.job, 0)
	f.job, f.at, f.known = 0, 0, false
}

// left is the time until the last job ends, 0 where it cannot be told.
func (f *forecast) left() time.Duration {
	elapsed := time.Since(f.began)
	if f.spent <= 0 || f.todo <= f.at {
		return 0
	}
	return atMost((f.todo - f.at) / f.spent * float64(elapsed))
}
