package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	"bayesbench/backends"
	"bayesbench/results"
)

// Reporter is told how a run goes on. Its methods are called from one
// goroutine, some of them often.
type Reporter interface {
	Begin(j *Job, n, of int)
	Train(j *Job, step, of int, samplesPerSecond float64)
	Predict(j *Job, predictor string, k, of int)
	Note(j *Job, text string)
	End(j *Job, o Outcome)
}

// Outcome is how one job ended.
type Outcome struct {
	Failed  error // nil where it is done
	Elapsed time.Duration
	Records []results.Record
}

// Summary counts the jobs of a run.
type Summary struct {
	Done, Skipped int      // finished now, and before
	Failed        []string // the titles of those that failed or that something failed for
}

// Run takes the jobs, in order, through the run directory: those that are done are skipped, those
// that were interrupted go on from their checkpoint, and those that another process has claimed are
// waited for. A job that fails leaves its cause in its manifest and does not stop the others. What
// a job needs must be among the jobs before it or have ended before; a *NeedsError names what has
// not. Jobs that are done on other data than those at hand are refused by a *DataError before
// anything is trained. When ctx ends the job at work is saved, and Run returns ctx's error.
func Run(ctx context.Context, run *results.Run, jobs []*Job, report Reporter) (Summary, error) {
	var sum Summary
	a := &attempts{run: run, report: report, open: map[string]backends.Backend{}, failed: map[*Job]error{}}
	defer a.close()
	if err := checkData(run, jobs); err != nil {
		return sum, err
	}
	before := map[*Job]bool{} // the jobs that had their turn
	said := map[string]bool{} // notes on the data, each once a run
	for i, j := range jobs {
		if i > 0 {
			before[jobs[i-1]] = true
		}
		done, err := j.done(run)
		if err != nil {
			return sum, err
		}
		if done {
			sum.Skipped++
			continue
		}
		if err := j.missing(run, before, a.failed); err != nil {
			return sum, err
		}
		report.Begin(j, i+1, len(jobs))
		for _, note := range j.sets.notes(j.dataNames()...) {
			if !said[note] {
				said[note] = true
				report.Note(j, note)
			}
		}
		started := time.Now()
		rec, err := a.attempt(ctx, j)
		var env *storeError
		if errors.As(err, &env) { // also where ctx ended: then nothing was saved
			return sum, env.err
		}
		if ctx.Err() != nil {
			return sum, ctx.Err()
		}
		if err == nil && rec == nil {
			report.Note(j, "another process has finished it")
			sum.Skipped++
			continue
		}
		out := Outcome{Failed: err, Elapsed: time.Since(started)}
		if err != nil {
			a.failed[j] = err
			sum.Failed = append(sum.Failed, j.Title())
		} else {
			sum.Done++
			out.Records = rec.set.Records
		}
		report.End(j, out)
	}
	return sum, nil
}

// NeedsError says that a job cannot run yet.
type NeedsError struct {
	Job, Need *Job
}

func (e *NeedsError) Error() string {
	return fmt.Sprintf("%s needs %s (%s), which is not done", e.Job.Title(), e.Need.Title(), e.Need.ID)
}

// missing adds to failed what j needs and failed in another process, and
// returns a *NeedsError if something is neither done nor failed nor among the
// jobs that ran before in this one.
func (j *Job) missing(run *results.Run, before map[*Job]bool, failed map[*Job]error) error {
	for _, n := range j.Needs {
		if before[n] {
			continue
		}
		m, err := run.Manifest(n.ID)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return &NeedsError{j, n}
		case err != nil:
			return err
		case m.Status == results.Failed && m.Failure != nil:
			failed[n] = errors.New(m.Failure.Cause)
		case m.Status == results.Failed:
			failed[n] = errors.New("its manifest does not say why")
		}
	}
	return nil
}

// storeError is a fault of the run directory, which ends the run: there is no
// use in going on where nothing can be kept.
type storeError struct{ err error }

