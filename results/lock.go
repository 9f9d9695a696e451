package results

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Holder says who holds a lock.
type Holder struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

// LockedError says that another process is at work on a path.
type LockedError struct {
	Path   string // the run directory or the job directory
	Holder Holder // zero if it could not be read
}

func (e *LockedError) Error() string {
	if e.Holder.PID == 0 {
		return fmt.Sprintf("%s is in use by another process", e.Path)
	}
	return fmt.Sprintf("%s is in use by process %d on %s since %s", e.Path, e.Holder.PID, e.Holder.Host,
		e.Holder.Since.Local().Format("2006-01-02 15:04:05"))
}

// lock is a flock on a file, which also says who holds it. The kernel drops it when the process
// ends, however it ends, so a lock is never stale; the file stays and means nothing by itself.
type lock struct{ *flock.Flock }

// tryLock takes the lock file exclusively, or shared with other takers of a shared lock, or returns
// a *LockedError about path.
func tryLock(file, path string, shared bool) (lock, error) {
	if err := checkLock(file, path); err != nil {
		return lock{}, err
	}
	l := lock{flock.New(file, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o644))}
	take := l.TryLock
	if shared {
		take = l.TryRLock
	}
	ok, err := take()
	if err != nil {
		return lock{}, fmt.Errorf("lock %s: %w", path, err)
	}
	if !ok {
		return lock{}, &LockedError{Path: path, Holder: readHolder(file)}
	}
	host, _ := os.Hostname()
	text, err := json.Marshal(Holder{PID: os.Getpid(), Host: host, Since: time.Now().Truncate(time.Second)})
	if err == nil {
		err = os.WriteFile(file, append(text, '\n'), 0o644)
	}
	if err != nil {
		l.Unlock()
		return lock{}, fmt.Errorf("lock %s: %w", path, err)
	}
	return l, nil
}

// checkLock refuses a lock file that is none: a link would be written where it leads, and a pipe
// waited for.
func checkLock(file, path string) error {
	if info, err := os.Lstat(file); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("lock %s: %s is not a regular file", path, file)
	}
	return nil
}

// Exclusive takes a lock file for this process alone, until unlock is called or the process ends,
// or returns a *LockedError about path, what it guards.
func Exclusive(file, path string) (unlock func() error, err error) {
	l, err := tryLock(file, path, false)
	if err != nil {
		return nil, err
	}
	return l.Unlock, nil
}

// readHolder reads who holds a lock. A torn or foreign text leaves the holder unknown, which
// messages can say.
func readHolder(file string) Holder {
	const most = 4 << 10
	text, err := ReadText(filepath.Dir(file), filepath.Base(file), most)
	var h Holder
	if err != nil || json.Unmarshal(text, &h) != nil {
		return Holder{}
	}
	return h
}

// waitLock is tryLock that calls waiting once if the lock is held and then waits for it. With a nil
// waiting it does not wait and returns the *LockedError.
func waitLock(ctx context.Context, file, path string, shared bool, waiting func(*LockedError)) (lock, error) {
	told := false
	for {
		l, err := tryLock(file, path, shared)
		locked, held := err.(*LockedError)
		if !held || waiting == nil {
			return l, err
		}
		if !told {
			waiting(locked)
			told = true
		}
		select {
		case <-ctx.Done():
			return lock{}, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Working reports whether a process, on whatever machine, has the job claimed now, and which. It
// holds up no one: a claim that meets it waits for a moment.
func Working(dir, id string) (Holder, bool, error) {
	path := filepath.Join(dir, jobsDir, id, lockFile)
	if err := checkLock(path, filepath.Dir(path)); err != nil {
		return Holder{}, false, err
	}
	l := flock.New(path, flock.SetFlag(os.O_RDONLY))
	free, err := l.TryRLock()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Holder{}, false, nil
	case err != nil:
		return Holder{}, false, fmt.Errorf("lock %s: %w", path, err)
	case free:
		return Holder{}, false, l.Unlock()
	}
	return readHolder(path), true, nil
}
