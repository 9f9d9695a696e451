package results

import (
	"os"
	"path/filepath"
)

// Checkpoint returns the newest checkpoint of a job whose training is done, for the jobs that are made of it. Unlike
// LoadCheckpoint it never takes the generation before, which holds the weights of a moment in training. It takes no lock:
// such a job's training does not change.
func (r *Run) Checkpoint(id string) (*Checkpoint, error) { return r.readState(id, checkpointFile) }

// Stored returns the tensors that a finished job keeps in a further file, as WriteFile names it.
func (r *Run) Stored(id, name string) (*Checkpoint, error) { return r.readState(id, name) }

func (r *Run) readState(id, name string) (*Checkpoint, error) {
	path := r.File(id, name)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, runAgain(err, r.jobDir(id))
	}
	c, err := ReadCheckpoint(text, path)
	if err != nil {
		return nil, runAgain(err, r.jobDir(id))
	}
	return c, nil
}

// File is the path of a further file in a job's directory, as WriteFile names it.
func (r *Run) File(id, name string) string { return filepath.Join(r.jobDir(id), name) }

// IsDone reports whether the run directory dir holds a finished job of that id; false where there is no such directory.
func IsDone(dir, id string) bool {
	r := Run{Dir: dir}
	done, err := r.Done(id)
	return done && err == nil
}
