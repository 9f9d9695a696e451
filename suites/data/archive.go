package data

import (
	"archive/tar"
	"archive/zip"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// archive is a published .tar.gz, .tgz or .zip that holds the set. A copy that already lies in one of the folders looked
// in, or beside them, is taken; otherwise it is downloaded, and removed when it has been unpacked.
type archive struct {
	url    string
	sha256 string
	size   int64 // at most this many bytes, packed
	// unpacked bounds what an image tree may unpack to.
	unpacked int64
}

func (a archive) String() string { return a.url }

func (a archive) byHand() string { return a.url + ", which may be put there as it is" }

func (a archive) writes() bool { return true }

func (a archive) name() string { return path.Base(a.url) }

func (a archive) provide(ctx context.Context, r request) (string, error) {
	at, downloaded, err := a.get(ctx, r)
	if err != nil {
		return "", err
	}
	place := r.cache
	switch {
	case r.files == nil:
		place, err = a.gunzip(ctx, at, r)
	case strings.HasSuffix(at, ".zip"):
		err = unzip(ctx, at, r)
	default:
		err = eachMember(ctx, at, func(name string, in io.Reader) error { return r.member(at, name, in) })
	}
	if err != nil {
		return "", err
	}
	if downloaded {
		err = os.Remove(at)
	}
	return place, err
}

// get returns where the archive lies, checked.
func (a archive) get(ctx context.Context, r request) (at string, downloaded bool, err error) {
	for _, p := range r.places {
		dirs := []string{p.path}
		if !p.named {
			dirs = append(dirs, filepath.Dir(p.path))
		}
		for _, dir := range dirs {
			at := filepath.Join(dir, a.name())
			if _, err := os.Stat(at); err == nil {
				r.progress.report("checking "+at, 0, 0)
				return at, false, a.check(at)
			}
		}
	}
	if r.offline {
		return "", false, errOffline
	}
	at = filepath.Join(r.cache, a.name())
	return at, true, download(ctx, a.url, at, a.size, a.check, r.progress)
}

func (a archive) check(at string) error {
	r, err := openRegular(at)
	if err != nil {
		return err
	}
	defer r.Close()
	h := sha256.New()
	if n, err := io.Copy(h, io.LimitReader(r, a.size+1)); err != nil || n > a.size {
		return cmp.Or(err, fmt.Errorf("%s: more than the %d bytes that are expected", at, a.size))
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != a.sha256 {
		return &HashError{Path: at, Want: a.sha256, Got: got}
	}
	return nil
}

// gunzip turns the tgz of an image tree into a tar in the cache, which is read in place.
func (a archive) gunzip(ctx context.Context, at string, r request) (string, error) {
	in, err := openRegular(at)
	if err != nil {
		return "", err
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		return "", fmt.Errorf("%s: %w", at, err)
	}
	place := filepath.Join(r.cache, strings.TrimSuffix(a.name(), ".tgz")+".tar")
	out, err := renameio.NewPendingFile(place)
	if err != nil {
		return "", err
	}
	defer out.Cleanup()
	r.progress.report("unpacking "+a.name(), 0, 0)
	n, err := io.Copy(out, io.LimitReader(contextReader{ctx, z}, a.unpacked+1))
	if err != nil {
		return "", fmt.Errorf("%s: %w", at, err)
	}
	if n > a.unpacked {
		return "", fmt.Errorf("%s: unpacks to more than the %d bytes expected", at, a.unpacked)
	}
	return place, out.CloseAtomicallyReplace()
}

func unzip(ctx context.Context, at string, r request) error {
	z, err := zip.OpenReader(at)
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	defer z.Close()
	for _, m := range z.File {
		in, err := m.Open()
		if err != nil {
			return fmt.Errorf("%s: %s: %w", at, m.Name, err)
		}
		err = r.member(at, m.Name, contextReader{ctx, in})
		if err := errors.Join(err, in.Close()); err != nil {
			return err
		}
	}
	return nil
}

// maxMembers bounds what the archives of a set unpack to in all.
const maxMembers = 4 << 30

// eachMember calls do with the last part of the name of each regular file in a tar.gz.
func eachMember(ctx context.Context, at string, do func(name string, in io.Reader) error) error {
	in, err := openRegular(at)
	if err != nil {
		return err
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	members := tar.NewReader(io.LimitReader(contextReader{ctx, z}, maxMembers))
	for {
		m, err := members.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		if m.Typeflag != tar.TypeReg {
			continue
		}
		if err := do(path.Base(m.Name), members); err != nil {
			return fmt.Errorf("%s: %s: %w", at, m.Name, err)
		}
	}
}

// member writes the member of that name to the cache if it is a file of the set, plain or gzipped. Only the last part of
// the name counts, and nothing else is ever written, so an archive cannot reach outside the cache.
func (r request) member(archive, name string, in io.Reader) error {
	for _, f := range r.files {
		base := path.Base(name)
		if base != f.name && base != f.name+".gz" {
			continue
		}
		r.progress.report("unpacking "+base, 0, f.size)
		content, err := f.check(in, archive+": "+name)
		if err != nil {
			return err
		}
		return f.write(r.cache, content, archive)
	}
	return nil
}

// contextReader ends a long copy when ctx ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}
