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
	fmt.Stringer // for messages: what a user would have to get by hand
	// provide returns a folder that holds all of files. It may write below cache, the set's own folder, and nowhere else.
	provide(ctx context.Context, files []file, cache string, progress Progress) (dir string, err error)
}

// NotFoundError says where the files of a set were looked for, and how to put them there by hand.
type NotFoundError struct {
	Files   []string
	Tried   []string // a line each: the place and what was wrong with it
	Sources []string // where the files can be had
	Put     string   // the folder in which they would be found
}

func (e *NotFoundError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "its files are not here and could not be had\n")
	for _, t := range e.Tried {
		fmt.Fprintf(&b, "\t%s\n", t)
	}
	fmt.Fprintf(&b, "\tby hand: put %s (plain or .gz)", strings.Join(e.Files, ", "))
	if len(e.Sources) > 0 {
		fmt.Fprintf(&b, " from %s", strings.Join(e.Sources, " or "))
	}
	fmt.Fprintf(&b, " into %s", e.Put)
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

// folders lists where the set may lie, in order of preference; the last is its folder in the cache.
func (s *source) folders(opt Options) ([]string, error) {
	var dirs []string
	if opt.Dir != "" {
		if _, err := os.Stat(opt.Dir); err != nil {
			return nil, fmt.Errorf("folder given for it: %w", err)
		}
		dirs = append(dirs, opt.Dir, filepath.Join(opt.Dir, s.Name))
	}
	for _, dir := range SearchPath() {
		dirs = append(dirs, filepath.Join(dir, s.Name))
	}
	cache, err := CacheDir()
	if err != nil {
		return nil, err
	}
	return append(dirs, filepath.Join(cache, s.Name)), nil
}

// locate returns a folder that holds all files of s. Their content is checked when it is read.
func (s *source) locate(ctx context.Context, opt Options) (string, error) {
	if s.files == nil {
		return "", nil
	}
	dirs, err := s.folders(opt)
	if err != nil {
		return "", err
	}
	cache := dirs[len(dirs)-1]
	missing := &NotFoundError{Put: cache}
	for _, f := range s.files {
		missing.Files = append(missing.Files, f.name)
	}
	for _, dir := range dirs {
		lacking := lacks(s.files, dir)
		if lacking == nil {
			return dir, nil
		}
		missing.Tried = append(missing.Tried, fmt.Sprintf("%s: lacks %s", dir, strings.Join(lacking, ", ")))
	}
	for _, p := range s.providers {
		missing.Sources = append(missing.Sources, p.String())
		if opt.Offline {
			continue
		}
		dir, err := s.fetch(ctx, p, cache, opt.Progress)
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		var hash *HashError
		switch {
		case errors.As(err, &hash):
			return "", err
		case err != nil:
			missing.Tried = append(missing.Tried, fmt.Sprintf("%s: %v", p, err))
			continue
		}
		if lacking := lacks(s.files, dir); lacking != nil {
			missing.Tried = append(missing.Tried, fmt.Sprintf("%s: gave %s, which lacks %s", p, dir, strings.Join(lacking, ", ")))
			continue
		}
		return dir, nil
	}
	return "", missing
}

// fetch lets p provide the files, while no other process does so for the same set.
func (s *source) fetch(ctx context.Context, p provider, cache string, progress Progress) (string, error) {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	lock := flock.New(filepath.Join(cache, ".lock"))
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return "", fmt.Errorf("locking %s: %w", cache, err)
	}
	defer lock.Unlock()
	if lacks(s.files, cache) == nil { // another process was first
		return cache, nil
	}
	return p.provide(ctx, s.files, cache, progress)
}

// lacks names the files that are not in dir.
func lacks(files []file, dir string) []string {
	var names []string
	for _, f := range files {
		if _, ok := f.find(dir); !ok {
			names = append(names, f.name)
		}
	}
	return names
}
