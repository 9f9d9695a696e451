package tidy

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
)

// WriteJSONLines writes each row as a JSON object on a line of its own (jsonlines.org), its keys in
// the order of the columns. A missing cell is null. So is an infinite number, which JSON cannot
// hold; Infinite counts those.
func (t Table) WriteJSONLines(w io.Writer) error {
	out := bufio.NewWriter(w)
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = quoted(c.Name)
	}
	for _, row := range t.Rows {
		out.WriteByte('{')
		for i, cell := range row {
			if i > 0 {
				out.WriteString(", ")
			}
			out.WriteString(names[i])
			out.WriteString(": ")
			switch kind := t.Columns[i].Kind; {
			case cell == "" || kind == Number && infinite(cell):
				out.WriteString("null")
			case kind == Text:
				out.WriteString(quoted(cell))
			default:
				out.WriteString(strings.TrimPrefix(cell, "+"))
			}
		}
		out.WriteString("}\n")
	}
	return out.Flush()
}

// Infinite counts the numbers of the table that are infinite.
func (t Table) Infinite() int {
	n := 0
	for i, c := range t.Columns {
		for _, row := range t.Rows {
			if c.Kind == Number && infinite(row[i]) {
				n++
			}
		}
	}
	return n
}

func infinite(cell string) bool { return strings.HasSuffix(cell, "Inf") }

// quoted is a JSON string.
func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always has a JSON form
	}
	return string(b)
}
