package results

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

// The files of a job directory.
const (
	manifestFile   = "manifest.json"
	recordsFile    = "records.txt"
	detailsFile    = "details.json"
	curveFile      = "curve.csv"
	checkpointFile = "checkpoint.safetensors"
	previousFile   = "checkpoint.prev.safetensors"
)

// Status says how a job ended.
type Status string

// A job without a manifest has not ended: it is pending, running, or interrupted.
const (
	Done   Status = "done"
	Failed Status = "failed"
)

// Manifest says what one job was and how it ended. It is written last: the records count once it
// says done. Its Job is the name of the directory that it stands in, and the id of its Config, so
// that the files of one job cannot stand for another.
type Manifest struct {
	Format   int                `json:"format"`
	Job      string             `json:"job"`
	Status   Status             `json:"status"`
	Failure  *Failure           `json:"failure,omitempty"`
	Config   json.RawMessage    `json:"config"`            // the whole resolved configuration
	Versions map[string]string  `json:"versions"`          // of the program, Go, the backend, …
	Data     map[string]string  `json:"data,omitempty"`    // data file -> hash, as "md5:…" or "sha256:…"
	Skipped  []Skipped          `json:"skipped,omitempty"` // what the data sets left out
	Machine  Machine            `json:"machine"`
	Chosen   string             `json:"chosen,omitempty"` // the settings that [method.choose] came to, and why
	Stopping *Stopping          `json:"stopping,omitempty"`
	Kernels  string             `json:"kernels,omitempty"` // that gave the job's numbers, as backends.Info has them; "+" between several
	Started  time.Time          `json:"started"`
	Seconds  map[string]float64 `json:"seconds,omitempty"` // wall time of each phase: train, predict, score, …
	Files    map[string]string  `json:"files,omitempty"`   // sha256 of all that the job wrote, by name; filled in on writing
	Sum      string             `json:"sha256"`            // of the manifest itself, with blankSum in this place; filled in on writing
}

// Skipped says how many files of a data set were left out, and why.
type Skipped struct {
	Data     string   `json:"data"`
	Reason   string   `json:"reason"`
	Count    int      `json:"count"`
	Examples []string `json:"examples"` // the first few paths
}

// Stopping is where a training under early stopping ended.
type Stopping struct {
	Metric string  `json:"metric"` // on the validation split
	Epochs int     `json:"epochs"` // that were trained
	Best   int     `json:"best"`   // the epoch whose weights are the job's, from 1
	Value  float64 `json:"value"`  // of the metric after it
}

// Failure says why a job failed.
type Failure struct {
	Phase string `json:"phase"` // train, predict, score, …
	Step  int    `json:"step"`
	Cause string `json:"cause"`
}

