package results

import "path/filepath"

// Checkpoint returns the newest whole checkpoint of a finished job, for the jobs that are made of it. It takes no lock:
// a finished job does not change.
func (r *Run) Checkpoint(id string) (*Checkpoint, error) {
	j := Job{ID: id, Dir: r.jobDir(id)}
	c, _, err := j.LoadCheckpoint()
	return c, err
}

// File is the path of a further file in a job's directory, as WriteFile names it.
func (r *Run) File(id, name string) string { return filepath.Join(r.jobDir(id), name) }

// IsDone reports whether the run directory dir holds a finished job of that id; false where there is no such directory.
func IsDone(dir, id string) bool {
	r := Run{Dir: dir}
	done, err := r.Done(id)
	return done && err == nil
}
