package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// provider puts the files of a set on disk: a package manager that carries them, or a mirror.
type provider interface {
	fmt.Stringer // for messages
	// byHand says where a user gets what Open finds when it is put into the set's folder; empty if that takes a program.
	byHand() string
	// writes tells whether provide needs the cache.
	writes() bool
	// provide returns a folder or tar that holds the set. It may write below r.cache, and nowhere else.
	provide(ctx context.Context, r request) (place string, err error)
}

// request is what a provider is asked for.
type request struct {
	files    []file  // nil for image trees
	places   []place // where an archive of the set may already lie
	cache    string  // the set's folder in the cache; where provide writes, it exists and is locked
	offline  bool    // make do with what is on disk
	progress Progress
}

var (
	errOffline = errors.New("not tried: offline")
	errNoCache = errors.New("not tried: no cache")
)

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

// CacheDir is where sets that had to be fetched or decoded are kept: bayesbench below $XDG_CACHE_HOME or, if that is not
// set, below os.UserCacheDir.
func CacheDir() (string, error) {
	base := os.Getenv("XDG_CACHE_HOME")
	if base == "" {
		var err error
		if base, err = os.UserCacheDir(); err != nil {
			return "", fmt.Errorf("no place for it: %w", err)
		}
	}
	return filepath.Join(base, "bayesbench"), nil
}

