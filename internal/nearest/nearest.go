package nearest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Name is the one of names that s was most likely meant to be: what [Same]
// finds, else the first in order of the alphabet that s begins, else the one
// with the smallest edit distance. It is "" where there are no names.
func Name(s string, names []string) string {
	if same := Same(s, names); same != "" {
		return same
	}
	names = slices.Sorted(slices.Values(names))
	best, nearest := 1<<30, ""
	for _, n := range names {
		d := distance(s, n)
		if s != "" && strings.HasPrefix(n, s) {
			d = 0
		}
		if d < best {
			best, nearest = d, n
		}
	}
	return nearest
}

// Same is the one of names that means the same as s: s written with other
// cases, hyphens or underscores, or in the words of other tools. It is "" where
// there is none.
func Same(s string, names []string) string {
	plain := fold(s)
	if plain == "" {
		return ""
	}
	names = slices.Sorted(slices.Values(names))
	for _, word := range append([]string{plain}, elsewhere[plain]...) {
		for _, n := range names {
			if fold(n) == fold(word) {
				return n
			}
		}
	}
	return ""
}

// Close is Name where s looks like it, as its beginning of three letters or
// more, or at an edit distance of no more than two or a third of its letters,
// and "" elsewhere: for a word that may have been meant to be none of the names.
func Close(s string, names []string) string {
	n := Name(s, names)
	if Same(s, names) != "" || len(s) > 2 && strings.HasPrefix(n, s) || distance(s, n) <= max(2, len(s)/3) {
		return n
	}
	return ""
}

// maxListed is how many names Hint lists.
const maxListed = 16

// Hint ends an error about a name that is none of names: with the one that s
// is close to, else with what there is. It is "" where there are no names.
func Hint(s string, names []string) string {
	if n := Close(s, names); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	if len(names) == 0 {
		return ""
	}
	names = slices.Sorted(slices.Values(names))
	if len(names) > maxListed {
		names = append(names[:maxListed], "…")
	}
	return "; want one of " + strings.Join(names, ", ")
}

// distance counts the letters to insert, delete or replace, whatever their case.
func distance(a, b string) int {
	return levenshtein.ComputeDistance(strings.ToLower(a), strings.ToLower(b))
}

// fold leaves out what people write differently: cases, hyphens, underscores,
// spaces and colons.
func fold(s string) string { return apart.Replace(strings.ToLower(s)) }

var apart = strings.NewReplacer("-", "", "_", "", " ", "", ":", "")
