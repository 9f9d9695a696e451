package fetch

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
	"slices"
	"strings"

	"bayesbench/internal/atomicfile"
)

// Archive is a published .tar.gz, .tgz or .zip that holds the set. A copy that already lies in one
// of the folders looked in, or beside them, is taken; otherwise it is downloaded, and removed when
// it has been unpacked.
type Archive struct {
	URL    string
	Name   string // of the file on disk; "" is the last part of URL
	SHA256 string // "" where the server packs anew each time. Then the hashes of the files in it decide.
	Size   int64  // at most this many bytes, packed
	// Files are what it holds of other sets, which are unpacked with those that are asked for.
	Files []File
	// Unpacked bounds what an image tree may unpack to.
	Unpacked int64
}

func (a Archive) String() string { return a.URL }

func (a Archive) ByHand() string {
	if a.Name != "" {
		return a.URL + ", which may be put there as " + a.Name
	}
	return a.URL + ", which may be put there as it is"
}

func (a Archive) Writes() bool { return true }

func (a Archive) name() string { return cmp.Or(a.Name, path.Base(a.URL)) }

func (a Archive) Provide(ctx context.Context, r Request) (string, error) {
	at, downloaded, err := a.get(ctx, r)
	if err != nil {
		return "", err
	}
	place, all := r.Cache, r
	all.Files = slices.Concat(r.Files, a.Files)
	switch {
	case r.Files == nil:
		place, err = a.gunzip(ctx, at, r)
	case strings.HasSuffix(at, ".zip"):
		err = unzip(ctx, at, all)
	default:
		err = EachMember(ctx, at, func(name string, in io.Reader) error { return all.member(at, name, in) })
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
func (a Archive) get(ctx context.Context, r Request) (at string, downloaded bool, err error) {
	for _, p := range r.Places {
		dirs := []string{p.Path}
		if !p.Named {
			dirs = append(dirs, filepath.Dir(p.Path))
		}
		for _, dir := range dirs {
			at := filepath.Join(dir, a.name())
			if _, err := os.Stat(at); err == nil {
				r.Progress.Report("checking "+at, 0, 0)
				return at, false, a.check(at)
			}
		}
	}
	if r.Offline {
		return "", false, ErrOffline
	}
	at = filepath.Join(r.Cache, a.name())
	return at, true, download(ctx, a.URL, at, a.Size, a.check, r.Progress)
}

func (a Archive) check(at string) error {
	r, err := OpenRegular(at)
	if err != nil {
		return err
	}
	defer r.Close()
	h := sha256.New()
	if n, err := io.Copy(h, io.LimitReader(r, a.Size+1)); err != nil || n > a.Size {
		return cmp.Or(err, fmt.Errorf("%s: want at most %d bytes, found more", at, a.Size))
	}
	if got := hex.EncodeToString(h.Sum(nil)); a.SHA256 != "" && got != a.SHA256 {
		return &HashError{Path: at, Want: a.SHA256, Got: got}
	}
	return nil
}

// gunzip turns the tgz of an image tree into a tar in the cache, which is read in place.
func (a Archive) gunzip(ctx context.Context, at string, r Request) (string, error) {
	in, err := OpenRegular(at)
	if err != nil {
		return "", err
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		return "", fmt.Errorf("%s: %w", at, err)
	}
	place := filepath.Join(r.Cache, strings.TrimSuffix(a.name(), ".tgz")+".tar")
	out, err := atomicfile.New(place)
	if err != nil {
		return "", err
	}
	defer out.Cleanup()
	r.Progress.Report("unpacking "+a.name(), 0, 0)
	n, err := io.Copy(out, io.LimitReader(contextReader{ctx, z}, a.Unpacked+1))
	if err != nil {
		return "", fmt.Errorf("%s: %w", at, err)
	}
	if n > a.Unpacked {
		return "", fmt.Errorf("%s: want at most %d bytes when unpacked, found more", at, a.Unpacked)
	}
	return place, out.CloseAtomicallyReplace()
}

func unzip(ctx context.Context, at string, r Request) error {
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

// EachMember calls do with the name of each regular file in a tar.gz, which may be any text.
func EachMember(ctx context.Context, at string, do func(name string, in io.Reader) error) error {
	in, err := OpenRegular(at)
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
		if err := do(m.Name, members); err != nil {
			return fmt.Errorf("%s: %s: %w", at, m.Name, err)
		}
	}
}

// member writes the member of that name to the cache if it is a file of the set, plain or gzipped.
// Only the last parts of the name count, as many as the file's name has, and nothing else is ever
// written, so an archive cannot reach outside the cache.
func (r Request) member(archive, name string, in io.Reader) error {
	for _, f := range r.Files {
		if whole := "/" + strings.TrimSuffix(name, ".gz"); !strings.HasSuffix(whole, "/"+f.Name) {
			continue
		}
		r.Progress.Report("unpacking "+f.Name, 0, f.Size)
		content, err := f.check(in, archive+": "+name)
		if err != nil {
			return err
		}
		return f.Write(r.Cache, content, archive)
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