// Machine is where a job ran.
type Machine struct {
	Host    string `json:"host"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	CPU     string `json:"cpu"`
	Cores   int    `json:"cores"`
	Threads int    `json:"threads"` // that the backend was given
	Memory  int64  `json:"memory"`  // bytes
	Device  string `json:"device,omitempty"`
}

// readManifest reads the manifest in a job's directory, jobs/ID of a run directory.
func readManifest(dir string) (Manifest, error) {
	text, err := readManifestText(dir)
	if err != nil {
		return Manifest{}, err
	}
	return checkManifest(dir, text)
}

func readManifestText(dir string) ([]byte, error) {
	text, err := readJobFile(dir, manifestFile, maxJSON)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = runAgain(err, dir)
	}
	return text, err
}

// checkManifest decodes the manifest of the job in a directory.
func checkManifest(dir string, text []byte) (Manifest, error) {
	m, err := decodeManifest(text, filepath.Join(dir, manifestFile))
	if err == nil {
		err = m.checkPlace(dir)
	}
	if err != nil {
		return Manifest{}, runAgain(err, dir)
	}
	return m, nil
}

// readJobFile is ReadText of a file in a job's directory, which a link must not lead out of the run
// directory either.
func readJobFile(dir, name string, most int64) ([]byte, error) {
	run, id := filepath.Dir(filepath.Dir(dir)), filepath.Base(dir)
	return ReadText(run, filepath.Join(jobsDir, id, name), most)
}

func decodeManifest(text []byte, path string) (Manifest, error) {
	var m Manifest
	if err := DecodeJSON(text, path, &m); err != nil {
		return Manifest{}, err
	}
	if err := checkSeal(text, path, m.Sum); err != nil {
		return Manifest{}, err
	}
	if m.Status != Done && m.Status != Failed {
		return Manifest{}, fmt.Errorf("%s: status %q: want %q or %q", path, m.Status, Done, Failed)
	}
	return m, nil
}

// checkPlace compares the manifest with the directory in which it was found. A job whose id is no
// hash, as another program may name its jobs, may have any configuration.
func (m *Manifest) checkPlace(dir string) error {
	path := filepath.Join(dir, manifestFile)
	if id := filepath.Base(dir); m.Job != id {
		return fmt.Errorf("%s is of another job: want %q, found %q", path, id, m.Job)
	}
	id, err := configID(m.Config)
	if err != nil {
		return fmt.Errorf("%s: config: %w", path, err)
	}
	if _, err := hex.DecodeString(m.Job); err != nil || len(m.Job) != len(id) {
		return nil
	}
	if id != m.Job {
		return fmt.Errorf("%s does not belong to its configuration: that is the one of job %q", path, id)
	}
	return nil
}

// configID is the id of the job of that configuration, "" for none: the first six bytes of the
// SHA-256 of its JSON without blanks. It is what suites.Config.ID makes.
func configID(config json.RawMessage) (string, error) {
	var text bytes.Buffer
	if err := json.Compact(&text, config); err != nil {
		return "", err
	}
	if text.String() == "null" {
		return "", nil
	}
	return hexSum(text.Bytes())[:12], nil
}

// runAgain adds to an error about a file of a finished job what can be done. A file that could not
// be read may be whole, and one outside the run directory is not to be deleted.
func runAgain(err error, dir string) error {
	if errors.As(err, new(*ReadError)) || errors.As(err, new(*outsideError)) {
		return err
	}
	return fmt.Errorf("%w; delete %s to run the job again", err, filepath.Join(dir, manifestFile))
}

// readChecked reads a file of the job, of at most so many bytes, and compares it with the
// manifest's hash.
func (m *Manifest) readChecked(dir, file string, most int64) ([]byte, error) {
	path := filepath.Join(dir, file)
	want, ok := m.Files[file]
	if !ok {
		return nil, runAgain(fmt.Errorf("%s is not among the files that the job's manifest names", path), dir)
	}
	text, err := readJobFile(dir, file, most)
	if err != nil {
		return nil, runAgain(err, dir)
	}
	if err := checkSum(path, hexSum(text), want); err != nil {
		return nil, err
	}
	return text, nil
}

// checkSum compares the hash of a job's file with that in its manifest.
func checkSum(path, have, want string) error {
	if have == want {
		return nil
	}
	return runAgain(fmt.Errorf("%s is damaged: its sha256 is %s, the manifest says %s", path, have, want), filepath.Dir(path))
}

// addTo adds the records in one file of the job to all.
func (m *Manifest) addTo(all *Set, dir, file string) error {
	text, err := m.readChecked(dir, file, maxLines)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, file)
	set, err := Read(bytes.NewReader(text), path)
	if err != nil {
		return err
	}
	if err := all.Add(set); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// readCurve returns an empty curve for a job that has none.
func (m *Manifest) readCurve(dir string) (Curve, error) {
	if _, ok := m.Files[curveFile]; !ok {
		return Curve{}, nil
	}
	text, err := m.readChecked(dir, curveFile, maxLines)
	if err != nil {
		return Curve{}, err
	}
	return decodeCurve(text, filepath.Join(dir, curveFile))
}

func (m *Manifest) readDetails(dir string) (Details, error) {
	text, err := m.readChecked(dir, detailsFile, maxLines)
	if err != nil {
		return Details{}, err
	}
	var d Details
	path := filepath.Join(dir, detailsFile)
	if err := DecodeJSON(text, path, &d); err != nil {
		return d, err
	}
	if err := d.check(); err != nil {
		return d, runAgain(fmt.Errorf("%s: %w", path, err), dir)
	}
	return d, nil
}