// SearchPath is the list of folders that hold data sets by name, in the environment variable BAYESBENCH_DATA.
func SearchPath() []string {
	var dirs []string
	for _, dir := range filepath.SplitList(os.Getenv("BAYESBENCH_DATA")) {
		if dir != "" {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// place is a folder, or for image trees a tar, in which a set may lie.
type place struct {
	path  string
	named bool // the user has named it: what lies beside it is something else
}

// places lists where the set may lie, in order of preference, those in the cache last.
func (s *source) places(opt Options) ([]place, error) {
	var aliases []string
	if s.aliases != nil {
		aliases = s.aliases(opt)
	}
	var all []place
	under := func(dir string) {
		for _, name := range append([]string{s.Name}, aliases...) {
			all = append(all, place{path: filepath.Join(dir, name)})
		}
	}
	if opt.Dir != "" {
		st, err := os.Stat(opt.Dir)
		if err != nil {
			return nil, fmt.Errorf("folder given for it: %w", err)
		}
		all = append(all, place{opt.Dir, true})
		if st.IsDir() {
			under(opt.Dir)
		}
		if s.own() {
			return all, nil
		}
	}
	for _, dir := range SearchPath() {
		under(dir)
	}
	if root, err := CacheDir(); err == nil {
		cache := filepath.Join(root, s.Name)
		all = append(all, place{path: cache})
		for _, name := range aliases {
			all = append(all, place{path: filepath.Join(cache, name)})
		}
	}
	return all, nil
}

// own tells whether the set is whatever the user calls so: nothing published says what is in it, so that another one than
// the one that was named would be other data.
func (s *source) own() bool { return s.files == nil && s.providers == nil && !s.generated() }

// present looks for the set in p: all files in it or, for an image tree, a folder train in it, p itself as a tar, or a
// tar beside it unless the user has named p. It returns the place to read from, or what is lacking.
func (s *source) present(p place) (at, lacking string) {
	st, err := os.Stat(p.path)
	if s.files == nil {
		return s.presentTree(p, st)
	}
	if err != nil {
		return "", "is not there"
	}
	var names []string
	for _, f := range s.files {
		if _, err := f.find(p.path); errors.Is(err, fs.ErrNotExist) {
			names = append(names, f.name)
		} else if err != nil {
			return "", err.Error()
		}
	}
	if names == nil {
		return p.path, ""
	}
	return "", "lacks " + strings.Join(names, ", ")
}

func (s *source) presentTree(p place, st fs.FileInfo) (at, lacking string) {
	if st != nil && !st.IsDir() {
		if err := regular(p.path, st.Mode()); err != nil {
			return "", err.Error()
		}
		for _, ext := range []string{".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".zip"} {
			if strings.HasSuffix(strings.ToLower(p.path), ext) {
				return "", "is packed, and images are read in place: unpack it and name the folder, or unpack it to a .tar"
			}
		}
		if filepath.Ext(p.path) == ".tar" {
			return p.path, ""
		}
		return "", "is no folder and no .tar"
	}
	if st != nil {
		if train, err := os.Stat(filepath.Join(p.path, "train")); err == nil && train.IsDir() {
			return p.path, ""
		}
	}
	if !p.named {
		tar := p.path + ".tar"
		if st, err := os.Stat(tar); err == nil && st.Mode().IsRegular() {
			return tar, ""
		}
	}
	if st == nil {
		return "", "is not there"
	}
	return "", "has no folder train"
}

// cache is the set's folder in the cache, made if it is not there, or why there is none that can be written.
func (s *source) cache() (string, error) {
	root, err := CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, s.Name)
	return dir, writable(dir)
}

// missing is the error that says how to put the set's files where they are found: into its folder in the cache, if there
// is one.
func (s *source) missing(opt Options, cache string) *NotFoundError {
	if s.files == nil {
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
	for _, f := range s.files {
		if _, err := f.find(cache); cache == "" || err != nil {
			e.Files = append(e.Files, f.name)
		}
	}
	if last := len(e.Files) - 1; last >= 0 {
		e.Files[last] += " (plain or .gz)"
	}
	return e
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

// locate returns a place that holds the set. The files' content is checked when it is read.
func (s *source) locate(ctx context.Context, opt Options) (string, error) {
	if s.generated() {
		return "", nil
	}
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
		tried = append(tried, p.path+": "+strings.TrimPrefix(lacking, p.path+": "))
	}
	cache, noCache := "", error(nil)
	if s.providers != nil {
		cache, noCache = s.cache()
	} else if root, err := CacheDir(); err == nil {
		cache = filepath.Join(root, s.Name)
	}
	missing := s.missing(opt, cache)
	missing.Tried, missing.NoCache = tried, noCache
	for _, p := range s.providers {
		if at := p.byHand(); at != "" {
			missing.Sources = append(missing.Sources, at)
		}
		r := request{files: s.files, places: places, cache: cache, offline: opt.Offline, progress: opt.Progress}
		var at string
		err := errNoCache
		if noCache == nil || !p.writes() {
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
func (s *source) fetch(ctx context.Context, p provider, r request) (string, error) {
	if p.writes() {
		lock, err := r.lock(ctx)
		if err != nil {
			return "", err
		}
		defer lock.Unlock()
		for _, dir := range r.places {
			if at, lacking := s.present(dir); lacking == "" { // another process was first
				return at, nil
			}
		}
	}
	dir, err := p.provide(ctx, r)
	if err != nil {
		return "", err
	}
	at, lacking := s.present(place{dir, true})
	if lacking != "" {
		return "", fmt.Errorf("%s, which it gave, %s", dir, lacking)
	}
	return at, nil
}

// lock takes the lock of the set's folder in the cache, and waits for it.
func (r request) lock(ctx context.Context) (*flock.Flock, error) {
	at := filepath.Join(r.cache, ".lock")
	if st, err := os.Stat(at); err == nil {
		if err := regular(at, st.Mode()); err != nil { // opening a pipe would wait
			return nil, err
		}
	}
	lock := flock.New(at)
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return nil, fmt.Errorf("locking %s: %w", r.cache, err)
	}
	return lock, nil
}

// workspace makes an empty folder in the cache for a provider's intermediate files, and a function that removes it. What
// a killed process left there is removed first: the caller holds the lock.
func (r request) workspace() (dir string, remove func(), err error) {
	dir = filepath.Join(r.cache, "work")
	if err := os.RemoveAll(dir); err != nil {
		return "", nil, err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", nil, err
	}
	return dir, func() { os.RemoveAll(dir) }, nil
}
