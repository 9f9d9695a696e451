package suites

import (
	"iter"
	"strconv"
	"strings"
)

// token splits off the first token of a TOML text, as far as finding keys takes: a
// string, a comment without its newline, or one byte.
func token(text string) (tok, rest string) {
	n := 1
	if quote := opening(text); quote != "" {
		n = len(text) - len(afterString(text, quote))
	} else if text[0] == '#' {
		if n = strings.IndexByte(text, '\n'); n < 0 {
			n = len(text)
		}
	}
	return text[:n], text[n:]
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

// statements yields the line of each key and of each table's header, with the text from
// there on. What stands in a string, a list or an inline table is none.
func statements(text string) iter.Seq2[int, string] {
	return func(yield func(line int, text string) bool) {
		line, depth, inside := 1, 0, false
		for text != "" {
			tok, rest := token(text)
			switch tok[0] {
			case '\n':
				inside = inside && depth > 0
			case ' ', '\t', '\r', '#':
			default:
				if !inside && !yield(line, text) {
					return
				}
				inside = true
			}
			switch tok[0] {
			case '[', '{':
				depth++
			case ']', '}':
				depth--
			}
			line += strings.Count(tok, "\n")
			text = rest
		}
	}
}

// key is the dotted key at the start of text, its parts without their quotes.
func key(text string) string {
	var parts []string
	for {
		text = strings.TrimLeft(text, " \t")
		var part string
		if quote := opening(text); quote != "" {
			part, text = token(text)
			if whole, err := strconv.Unquote(part); err == nil {
				part = whole
			}
			part = strings.Trim(part, quote)
		} else {
			end := strings.IndexAny(text, " \t\r\n.=]")
			if end < 0 {
				end = len(text)
			}
			part, text = text[:end], text[end:]
		}
		parts = append(parts, part)
		text = strings.TrimLeft(text, " \t")
		if !strings.HasPrefix(text, ".") {
			return strings.Join(parts, ".")
		}
		text = text[1:]
	}
}
