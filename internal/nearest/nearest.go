// Package nearest finds what a mistyped name was meant to be.
package nearest

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Name is the one of names that s was most likely meant to be: the first, in
// order of the alphabet, that s begins, else the one with the smallest edit
// distance. It is "" where there are no names.
func Name(s string, names []string) string {
	names = slices.Sorted(slices.Values(names))
	best, nearest := 1<<30, ""
	for _, n := range names {
		d := levenshtein.ComputeDistance(s, n)
		if s != "" && strings.HasPrefix(n, s) {
			d = 0
		}
		if d < best {
			best, nearest = d, n
		}
	}
	return nearest
}
