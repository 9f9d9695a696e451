package fetch

import (
	"context"
	"os"
	"path/filepath"
)

// DebianPackage is a Debian package that carries a set's files in one folder. An installed one is
// read in place; else apt-get fetches it, which needs no root, and dpkg-deb unpacks it into the
// cache.
type DebianPackage struct {
	Name   string
	Folder string // below the root of the file system
}

func (d DebianPackage) String() string { return "Debian package " + d.Name }

func (d DebianPackage) ByHand() string { return "/" + d.Folder + " of " + d.String() }

// Writes is false where the package is installed.
func (d DebianPackage) Writes() bool {
	_, err := os.Stat(d.installed())
	return err != nil
}

func (d DebianPackage) installed() string { return filepath.Join(string(filepath.Separator), d.Folder) }

func (d DebianPackage) Provide(ctx context.Context, r Request) (string, error) {
	if !d.Writes() {
		return d.installed(), nil
	}
	if r.Offline {
		return "", ErrOffline
	}
	work, remove, err := r.Workspace()
	if err != nil {
		return "", err
	}
	defer remove()
	r.Progress.Report(d.String(), 0, 0)
	if _, err := run(ctx, work, nil, "apt-get", "download", "-qq", d.Name); err != nil {
		return "", err
	}
	deb, err := only(work, "*.deb")
	if err != nil {
		return "", err
	}
	if _, err := run(ctx, work, nil, "dpkg-deb", "-x", deb, "root"); err != nil {
		return "", err
	}
	for _, f := range r.Files {
		content, err := f.Read(filepath.Join(work, "root", d.Folder))
		if err != nil {
			return "", err
		}
		if err := f.Write(r.Cache, content, d.String()); err != nil {
			return "", err
		}
	}
	return r.Cache, nil
}