func (e *storeError) Error() string { return e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

// attempts tries the jobs of one run.
type attempts struct {
	run    *results.Run
	report Reporter
	open   map[string]backends.Backend
	failed map[*Job]error
}

func (a *attempts) close() {
	for _, b := range a.open {
		b.Close()
	}
}

// attempt claims and executes one job and stores how it ended. Without record
// and error, another process has done it in the meantime.
func (a *attempts) attempt(ctx context.Context, j *Job) (*record, error) {
	started := time.Now()
	store, err := a.run.ClaimWhenFree(ctx, j.ID, func(l *results.LockedError) {
		a.report.Note(j, fmt.Sprintf("%v; waiting for it to end", l))
	})
	if err != nil {
		return nil, &storeError{err}
	}
	defer store.Release()
	if done, err := j.done(a.run); done || err != nil {
		if err != nil {
			err = &storeError{err}
		}
		return nil, err
	}
	be, ok := a.open[j.Config.Backend]
	if !ok {
		if be, err = backends.Open(j.Config.Backend); err != nil {
			return nil, err
		}
		a.open[j.Config.Backend] = be
	}
	var rec *record
	for _, n := range j.Needs {
		if err := a.failed[n]; err != nil {
			return nil, j.fail(store, be.Info(), rec, started, fmt.Errorf("%s, which it needs, failed: %w", n.Title(), err))
		}
	}
	if j.choice != nil {
		if err := a.trainChosen(ctx, j); err != nil {
			return nil, a.ended(ctx, err, func() error { return j.fail(store, be.Info(), rec, started, err) })
		}
	}
	forget, err := j.prepare(ctx)
	if err == nil {
		rec, err = watch(ctx, &execution{Job: j, be: be, run: a.run, store: store, report: a.report})
	}
	if errors.As(err, new(*stallError)) {
		delete(a.open, j.Config.Backend) // the next job gets a fresh one
	} else {
		forget() // what stalls may still read the plans
	}
	if err != nil {
		return nil, a.ended(ctx, err, func() error { return j.fail(store, be.Info(), rec, started, err) })
	}
	if err := store.Finish(j.manifest(be.Info(), rec, started), rec.set, rec.details); err != nil {
		return nil, &storeError{err}
	}
	return rec, nil
}

// ended is the error of an attempt that ended with err: of the run where the run directory or ctx
// is the cause, else what fail makes of it.
func (a *attempts) ended(ctx context.Context, err error, fail func() error) error {
	switch {
	case errors.As(err, new(*storeError)):
		return err
	case errors.As(err, new(*results.ReadError)):
		return &storeError{err}
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return fail()
}

// stallAfter is how long a job may go without finishing a step or a batch of
// prediction, compiling included.
var stallAfter = 10 * time.Minute

// stallError says that a backend did not come back.
type stallError struct {
	backend string
	after   time.Duration
}

func (e *stallError) Error() string {
	return fmt.Sprintf("backend %s has not finished a step for %s; it was given up", e.backend, e.after)
}

// watch takes a job to its end and gives it up where its backend stalls. The
// goroutine that hangs in the backend cannot be ended; should it wake, its
// context has ended, and it stops at the next step.
func watch(ctx context.Context, x *execution) (*record, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type ending struct {
		rec *record
		err error
	}
	x.pulse = &pulse{begun: time.Now()}
	end := make(chan ending, 1)
	go func() {
		err := x.execute(ctx)
		end <- ending{x.rec, err}
	}()
	look := time.NewTicker(stallAfter / 20)
	defer look.Stop()
	for {
		select {
		case e := <-end:
			return e.rec, e.err
		case <-look.C:
			if x.pulse.since() > stallAfter {
				return nil, &stallError{x.Config.Backend, stallAfter}
			}
		}
	}
}

// pulse is when a job last got a step done, on the monotonic clock: setting
// the wall clock must not look like a stall.
type pulse struct {
	begun time.Time
	at    atomic.Int64 // nanoseconds after begun
}

func (p *pulse) beat()                { p.at.Store(int64(time.Since(p.begun))) }
func (p *pulse) since() time.Duration { return time.Since(p.begun) - time.Duration(p.at.Load()) }

func (j *Job) fail(store *results.Job, be backends.Info, rec *record, started time.Time, cause error) error {
	f := results.Failure{Phase: "prepare", Cause: cause.Error()}
	var s *stepError
	if errors.As(cause, &s) {
		f.Phase, f.Step, f.Cause = s.phase, s.step, s.err.Error()
	}
	if err := store.Fail(j.manifest(be, rec, started), f); err != nil {
		return &storeError{err}
	}
	return cause
}
