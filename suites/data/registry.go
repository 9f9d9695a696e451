package data

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"bayesbench/internal/nearest"
	"bayesbench/suites/data/fetch"
)

// source is a registered data set: what it is, which files make it up, who can provide them, how
// they are read.
type source struct {
	Info
	files     []fetch.File               // a complete copy; nil for image trees and generated sets
	folder    string                     // of its files in places that hold sets by name; "" is the set's name
	group     string                     // what its files are fetched with (see Members); "" is nothing
	aliases   func(opt Options) []string // other names of its folder or tar, in order of preference; may be nil
	providers []fetch.Provider           // where a copy comes from that is not on disk, in order of preference
	// load reads the set from the place where it was found.
	load func(ctx context.Context, info Info, place string, opt Options) (*Set, error)
}

// generated tells whether the set needs no files.
func (s *source) generated() bool { return s.files == nil && !s.anySize() }

// locate returns a place that holds the set, or "" for one that is generated. The files' content is
// checked when it is read.
func (s *source) locate(ctx context.Context, opt Options) (string, error) {
	if s.generated() {
		return "", nil
	}
	set := fetch.Set{Name: cmp.Or(s.folder, s.Name), Files: s.files, Providers: s.providers}
	if s.aliases != nil {
		set.Aliases = s.aliases(opt)
	}
	return set.Locate(ctx, fetch.Options{Dir: opt.Dir, Offline: opt.Offline, Progress: opt.Progress})
}

var sources = map[string]*source{}

// register is called by each data set's own file.
func register(s *source) {
	if _, twice := sources[s.Name]; twice {
		panic("data: " + s.Name + " is registered twice")
	}
	sources[s.Name] = s
}

// List describes the data sets that Open knows, by name.
func List() []Info {
	var infos []Info
	for _, name := range names() {
		infos = append(infos, sources[name].describe())
	}
	return infos
}

// Describe describes the data set of that name, of which only the part before "+" counts.
func Describe(name string) (Info, error) {
	name, _, _ = strings.Cut(name, "+")
	s, err := lookup(name)
	if err != nil {
		return Info{}, err
	}
	return s.describe(), nil
}

// describe is a copy, so that a caller may write to it.
func (s *source) describe() Info {
	info := s.Info
	info.Shape = slices.Clone(info.Shape)
	return info
}

// Members lists the sets that a name stands for where files are fetched or verified: "uci" stands
// for every set of the UCI archive, any other name for itself.
func Members(name string) []string {
	var members []string
	for _, other := range names() {
		if sources[other].group == name {
			members = append(members, other)
		}
	}
	if members == nil {
		return []string{name}
	}
	return members
}

func names() []string {
	var all []string
	for name := range sources {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// lookup returns the data set of that name, or an error that names the nearest.
func lookup(name string) (*source, error) { return Options{}.lookup(name) }

// lookup is that of the package, whose error also knows the sets of the user's own.
func (opt Options) lookup(name string) (*source, error) {
	if s, ok := sources[name]; ok {
		return s, nil
	}
	all := slices.Sorted(maps.Keys(opt.Own))
	all = append(all, names()...)
	return nil, fmt.Errorf("no data set %q; did you mean %q? (there are %s)", name, nearest.Name(name, all), strings.Join(all, ", "))
}

// Open finds, checks and reads the data set of that name; "set+corruption-N", such as
// cifar10+fog-3, has its test split corrupted (see package corrupt). It fails with a
// *fetch.NotFoundError if the files are nowhere, and with a *fetch.HashError if a file is not the
// one published.
func Open(ctx context.Context, name string, opt Options) (*Set, error) {
	base, corruption, isShifted := strings.Cut(name, "+")
	set, err := opt.open(ctx, base)
	if err == nil && isShifted {
		err = set.shift(ctx, corruption, opt)
	}
	if err != nil {
		return nil, fmt.Errorf("data set %q: %w", name, err)
	}
	if err := set.choose(opt); err != nil {
		return nil, fmt.Errorf("data set %q: %w", name, err)
	}
	if err := set.note(); err != nil {
		return nil, fmt.Errorf("data set %q: %w", name, err)
	}
	return set, nil
}

// open opens a set without regard to the options that choose examples of it.
func (opt Options) open(ctx context.Context, name string) (*Set, error) {
	if own := opt.Own[name]; own != nil {
		return own.open(ctx, name, opt)
	}
	s, err := opt.lookup(name)
	if err != nil {
		return nil, err
	}
	return s.open(ctx, opt)
}

// checkOptions refuses a size or a split that the set does not have.
func (info Info) checkOptions(opt Options) error {
	switch n := max(info.Splits, 1); {
	case opt.Size != 0 && !info.images():
		return unfit("size", "size %d: only images have a size, and its examples are %s", opt.Size, info.Examples)
	case opt.Size != 0 && !info.anySize() && opt.Size != info.Shape[1]:
		return unfit("size", "size %d: its images are %dx%d", opt.Size, info.Shape[1], info.Shape[2])
	case n == 1 && opt.Split != 0:
		return unfit("split", "split %d: it has one split, 0", opt.Split)
	case opt.Split < 0 || opt.Split >= n:
		return unfit("split", "split %d: it has %d splits, 0 to %d", opt.Split, n, n-1)
	}
	return nil
}

func (s *source) open(ctx context.Context, opt Options) (*Set, error) {
	if err := s.checkOptions(opt); err != nil {
		return nil, err
	}
	place, err := s.locate(ctx, opt)
	if err != nil {
		return nil, err
	}
	set, err := s.load(ctx, s.Info, place, opt)
	if err != nil {
		return nil, err
	}
	set.From = place
	return set, nil
}
