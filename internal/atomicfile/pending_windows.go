package atomicfile

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// Pending is a file in the making: an open temporary file, with CloseAtomicallyReplace, which puts
// it into its place, and Cleanup, which removes it if that has not been done.
type Pending struct {
	*os.File
	path string
	done bool
}

// New makes the temporary file of what is to stand at path, in the same directory.
func New(path string) (*Pending, error) {
	dir, name := filepath.Split(path)
	for {
		at := filepath.Join(dir, fmt.Sprintf(".%s%018d", name, rand.Int64N(1e18)))
		f, err := os.OpenFile(at, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if err == nil {
			return &Pending{File: f, path: path}, nil
		}
		if !errors.Is(err, os.ErrExist) {
			return nil, err
		}
	}
}

// CloseAtomicallyReplace writes what is in memory to disk and puts the file into its place.
func (p *Pending) CloseAtomicallyReplace() error {
	if err := p.Sync(); err != nil {
		return err
	}
	if err := p.Close(); err != nil {
		return err
	}
	if err := os.Rename(p.Name(), p.path); err != nil {
		return err
	}
	p.done = true
	return nil
}

// Cleanup removes the temporary file, unless it has taken its place.
func (p *Pending) Cleanup() error {
	if p.done {
		return nil
	}
	p.done = true
	p.Close() // it may be closed already
	return os.Remove(p.Name())
}

// SyncDir does nothing: Windows has no such call for a directory.
func SyncDir(string) error { return nil }
