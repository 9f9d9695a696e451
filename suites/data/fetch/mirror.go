package fetch

import (
	"context"
	"path/filepath"
)

// Mirror serves each file of a set at base/name+suffix.
type Mirror struct {
	Base   string
	Suffix string // ".gz" if the files are served gzipped
}

func (m Mirror) String() string { return m.Base }

func (m Mirror) ByHand() string { return m.Base }

func (m Mirror) Writes() bool { return true }

func (m Mirror) Provide(ctx context.Context, r Request) (string, error) {
	if r.Offline {
		return "", ErrOffline
	}
	for _, f := range r.Files {
		if _, err := f.Find(r.Cache); err == nil {
			continue
		}
		name := f.Name + m.Suffix
		// A gzipped file is never longer than its content and a little over.
		limit := f.Size + f.Size/1000 + 1024
		check := func(partial string) error {
			in, err := OpenRegular(partial)
			if err != nil {
				return err
			}
			defer in.Close()
			_, err = f.check(in, m.Base+"/"+name)
			return err
		}
		if err := download(ctx, m.Base+"/"+name, filepath.Join(r.Cache, filepath.FromSlash(name)), limit, check, r.Progress); err != nil {
			return "", err
		}
	}
	return r.Cache, nil
}
