package fetch

import (
	"fmt"
	"os"
	"path/filepath"
)

// CacheDir is where sets that had to be fetched or decoded are kept: bayesbench below
// $XDG_CACHE_HOME or, if that is not set, below os.UserCacheDir.
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

// SearchPath is the list of folders that hold data sets by name, in the environment variable
// BAYESBENCH_DATA.
func SearchPath() []string {
	var dirs []string
	for _, dir := range filepath.SplitList(os.Getenv("BAYESBENCH_DATA")) {
		if dir != "" {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// Place is a folder, or for image trees a tar, in which a set may lie.
type Place struct {
	Path  string
	Named bool // the user has named it: what lies beside it is something else
}

// places lists where the set may lie, in order of preference, those in the cache last.
func (s *Set) places(opt Options) ([]Place, error) {
	var all []Place
	under := func(dir string) {
		for _, name := range append([]string{s.Name}, s.Aliases...) {
			all = append(all, Place{Path: filepath.Join(dir, name)})
		}
	}
	if opt.Dir != "" {
		st, err := os.Stat(opt.Dir)
		if err != nil {
			return nil, fmt.Errorf("folder given for it: %w", err)
		}
		all = append(all, Place{opt.Dir, true})
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
		all = append(all, Place{Path: cache})
		for _, name := range s.Aliases {
			all = append(all, Place{Path: filepath.Join(cache, name)})
		}
	}
	return all, nil
}
