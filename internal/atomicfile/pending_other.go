//go:build !windows

package atomicfile

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Pending is a file in the making: an open temporary file, with CloseAtomicallyReplace, which puts
// it into its place, and Cleanup, which removes it if that has not been done.
type Pending = renameio.PendingFile

// New makes the temporary file of what is to stand at path, in the same directory.
func New(path string) (*Pending, error) {
	return renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(mode))
}

// SyncDir makes the renames in dir durable, so that files appear after a power loss in the order in
// which they were written.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
