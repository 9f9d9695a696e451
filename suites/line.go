package suites

import (
	"strconv"
	"strings"
)

// file is a suite's text, for the line that an error names. The TOML package
// knows lines only while it decodes; values are judged later than that.
type file struct {
	name string
	text string
}

// line finds a dotted path such as "train.epochs" or "method#2.of.members";
// where the key is not written, the line of the nearest table around it.
func (f *file) line(path string) int {
	best, at := 0, 1
	table := ""
	seen := map[string]int{}
	for i, l := range strings.Split(f.text, "\n") {
		l = strings.TrimSpace(l)
		full := ""
		if head, ok := strings.CutPrefix(l, "[["); ok {
			name, _, _ := strings.Cut(head, "]")
			name = strings.TrimSpace(name)
			table = name + "#" + strconv.Itoa(seen[name])
			seen[name]++
			full = table
		} else if head, ok := strings.CutPrefix(l, "["); ok {
			name, _, _ := strings.Cut(head, "]")
			name = strings.TrimSpace(name)
			// A subtable of the last [[name]] belongs to that entry.
			if first, rest, ok := strings.Cut(name, "."); ok && seen[first] > 0 {
				name = first + "#" + strconv.Itoa(seen[first]-1) + "." + rest
			}
			table, full = name, name
		} else if key, _, ok := strings.Cut(l, "="); ok && !strings.HasPrefix(l, "#") {
			full = strings.TrimPrefix(table+"."+strings.Trim(strings.TrimSpace(key), `"'`), ".")
		} else {
			continue
		}
		if full == path {
			return i + 1
		}
		if strings.HasPrefix(path, full+".") && len(full) > best {
			best, at = len(full), i+1
		}
	}
	return at
}
