package tidy

import (
	"encoding/csv"
	"io"
	"strings"
)

// WriteCSV writes a line of names and a line for each row (RFC 4180). A missing cell is empty. An
// infinite number is inf or -inf, which pandas, polars and R read.
func (t Table) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	out.Write(names)
	line := make([]string, len(t.Columns))
	for _, row := range t.Rows {
		for i, cell := range row {
			line[i] = cell
			if t.Columns[i].Kind == Number && strings.HasSuffix(cell, "Inf") {
				line[i] = strings.TrimPrefix(strings.ToLower(cell), "+")
			}
		}
		out.Write(line)
	}
	out.Flush()
	return out.Error()
}
