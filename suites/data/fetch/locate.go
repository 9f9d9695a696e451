package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Set is what is looked for: a data set by its name and its files.
type Set struct {
	Name      string     // its folder in places that hold sets by name
	Aliases   []string   // other names of its folder or tar, in order of preference
	Files     []File     // a complete copy; nil for a tree of images, train/<class>/… and val/<class>/…
	Providers []Provider // where a copy comes from that is not on disk, in order of preference
}

// Options say where a set may come from.
type Options struct {
	Dir      string // look here first
	Offline  bool   // look in folders only: run no package manager and open no connection
	Progress Progress
}

// NotFoundError says where the files of a set were looked for, and how to put them there by hand.
type NotFoundError struct {
	Files   []string
	Tried   []string // a line each: the place and what was wrong with it
	Sources []string // where the files can be had by hand
	Put     string   // where they would be found
	NoCache error    // why there is no cache, or none that can be written
}

func (e *NotFoundError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "its files are not here and could not be had\n")
	for _, t := range e.Tried {
		fmt.Fprintf(&b, "\t%s\n", t)
	}
	files := strings.Join(e.Files, ", ")
	if e.NoCache != nil {
		fmt.Fprintf(&b, "\tno cache: %v; set XDG_CACHE_HOME to a folder that can be written\n", e.NoCache)
		fmt.Fprintf(&b, "\tby hand: put %s into a folder DIR and say -data DIR", files)
	} else {
		fmt.Fprintf(&b, "\tby hand: put %s into %s", files, e.Put)
	}
	if len(e.Sources) > 0 {
		fmt.Fprintf(&b, "; from %s", strings.Join(e.Sources, ", or "))
	}
	return b.String()
}

// own tells whether the set is whatever the user calls so: nothing published says what is in it, so
// that another one than the one that was named would be other data.
func (s *Set) own() bool { return s.Files == nil && s.Providers == nil }

// present looks for the set in p: all files in it or, for an image tree, a folder train in it, p
// itself as a tar, or a tar beside it unless the user has named p. It returns the place to read
// from, or what is lacking.
func (s *Set) present(p Place) (at, lacking string) {
	st, err := os.Stat(p.Path)
	if s.Files == nil {
		return s.presentTree(p, st)
	}
	if err != nil {
		return "", "is not there"
	}
	var names []string
	for _, f := range s.Files {
		if _, err := f.Find(p.Path); errors.Is(err, fs.ErrNotExist) {
			names = append(names, f.Name)
		} else if err != nil {
			return "", err.Error()
		}
	}
	if names == nil {
		return p.Path, ""
	}
	return "", "lacks " + strings.Join(some(names), ", ")
}

func (s *Set) presentTree(p Place, st fs.FileInfo) (at, lacking string) {
	if st != nil && !st.IsDir() {
		if err := Regular(p.Path, st.Mode()); err != nil {
			return "", err.Error()
		}
		for _, ext := range []string{".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".zip"} {
			if strings.HasSuffix(strings.ToLower(p.Path), ext) {
				return "", "is packed, and images are read in place: unpack it and name the folder, or unpack it to a .tar"
			}
		}
		if filepath.Ext(p.Path) == ".tar" {
			return p.Path, ""
		}
		return "", "is no folder and no .tar"
	}
	if st != nil {
		if train, err := os.Stat(filepath.Join(p.Path, "train")); err == nil && train.IsDir() {
			return p.Path, ""
		}
	}
	if !p.Named {
		tar := p.Path + ".tar"
		if st, err := os.Stat(tar); err == nil && st.Mode().IsRegular() {
			return tar, ""
		}
	}
	if st == nil {
		return "", "is not there"
	}
	return "", "has no folder train"
}

// cache is the set's folder in the cache, made if it is not there, or why there is none that can be
// written.
func (s *Set) cache() (string, error) {
	root, err := CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, s.Name)
	return dir, writable(dir)
}

// missing is the error that says how to put the set's files where they are found: into its folder
// in the cache, if there is one.
func (s *Set) missing(opt Options, cache string) *NotFoundError {
	if s.Files == nil {
		at := "a folder"
		if cache != "" && !(s.own() && opt.Dir != "") {
			at = cache
		}
		return &NotFoundError{
			Files: []string{"train/<class>/*.JPEG and val/<class>/*.JPEG"},
			Put:   at + ", and name it, or a .tar of them, by -data",
		}
	}
	e := &NotFoundError{Put: cache}
	for _, f := range s.Files {
		if _, err := f.Find(cache); cache == "" || err != nil {
			e.Files = append(e.Files, f.Name)
		}
	}
	e.Files = some(e.Files)
	if last := len(e.Files) - 1; last >= 0 {
		e.Files[last] += " (plain or .gz)"
	}
	return e
}

// some is a list for a message: where there are many names, the first ones and how many more there
// are.
func some(names []string) []string {
	const most = 6
	if len(names) <= most {
		return names
	}
	return append(names[:most-1:most-1], fmt.Sprintf("%d more", len(names)-(most-1)))
}

// writable returns why nothing can be put into the folder. It leaves nothing behind but folders.
func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".writable")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// Locate returns a place that holds the set. The files' content is checked when it is read.
func (s *Set) Locate(ctx context.Context, opt Options) (string, error) {
	places, err := s.places(opt)
	if err != nil {
		return "", err
	}
	var tried []string
	for _, p := range places {
		at, lacking := s.present(p)
		if lacking == "" {
			return at, nil
		}
		tried = append(tried, p.Path+": "+strings.TrimPrefix(lacking, p.Path+": "))
	}
	cache, noCache := "", error(nil)
	if s.Providers != nil {
		cache, noCache = s.cache()
	} else if root, err := CacheDir(); err == nil {
		cache = filepath.Join(root, s.Name)
	}
	missing := s.missing(opt, cache)
	missing.Tried, missing.NoCache = tried, noCache
	for _, p := range s.Providers {
		if at := p.ByHand(); at != "" {
			missing.Sources = append(missing.Sources, at)
		}
		r := Request{Files: s.Files, Places: places, Cache: cache, Offline: opt.Offline, Progress: opt.Progress}
		var at string
		err := errNoCache
		if noCache == nil || !p.Writes() {
			at, err = s.fetch(ctx, p, r)
		}
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		var hash *HashError
		switch {
		case err == nil:
			return at, nil
		case errors.As(err, &hash):
			return "", err
		}
		tried := err.Error()
		if !strings.HasPrefix(tried, p.String()) { // a download names its address
			tried = p.String() + ": " + tried
		}
		missing.Tried = append(missing.Tried, tried)
	}
	return "", missing
}

// fetch lets p provide the set, while no other process does so.
func (s *Set) fetch(ctx context.Context, p Provider, r Request) (string, error) {
	if p.Writes() {
		lock, err := r.lock(ctx)
		if err != nil {
			return "", err
		}
		defer lock.Unlock()
		for _, dir := range r.Places {
			if at, lacking := s.present(dir); lacking == "" { // another process was first
				return at, nil
			}
		}
	}
	dir, err := p.Provide(ctx, r)
	if err != nil {
		return "", err
	}
	at, lacking := s.present(Place{dir, true})
	if lacking != "" {
		return "", fmt.Errorf("%s, which it gave, %s", dir, lacking)
	}
	return at, nil
}
