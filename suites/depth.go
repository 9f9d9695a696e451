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
		if quote := opening(text); quote != "" {
			inside := text[:len(text)-len(afterString(text, quote))]
			line += strings.Count(inside, "\n")
			text = text[len(inside):]
			continue
		}
		switch text[0] {
		case '#':
			end := strings.IndexByte(text, '\n')
			if end < 0 {
				return 0
			}
			text = text[end:]
			continue
		case '\n':
			line++
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
		text = text[1:]
	}
	return 0
}

// opening is the quote that a string at the start of text begins with, "" if
// there is no string.
func opening(text string) string {
	for _, quote := range []string{`"""`, `'''`, `"`, `'`} {
		if strings.HasPrefix(text, quote) {
			return quote
		}
	}
	return ""
}

// afterString is what follows the string at the start of text. A string that
// does not end goes to the end of its line, or of the text.
func afterString(text, quote string) string {
	rest := text[len(quote):]
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, quote):
			rest = rest[len(quote):]
			for n := 0; len(quote) == 3 && n < 2 && strings.HasPrefix(rest, quote[:1]); n++ {
				rest = rest[1:] // """a""""" ends in two quotes of its own
			}
			return rest
		case quote[0] == '"' && rest[0] == '\\' && len(rest) > 1 && rest[1] != '\n':
			rest = rest[2:]
		case len(quote) == 1 && rest[0] == '\n':
			return rest
		default:
			rest = rest[1:]
		}
	}
	return rest
}
