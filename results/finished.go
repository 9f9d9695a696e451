package results

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
)

// Checkpoint returns the newest checkpoint of a job whose training is done, for the jobs that are
// made of it. Its tensors have at most so many bytes. Unlike LoadCheckpoint it never takes the
// generation before, which holds the weights of a moment in training. It takes no lock: such a
// job's training does not change.
func (r *Run) Checkpoint(id string, bytes int64) (*Checkpoint, error) {
	return r.Stored(id, checkpointFile, bytes)
}

// Stored returns the tensors, of at most so many bytes, that a job keeps in a further file, as
// WriteFile names it. Those of a finished job must have the hash that its manifest says.
func (r *Run) Stored(id, name string, bytes int64) (*Checkpoint, error) {
	dir := r.jobDir(id)
	m, err := r.Manifest(id)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var text []byte
	if m.Status == Done {
		text, err = m.readChecked(dir, name, checkpointLength(bytes))
	} else {
		text, err = readJobFile(dir, name, checkpointLength(bytes))
	}
	if err != nil {
		return nil, err
	}
	c, err := ReadCheckpoint(text, filepath.Join(dir, name))
	if err != nil {
		return nil, r.Again(id, err)
	}
	return c, nil
}

// Records returns the records of a finished job.
func (r *Run) Records(id string) ([]Record, error) {
	dir := r.jobDir(id)
	text, err := readManifestText(dir)
	if err != nil {
		return nil, err
	}
	j, err := readFinished(dir, text)
	if err == nil && j.Manifest.Status != Done {
		err = fmt.Errorf("job %s: want a finished job, found one that is %s", id, j.Manifest.Status)
	}
	return j.Records, err
}

// Again adds to an error about a file of a finished job how to run the job again.
func (r *Run) Again(id string, err error) error { return runAgain(err, r.jobDir(id)) }

// CheckBeside compares a file with the hash that the manifest beside it says, where it stands in
// the directory of a finished job; a file elsewhere, and one that the manifest does not name, is a
// person's own.
func CheckBeside(path string, content io.Reader) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	dir, name := filepath.Split(path)
	dir = filepath.Clean(dir)
	if filepath.Base(filepath.Dir(dir)) != jobsDir {
		return nil
	}
	m, err := readManifest(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	want, ok := m.Files[name]
	if !ok {
		return nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, content); err != nil {
		return &ReadError{path, cause(err)}
	}
	return checkSum(path, hex.EncodeToString(sum.Sum(nil)), want)
}

// File is the path of a further file in a job's directory, as WriteFile names it.
func (r *Run) File(id, name string) string { return filepath.Join(r.jobDir(id), name) }

// IsDone reports whether the run directory dir holds a finished job of that id; false where there
// is no such directory.
func IsDone(dir, id string) bool {
	r := Run{Dir: dir}
	done, err := r.Done(id)
	return done && err == nil
}
