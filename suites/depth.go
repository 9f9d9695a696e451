package suites

import "strings"

// maxDepth bounds how many lists and tables of a suite may lie in each other,
// and how many parts a dotted key may have.
const maxDepth = 8

// tooDeep returns the first line on which a TOML text nests deeper than
// maxDepth, 0 if none does. The TOML package keeps the whole path of every key:
// 16 KB of "a.a.a.…" cost it 15 seconds and 2.6 GB.
func tooDeep(text string) (line int) {
	line = 1
	depth, dots := 0, 0
	for text != "" {
		tok, rest := token(text)
		switch tok[0] {
		case '\n':
			dots = 0
		case '.':
			dots++
		case '[', '{':
			depth++
			dots = 0
		case ']', '}':
			depth = max(depth-1, 0)
			dots = 0
		case '=', ',':
			dots = 0
		}
		if depth > maxDepth || dots >= maxDepth {
			return line
		}
		line += strings.Count(tok, "\n")
		text = rest
	}
	return 0
}
