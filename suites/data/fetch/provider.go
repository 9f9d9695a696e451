package fetch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Provider puts the files of a set on disk: a package manager that carries them, or a mirror.
type Provider interface {
	fmt.Stringer // for messages
	// ByHand says where a user gets what Open finds when it is put into the set's folder; empty if
	// that takes a program.
	ByHand() string
	// Writes tells whether Provide needs the cache.
	Writes() bool
	// Provide returns a folder or tar that holds the set. It may write below r.Cache, and nowhere
	// else.
	Provide(ctx context.Context, r Request) (place string, err error)
}

// Request is what a Provider is asked for.
type Request struct {
	Files    []File  // nil for image trees
	Places   []Place // where an archive of the set may already lie
	Cache    string  // the set's folder in the cache; where Provide writes, it exists and is locked
	Offline  bool    // make do with what is on disk
	Progress Progress
}

var (
	// ErrOffline is what a provider answers that may not open a connection.
	ErrOffline = errors.New("not tried: offline")
	errNoCache = errors.New("not tried: no cache")
)

// lock takes the lock of the set's folder in the cache, and waits for it.
func (r Request) lock(ctx context.Context) (*flock.Flock, error) {
	at := filepath.Join(r.Cache, ".lock")
	if st, err := os.Stat(at); err == nil {
		if err := Regular(at, st.Mode()); err != nil { // opening a pipe would wait
			return nil, err
		}
	}
	lock := flock.New(at)
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return nil, fmt.Errorf("locking %s: %w", r.Cache, err)
	}
	return lock, nil
}

// Workspace makes an empty folder in the cache for a provider's intermediate files, and a function
// that removes it. What a killed process left there is removed first: the caller holds the lock.
func (r Request) Workspace() (dir string, remove func(), err error) {
	dir = filepath.Join(r.Cache, "work")
	if err := os.RemoveAll(dir); err != nil {
		return "", nil, err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", nil, err
	}
	return dir, func() { os.RemoveAll(dir) }, nil
}
