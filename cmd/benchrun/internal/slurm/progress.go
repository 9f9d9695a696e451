package slurm

import (
	"path/filepath"
	"time"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/results"
)

// Progress is progress.json, which benchrun job keeps in its job's directory.
type Progress struct {
	Format int       `json:"format"`
	Phase  string    `json:"phase"` // train or predict
	Done   int       `json:"done"`  // steps of training, or posterior samples
	Of     int       `json:"of"`
	Began  time.Time `json:"began"` // this attempt
	At     time.Time `json:"at"`
	// Reached is the training step that any attempt came to, Idle how many
	// attempts in a row ended early without coming further.
	Reached int `json:"reached"`
	Idle    int `json:"idle"`
}

const progressFile = "progress.json"

// tellEvery is how often a job writes its progress.
const tellEvery = 10 * time.Second

// patience is how many attempts may end early in a row without training
// further; the next one would only do the same again.
const patience = 3

// Teller is a bench.Reporter that also writes progress.json for one job.
type Teller struct {
	bench.Reporter
	run    string // the run directory
	id     string
	before int // the step that earlier attempts reached
	now    Progress
	wrote  time.Time
}

// Tell makes a Teller for the job of a run directory.
func Tell(dir, id string, to bench.Reporter) *Teller {
	t := &Teller{Reporter: to, run: dir, id: id}
	if last, err := readProgress(dir, id); err == nil {
		t.now.Reached, t.now.Idle, t.before = last.Reached, last.Idle, last.Reached
	}
	t.now.Format, t.now.Began = results.FormatVersion, time.Now().UTC()
	return t
}

func (t *Teller) Train(j *bench.Job, step, of int, rate float64) {
	if step > t.now.Reached {
		t.now.Reached, t.now.Idle = step, 0
	}
	t.tell("train", step, of)
	t.Reporter.Train(j, step, of, rate)
}

func (t *Teller) Predict(j *bench.Job, predictor string, k, of int) {
	t.tell("predict", k, of)
	t.Reporter.Predict(j, predictor, k, of)
}

// tell writes now and then. That it cannot write is no fault of the job, whose
// own files will say so.
func (t *Teller) tell(phase string, done, of int) {
	t.now.Phase, t.now.Done, t.now.Of = phase, done, of
	if time.Since(t.wrote) >= tellEvery {
		t.write()
	}
}

func (t *Teller) write() {
	t.wrote, t.now.At = time.Now(), time.Now().UTC()
	results.WriteJSON(filepath.Join(t.run, "jobs", t.id, progressFile), t.now)
}

// EndedEarly notes that the job was told to end, and reports whether it is worth
// its while to go on in another attempt.
func (t *Teller) EndedEarly() (again bool) {
	if t.now.Reached <= t.before {
		t.now.Idle++
	}
	again = t.now.Idle < patience
	if !again {
		t.now.Idle = 0 // whoever starts it anew gives it a chance anew
	}
	t.write()
	return again
}

func readProgress(run, id string) (Progress, error) {
	const most = 64 << 10
	var p Progress
	text, err := results.ReadText(run, filepath.Join("jobs", id, progressFile), most)
	if err != nil {
		return p, err
	}
	return p, results.DecodeJSON(text, filepath.Join(run, "jobs", id, progressFile), &p)
}
