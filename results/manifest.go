package results

import (
	"bytes"
	"encoding/json"
	"fmt"
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

// A Manifest says what one job was and how it ended. It is written last: the records count once it says done.
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
	Started  time.Time          `json:"started"`
	Seconds  map[string]float64 `json:"seconds,omitempty"` // wall time of each phase: train, predict, score, …
	Files    map[string]string  `json:"files,omitempty"`   // sha256 of the job's files, filled in on writing
	Sum      string             `json:"sha256,omitempty"`  // of the manifest itself, with blankSum in this place; filled in on writing
}

// Skipped says how many files of a data set were left out, and why.
type Skipped struct {
	Data     string   `json:"data"`
	Reason   string   `json:"reason"`
	Count    int      `json:"count"`
	Examples []string `json:"examples"` // the first few paths
}

// A Failure says why a job failed.
type Failure struct {
	Phase string `json:"phase"` // train, predict, score, …
	Step  int    `json:"step"`
	Cause string `json:"cause"`
}

// A Machine is where a job ran.
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

func readManifest(dir string) (Manifest, error) {
	path := filepath.Join(dir, manifestFile)
	text, err := readFile(path, maxJSON)
	if err != nil {
		return Manifest{}, err
	}
	m, err := decodeManifest(text, path)
	if err != nil {
		return Manifest{}, runAgain(err, dir)
	}
	return m, nil
}

func decodeManifest(text []byte, path string) (Manifest, error) {
	var m Manifest
	if err := decodeJSON(text, path, &m); err != nil {
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

// runAgain adds to an error about a file of a finished job what can be done.
func runAgain(err error, dir string) error {
	return fmt.Errorf("%w; delete %s to run the job again", err, dir)
}

// readChecked reads a file of the job and compares it with the manifest's hash.
func (m *Manifest) readChecked(dir, file string) ([]byte, error) {
	path := filepath.Join(dir, file)
	text, err := readFile(path, maxLines)
	if err != nil {
		return nil, runAgain(err, dir)
	}
	if have, want := hexSum(text), m.Files[file]; have != want {
		return nil, runAgain(fmt.Errorf("%s is damaged: its sha256 is %s, the manifest says %s", path, have, want), dir)
	}
	return text, nil
}

// addTo adds the records in one file of the job to all.
func (m *Manifest) addTo(all *Set, dir, file string) error {
	text, err := m.readChecked(dir, file)
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
	path := filepath.Join(dir, curveFile)
	if _, hashed := m.Files[curveFile]; !hashed {
		return readCurve(path)
	}
	text, err := m.readChecked(dir, curveFile)
	if err != nil {
		return Curve{}, err
	}
	return decodeCurve(text, path)
}

func (m *Manifest) readDetails(dir string) (Details, error) {
	text, err := m.readChecked(dir, detailsFile)
	if err != nil {
		return Details{}, err
	}
	var d Details
	path := filepath.Join(dir, detailsFile)
	if err := decodeJSON(text, path, &d); err != nil {
		return d, err
	}
	if err := d.check(); err != nil {
		return d, runAgain(fmt.Errorf("%s: %w", path, err), dir)
	}
	return d, nil
}
