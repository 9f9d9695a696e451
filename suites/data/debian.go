package data

import (
	"context"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// debianPackage is a Debian package that carries a set's files in one folder. An installed one is read in place; else
// apt-get fetches it, which needs no root, and dpkg-deb unpacks it into the cache.
type debianPackage struct {
	name   string
	folder string // below the root of the file system
}

func (d debianPackage) String() string { return "Debian package " + d.name }

func (d debianPackage) byHand() string { return "/" + d.folder + " of " + d.String() }

// writes is false where the package is installed.
func (d debianPackage) writes() bool {
	_, err := os.Stat(d.installed())
	return err != nil
}

func (d debianPackage) installed() string { return filepath.Join(string(filepath.Separator), d.folder) }

func (d debianPackage) provide(ctx context.Context, r request) (string, error) {
	if !d.writes() {
		return d.installed(), nil
	}
	if r.offline {
		return "", errOffline
	}
	work, remove, err := r.workspace()
	if err != nil {
		return "", err
	}
	defer remove()
	r.progress.report(d.String(), 0, 0)
	if _, err := run(ctx, work, nil, "apt-get", "download", "-qq", d.name); err != nil {
		return "", err
	}
	deb, err := only(work, "*.deb")
	if err != nil {
		return "", err
	}
	if _, err := run(ctx, work, nil, "dpkg-deb", "-x", deb, "root"); err != nil {
		return "", err
	}
	for _, f := range r.files {
		content, err := f.read(filepath.Join(work, "root", d.folder))
		if err != nil {
			return "", err
		}
		if err := renameio.WriteFile(filepath.Join(r.cache, f.name), content, 0o644); err != nil {
			return "", err
		}
	}
	return r.cache, nil
}
