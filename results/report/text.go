package report

import (
	"io"
	"strings"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Style says how text tables look.
type Style struct {
	Color bool // only on a terminal
	Width int  // columns of the terminal; a wider table is broken into several under each other. 0 never breaks.
}

// WriteText writes the tables for a terminal.
func WriteText(w io.Writer, tables []Table, style Style) error {
	var out strings.Builder
	for i := range tables {
		if i > 0 {
			out.WriteByte('\n')
		}
		t := &tables[i]
		out.WriteString(strings.TrimSpace(t.Title) + "\n")
		for k, columns := range t.breakColumns(style.Width) {
			if k > 0 {
				out.WriteByte('\n')
			}
			out.WriteString(t.renderText(columns, style) + "\n")
		}
		for _, line := range t.legend() {
			out.WriteString(wrap(line, style.Width) + "\n")
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// breakColumns parts the columns into groups that fit the width together with the row labels.
func (t *Table) breakColumns(width int) [][]int {
	const padding = 3
	labels := padding + len(t.Over)
	for k, head := range t.RowHeads {
		widest := utf8.RuneCountInString(head)
		for _, r := range t.Rows {
			widest = max(widest, utf8.RuneCountInString(r.shown()[k]))
		}
		labels += widest + padding
	}
	var groups [][]int
	used := 0
	for j, col := range t.Columns {
		widest, decimals := utf8.RuneCountInString(col.Head+col.arrow()), t.decimals(j)
		for _, r := range t.Rows {
			widest = max(widest, utf8.RuneCountInString(t.text(r.Cells[j], decimals)))
		}
		if len(groups) == 0 || width > 0 && used+widest+padding > width {
			groups, used = append(groups, nil), labels
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], j)
		used += widest + padding
	}
	return groups
}

func (t *Table) renderText(columns []int, style Style) string {
	w := table.NewWriter()
	w.SetStyle(table.StyleLight)
	w.Style().Options = table.Options{DrawBorder: false, SeparateColumns: false, SeparateHeader: true}
	w.Style().Format.Header = text.FormatDefault
	w.SuppressTrailingSpaces()

	head := table.Row{}
	var configs []table.ColumnConfig
	for _, h := range t.RowHeads {
		head = append(head, h)
	}
	head = append(head, t.Over)
	configs = append(configs, table.ColumnConfig{Number: len(head), Align: text.AlignRight})
	for _, j := range columns {
		head = append(head, t.Columns[j].Head+t.Columns[j].arrow())
		configs = append(configs, table.ColumnConfig{Number: len(head), Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	w.AppendHeader(head)
	w.SetColumnConfigs(configs)

	best, decimals := t.best(), t.allDecimals()
	hang := make([]int, len(t.Columns)) // width of the widest mark
	for _, j := range columns {
		for _, r := range t.Rows {
			hang[j] = max(hang[j], utf8.RuneCountInString(r.Cells[j].mark()))
		}
		hang[j] = max(hang[j], 1)
	}
	for i, r := range t.Rows {
		row := table.Row{}
		for _, l := range r.shown() {
			row = append(row, l)
		}
		row = append(row, r.seeds())
		for _, j := range columns {
			cell := t.text(r.Cells[j], decimals[j])
			// A mark hangs to the right of the number, so that the digits line up.
			if cell != "" {
				cell += strings.Repeat(" ", hang[j]-utf8.RuneCountInString(r.Cells[j].mark()))
			}
			if style.Color {
				cell = paint(cell, r.Cells[j], best[j] == i)
			}
			row = append(row, cell)
		}
		w.AppendRow(row)
	}
	return w.Render()
}

// paint makes the best of a column bold, significantly better green and worse red.
func paint(s string, c Cell, best bool) string {
	var colors text.Colors
	if best {
		colors = append(colors, text.Bold)
	}
	switch c.sign() {
	case "*":
		colors = append(colors, text.FgGreen)
	case "†":
		colors = append(colors, text.FgRed)
	}
	if len(colors) == 0 {
		return s
	}
	// Spelt out, because the library decides for itself whether its process has a terminal.
	return colors.EscapeSeq() + s + text.EscapeReset
}

func wrap(line string, width int) string {
	if width <= 0 {
		return line
	}
	lines := strings.Split(text.WrapSoft(line, width), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}
