package report

import (
	"io"
	"strings"
)

// WriteMarkdown writes the tables as GitHub Markdown, the best mean of each column in bold.
func WriteMarkdown(w io.Writer, tables []Table) error {
	var out strings.Builder
	for i := range tables {
		t := &tables[i]
		if i > 0 {
			out.WriteByte('\n')
		}
		if t.Title != "" {
			out.WriteString("### " + markdown(t.Title) + "\n\n")
		}
		heads, rule := "|", "|"
		for _, h := range t.RowHeads {
			heads += " " + markdown(h) + " |"
			rule += " --- |"
		}
		heads, rule = heads+" "+t.Over+" |", rule+" ---: |"
		for _, c := range t.Columns {
			heads += " " + markdown(c.Head+c.arrow()) + " |"
			rule += " ---: |"
		}
		out.WriteString(heads + "\n" + rule + "\n")
		best, decimals := t.best(), t.allDecimals()
		for i, r := range t.Rows {
			line := "|"
			for _, l := range r.shown() {
				line += " " + markdown(l) + " |"
			}
			line += " " + r.seeds() + " |"
			for j, c := range r.Cells {
				mean, spread := t.number(c, decimals[j])
				if best[j] == i && mean != "" {
					mean = "**" + mean + "**"
				}
				if spread != "" {
					mean += " ±" + spread
				}
				line += " " + mean + markdown(c.mark()) + " |"
			}
			out.WriteString(line + "\n")
		}
		for _, line := range t.legend() {
			out.WriteString("\n" + markdown(line) + "\n")
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// Without these a name could end its cell, be a link or a picture, or be HTML.
var markdownEscape = strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "~", `\~`, "[", `\[`, "]", `\]`, "`", "\\`",
	"&", "&amp;", "<", "&lt;", ">", "&gt;")

func markdown(s string) string { return markdownEscape.Replace(s) }

// What is read in a terminal too keeps its underscores, and the table library sees to the bars.
var nameEscape = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, "`", "\\`", "&", "&amp;", "<", "&lt;", ">", "&gt;")

func markdownName(s string) string { return nameEscape.Replace(s) }
