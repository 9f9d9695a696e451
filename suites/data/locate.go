package data

import (
	"context"
	"errors"
	"fmt"
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
	// provide returns a folder or tar that holds the set. It may write below r.cache, and nowhere else.
	provide(ctx context.Context, r request) (place string, err error)
}

// request is what a provider is asked for.
type request struct {
	files    []file   // nil for image trees
	folders  []string // where an archive of the set may already lie
	cache    string   // the set's folder in the cache; it exists and is locked
	offline  bool     // make do with what is on disk
	progress Progress
}

var errOffline = errors.New("not tried: offline")

// NotFoundError says where the files of a set were looked for, and how to put them there by hand.
type NotFoundError struct {
	Files   []string
	Tried   []string // a line each: the place and what was wrong with it
	Sources []string // where the files can be had by hand
	Put     string   // the folder in which they would be found
}

func (e *NotFoundError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "its files are not here and could not be had\n")
	for _, t := range e.Tried {
		fmt.Fprintf(&b, "\t%s\n", t)
	}
	fmt.Fprintf(&b, "\tby hand: put %s into %s", strings.Join(e.Files, ", "), e.Put)
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
			return "", fmt.Errorf("no place for the data cache: %w; set XDG_CACHE_HOME", err)
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

// folders lists where the set may lie, in order of preference, and its folder in the cache.
func (s *source) folders(opt Options) (all []string, cache string, err error) {
	var aliases []string
	if s.aliases != nil {
		aliases = s.aliases(opt)
	}
	under := func(dir string) {
		for _, name := range append([]string{s.Name}, aliases...) {
			all = append(all, filepath.Join(dir, name))
		}
	}
	if opt.Dir != "" {
		if _, err := os.Stat(opt.Dir); err != nil {
			return nil, "", fmt.Errorf("folder given for it: %w", err)
		}
		all = append(all, opt.Dir)
		under(opt.Dir)
	}
	for _, dir := range SearchPath() {
		under(dir)
	}
	root, err := CacheDir()
	if err != nil {
		return nil, "", err
	}
	cache = filepath.Join(root, s.Name)
	all = append(all, cache)
	for _, name := range aliases {
		all = append(all, filepath.Join(cache, name))
	}
	return all, cache, nil
}

// present looks for the set in dir: all files in it or, for an image tree, a folder train in it, dir.tar, or dir itself
// as a tar. It returns the place to read from, or what is lacking.
func (s *source) present(dir string) (place, lacking string) {
	st, err := os.Stat(dir)
	if s.files == nil {
		tar := dir + ".tar"
		if err == nil && !st.IsDir() {
			tar = dir
		}
		if st, err := os.Stat(tar); err == nil && st.Mode().IsRegular() && filepath.Ext(tar) == ".tar" {
			return tar, ""
		}
		if st, err := os.Stat(filepath.Join(dir, "train")); err == nil && st.IsDir() {
			return dir, ""
		}
	}
	if err != nil {
		return "", "is not there"
	}
	if s.files == nil {
		return "", "has no folder train and is no tar"
	}
	var names []string
	for _, f := range s.files {
		if _, ok := f.find(dir); !ok {
			names = append(names, f.name)
		}
	}
	if names == nil {
		return dir, ""
	}
	return "", "lacks " + strings.Join(names, ", ")
}

// locate returns a place that holds the set. The files' content is checked when it is read.
func (s *source) locate(ctx context.Context, opt Options) (string, error) {
	if s.generated() {
		return "", nil
	}
	folders, cache, err := s.folders(opt)
	if err != nil {
		return "", err
	}
	missing := &NotFoundError{Put: cache}
	for _, f := range s.files {
		if _, ok := f.find(cache); !ok {
			missing.Files = append(missing.Files, f.name)
		}
	}
	if s.files == nil {
		missing.Files = []string{"train/<class>/*.JPEG and val/<class>/*.JPEG"}
		missing.Put += ", or a tar of them at " + cache + ".tar"
	} else if last := len(missing.Files) - 1; last >= 0 {
		missing.Files[last] += " (plain or .gz)"
	}
	for _, dir := range folders {
		place, lacking := s.present(dir)
		if lacking == "" {
			return place, nil
		}
		missing.Tried = append(missing.Tried, dir+": "+lacking)
	}
	for _, p := range s.providers {
		if at := p.byHand(); at != "" {
			missing.Sources = append(missing.Sources, at)
		}
		place, err := s.fetch(ctx, p, request{s.files, folders, cache, opt.Offline, opt.Progress})
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		var hash *HashError
		switch {
		case err == nil:
			return place, nil
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
	if err := os.MkdirAll(r.cache, 0o755); err != nil {
		return "", err
	}
	lock := flock.New(filepath.Join(r.cache, ".lock"))
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return "", fmt.Errorf("locking %s: %w", r.cache, err)
	}
	defer lock.Unlock()
	for _, dir := range r.folders {
		if place, lacking := s.present(dir); lacking == "" { // another process was first
			return place, nil
		}
	}
	dir, err := p.provide(ctx, r)
	if err != nil {
		return "", err
	}
	place, lacking := s.present(dir)
	if lacking != "" {
		return "", fmt.Errorf("%s, which it gave, %s", dir, lacking)
	}
	return place, nil
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
