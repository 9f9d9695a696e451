package data

import (
	"fmt"
	"slices"
	"strings"

	"bayesbench/suites/data/fetch"
)

// Skipped says which files of a data set were not read, and why.
type Skipped struct {
	Reason   Reason
	Count    int
	Examples []string // the first maxExamples paths in byte order
}

// Reason is why files were not read, in words.
type Reason string

const (
	// Hidden files and folders start with a dot, or are what a system leaves in folders (Thumbs.db,
	// __MACOSX, …). A folder counts once.
	Hidden Reason = "hidden, or left there by a system"
	// Beside train and val lies what the layout does not name. A folder counts once.
	Beside Reason = "beside train and val"
	// NoImage is text and the like.
	NoImage Reason = "no image by its name"
	// Unsupported is whatever else there is, among it images in formats that are not decoded.
	Unsupported Reason = "in a format that is not read"
	// NotListed are lines of val_annotations.txt.
	NotListed Reason = "listed in " + annotations + ", but not there"
	// Untested are classes of train.
	Untested Reason = "a class of train without an image in val"
	// Empty are class folders of val.
	Empty Reason = "a class folder without an image"
)

// Lost tells whether content that the set was meant to have may be missing for this reason.
// Otherwise what was skipped is no part of any set.
func (r Reason) Lost() bool {
	switch r {
	case Unsupported, NotListed, Untested, Empty:
		return true
	}
	return false
}

// maxExamples bounds the paths that are kept of a reason.
const maxExamples = 5

func (s Skipped) String() string {
	more := ""
	if n := s.Count - len(s.Examples); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	examples := make([]string, len(s.Examples))
	for i, path := range s.Examples {
		examples[i] = fetch.Printable(path)
	}
	return fmt.Sprintf("%d skipped, %s: %s%s", s.Count, s.Reason, strings.Join(examples, ", "), more)
}

// skips counts what is skipped.
type skips map[Reason]*Skipped

func (k skips) add(why Reason, path string) {
	s := k[why]
	if s == nil {
		s = &Skipped{Reason: why}
		k[why] = s
	}
	s.add(path)
}

// add counts a path. Only the least are kept, so that the order in which they are found does not
// matter.
func (s *Skipped) add(path string) {
	s.Count++
	if at, _ := slices.BinarySearch(s.Examples, path); at < maxExamples {
		s.Examples = slices.Insert(s.Examples, at, path)
		s.Examples = s.Examples[:min(len(s.Examples), maxExamples)]
	}
}

// paths are the examples, none of nil.
func (s *Skipped) paths() []string {
	if s == nil {
		return nil
	}
	return s.Examples
}

// list is what was skipped, by reason.
func (k skips) list() []Skipped {
	var all []Skipped
	for _, s := range k {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b Skipped) int { return strings.Compare(string(a.Reason), string(b.Reason)) })
	return all
}
