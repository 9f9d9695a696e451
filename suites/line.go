package suites

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// file is a suite's text, for the line that an error names. The TOML package
// knows lines only while it decodes; values are judged later than that.
type file struct {
	name  string
	text  string
	words *Vocabulary
	sums  map[string]string // of the contents of files that were found, by path
	// What -set changed. A value from there stands on no line.
	set []change
}

// change is where an override went, and the override as it was given.
type change struct{ path, text string }

// place is where the value of a dotted path was written: "suite.toml:3", or
// -set with the last override that wrote it. With names the overrides beside a
// line of the file, which may be what does not fit there.
func (f *file) place(path string) (at, with string) {
	line, written := f.line(path)
	// A value that a method chooses stands in its list.
	for i := range path {
		if path[i] == '.' && !written {
			if at, listed := f.line(path[:i] + "." + chosen + ".among" + path[i:]); listed {
				line, written = at, true
			}
		}
	}
	var others []string
	for _, c := range f.set {
		said := fmt.Sprintf("-set %q", shortened(c.text))
		// An override of the value, of a table around it, or of what is in a
		// table that the file has not.
		if path == c.path || strings.HasPrefix(path, c.path+".") || !written && path != "" && strings.HasPrefix(c.path, path+".") {
			at = said
		}
		others = append(others, said)
	}
	if at != "" {
		return at, ""
	}
	if others = slices.Compact(others); len(others) > 0 {
		with = " (with " + strings.Join(others, ", ") + ")"
	}
	return fmt.Sprintf("%s:%d", f.name, line), with
}

// shortened is a text of at most 100 characters, the end of a longer one left
// out.
func shortened(s string) string {
	const most = 100
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// line finds a dotted path such as "train.epochs" or "method#2.of.members";
// where the key is not written, the line of the nearest table around it.
func (f *file) line(path string) (at int, written bool) {
	best, at := 0, 1
	table := ""
	seen := map[string]int{}
	for line, text := range statements(f.text) {
		var full string
		switch {
		case strings.HasPrefix(text, "[["):
			name := key(text[2:])
			table = name + "#" + strconv.Itoa(seen[name])
			seen[name]++
			full = table
		case text[0] == '[':
			name := key(text[1:])
			// A subtable of the last [[name]] belongs to that entry.
			if first, rest, ok := strings.Cut(name, "."); ok && seen[first] > 0 {
				name = first + "#" + strconv.Itoa(seen[first]-1) + "." + rest
			}
			table, full = name, name
		default:
			full = strings.TrimPrefix(table+"."+key(text), ".")
		}
		if full == path {
			return line, true
		}
		rest, within := strings.CutPrefix(path, full)
		if within && (rest[0] == '.' || rest[0] == '#') && len(full) > best {
			best, at = len(full), line
		}
	}
	return at, false
}
