package results

import (
	"io/fs"
	"syscall"
	"testing"
	"testing/iotest"
)

// A disk that fails says nothing of what is on it: nobody is told to delete a healthy job.
func TestTransientErrors(t *testing.T) {
	_, err := readUpTo(iotest.ErrReader(&fs.PathError{Op: "read", Path: "relative", Err: syscall.EIO}), "runs/q/jobs/a/records.txt", 100, 0)
	err = runAgain(err, "runs/q/jobs/a")
	if want := "runs/q/jobs/a/records.txt could not be read: input/output error; try again"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	for errno, want := range map[syscall.Errno]string{
		syscall.EIO:    "x could not be read: input/output error; try again",
		syscall.EACCES: "x could not be read: permission denied; try again",
		syscall.EMFILE: "x could not be read: too many open files; try again",
		syscall.ELOOP:  "x is not a regular file; delete a/manifest.json to run the job again",
	} {
		if err := runAgain(openError(&fs.PathError{Op: "openat", Path: "y", Err: errno}, "x"), "a"); err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
