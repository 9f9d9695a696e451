package report

import (
	"fmt"
	"io"
	"strings"
)

// WriteLaTeX writes the tables as LaTeX. They need \usepackage{booktabs} and nothing else.
func WriteLaTeX(w io.Writer, tables []Table) error {
	var out strings.Builder
	for i := range tables {
		t := &tables[i]
		if i > 0 {
			out.WriteByte('\n')
		}
		out.WriteString("\\begin{table}\n\\centering\n")
		fmt.Fprintf(&out, "\\caption{%s. %s}\n\\medskip\n", latex(t.Title), latex(strings.Join(t.legend(), " ")))
		fmt.Fprintf(&out, "\\begin{tabular}{%s%s}\n\\toprule\n", strings.Repeat("l", len(t.RowHeads)), strings.Repeat("r", 1+len(t.Columns)))
		var heads []string
		for _, h := range t.RowHeads {
			heads = append(heads, latex(h))
		}
		heads = append(heads, t.Over)
		for _, c := range t.Columns {
			heads = append(heads, latex(c.Head+c.arrow()))
		}
		out.WriteString(strings.Join(heads, " & ") + ` \\` + "\n\\midrule\n")
		best, decimals := t.best(), t.allDecimals()
		for i, r := range t.Rows {
			var cells []string
			for _, l := range r.shown() {
				cells = append(cells, latex(l))
			}
			cells = append(cells, strings.ReplaceAll(r.seeds(), "-", "--"))
			for j, c := range r.Cells {
				cells = append(cells, t.latexCell(c, decimals[j], best[j] == i))
			}
			out.WriteString(strings.Join(cells, " & ") + ` \\` + "\n")
		}
		out.WriteString("\\bottomrule\n\\end{tabular}\n\\end{table}\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// latexCell leaves room for a mark where other cells may have one.
func (t *Table) latexCell(c Cell, decimals int, best bool) string {
	mean, spread := t.number(c, decimals)
	if mean == "" {
		return ""
	}
	mean = strings.ReplaceAll(mean, "∞", `\infty`)
	if best {
		mean = `\mathbf{` + mean + `}`
	}
	if spread != "" {
		mean += ` \pm ` + spread
	}
	switch mark := latexMarks.Replace(c.mark()); {
	case mark != "":
		mean += "^{" + mark + "}"
	default:
		if t.Baseline != "" { // so that the digits line up
			mean += `\phantom{^{*}}`
		}
	}
	return "$" + mean + "$"
}

var latexMarks = strings.NewReplacer("†", `\dagger`, "‡", `\ddagger`)

var latexEscape = strings.NewReplacer(
	`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`, "{", `\{`, "}", `\}`,
	"~", `\textasciitilde{}`, "^", `\textasciicircum{}`, "<", `$<$`, ">", `$>$`, "±", `$\pm$`, "*", `$^{*}$`,
	"†", `$^{\dagger}$`, "‡", `$^{\ddagger}$`, "↓", `$\downarrow$`, "↑", `$\uparrow$`, "·", `$\cdot$`, "∞", `$\infty$`,
	"≠", `$\neq$`, "✓", `$\surd$`, "✗", `$\times$`, "|", `$|$`,
)

func latex(s string) string { return latexEscape.Replace(s) }
