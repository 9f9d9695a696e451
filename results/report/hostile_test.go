package report

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bayesbench/results"
)

// hostileNames are what a name from a results file may be at worst: all of it is printable.
var hostileNames = []string{
	tags, `&lt;script&gt;`, `a|b\|c`, `[click](javascript:alert(1))`, `![x](http://x)`,
	"`code`", `\input{/etc/passwd}`, `\end{tabular}^^5cinput`, `$\write18{rm}$ % & # _ ~`, `=HYPERLINK("http://x")`, `+1+1`, `-1`, `@SUM(A1)`, `]]>`,
}

// tags would break out of whatever part of a page they stand in.
const tags = `</text></svg></script></style></title>"'><script>alert(1)</script><img src=x onerror=alert(1)>]]><!--{{.Title}}`

// hostileData is the demo run with that name for one method, model, suite, version, layer and set.
func hostileData(t *testing.T, evil string) Data {
	t.Helper()
	d := demoData(t)
	rename := func(records []results.Record) {
		for i := range records {
			r := &records[i]
			r.Model = evil
			if r.Method == demoMethods[1].name {
				r.Method = evil
			}
			for k := range r.Config {
				if r.Config[k].Key == "suite" {
					r.Config[k].Value = evil
				}
			}
		}
	}
	rename(d.Set.Records)
	for i := range d.Jobs {
		j := &d.Jobs[i]
		rename(j.Records)
		j.Manifest.Versions = maps.Clone(j.Manifest.Versions)
		if j.Manifest.Versions == nil {
			j.Manifest.Versions = map[string]string{}
		}
		j.Manifest.Versions[evil] = evil
		for k := range j.Details.Layers {
			j.Details.Layers[k].Name = evil
		}
		for k := range j.Details.Histograms {
			if j.Details.Histograms[k].Data == "notmnist" {
				j.Details.Histograms[k].Data = evil
			}
		}
	}
	d.Suites = []string{evil}
	return d
}

// markup lists the elements and attributes of a page, whose void elements and scripts XML must be
// told of.
func markup(t *testing.T, page string) (names []string) {
	t.Helper()
	_, page, _ = strings.Cut(page, "<body>")
	dec := xml.NewDecoder(strings.NewReader(page))
	dec.Strict = false
	dec.AutoClose = xml.HTMLAutoClose
	dec.Entity = xml.HTMLEntity
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return names
		}
		if err != nil {
			return names // the page's own script is no XML; it stands at the end
		}
		if e, ok := token.(xml.StartElement); ok {
			names = append(names, e.Name.Local)
			for _, a := range e.Attr {
				names = append(names, e.Name.Local+" "+a.Name.Local)
			}
		}
	}
}

// No name adds an element, an attribute or a script to the page: it has those of the page with
// harmless names.
func TestHostileNamesInHTML(t *testing.T) {
	render := func(d Data) string {
		var out bytes.Buffer
		if err := WriteHTML(&out, d, Query{}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	harmless := render(demoData(t))
	known := markup(t, harmless)
	slices.Sort(known)
	known = slices.Compact(known)
	page := render(hostileData(t, tags))
	for _, name := range markup(t, page) {
		if _, ok := slices.BinarySearch(known, name); !ok && name != "wbr" { // a long name may be broken
			t.Errorf("the page has %q", name)
		}
	}
	for _, tag := range []string{"<script", "</script", "</style", "</title", "<!--"} {
		if was, is := strings.Count(harmless, tag), strings.Count(page, tag); was != is {
			t.Errorf("%d of %s, with harmless names %d", is, tag, was)
		}
	}
	if strings.Contains(page, tags) || !strings.Contains(page, "&lt;script&gt;alert(1)") {
		t.Error("the name stands in the page as it is, or not at all")
	}
}

// A figure is well-formed XML with the name in it as text.
func TestHostileNamesInFigures(t *testing.T) {
	figures, err := Draw(hostileData(t, tags), "samples", Query{})
	if err != nil || len(figures) == 0 {
		t.Fatalf("%d figures: %v", len(figures), err)
	}
	var svg bytes.Buffer
	if err := figures[0].Write(&svg, "svg"); err != nil {
		t.Fatal(err)
	}
	wellFormed(t, svg.String())
	found := false
	dec := xml.NewDecoder(&svg)
	for token, err := dec.Token(); err == nil; token, err = dec.Token() {
		if e, ok := token.(xml.StartElement); ok && (e.Name.Local == "script" || e.Name.Local == "img") {
			t.Errorf("the figure has <%s>", e.Name.Local)
		}
		text, ok := token.(xml.CharData)
		found = found || ok && strings.Contains(string(text), tags[:12])
	}
	if !found {
		t.Error("the name is nowhere in the figure")
	}
}

func hostileTables(t *testing.T, evil string) []Table {
	t.Helper()
	set := demoSet(3)
	for i := range set.Records {
		if r := &set.Records[i]; r.Method == demoMethods[1].name {
			r.Method = evil
		}
		set.Records[i].Model = evil
	}
	return build(t, set, Query{Metrics: []string{"error"}})
}

// In Markdown a name ends no cell, and is no link, picture, code or HTML.
func TestHostileNamesInMarkdown(t *testing.T) {
	bare := regexp.MustCompile("(^|[^\\\\])(\\\\\\\\)*[\\[\\]`<>]")
	for _, evil := range hostileNames {
		tables := hostileTables(t, evil)
		var out bytes.Buffer
		if err := WriteMarkdown(&out, tables); err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(out.String(), "\n") {
			if m := bare.FindString(line); m != "" {
				t.Errorf("%s: %q unescaped in %s", evil, m, line)
			}
			if strings.HasPrefix(line, "|") {
				if n := cellsOf(line); n != cellsOf(strings.Split(out.String()[strings.Index(out.String(), "\n|")+1:], "\n")[0]) {
					t.Errorf("%s: %d cells in %s", evil, n, line)
				}
			}
		}
	}
}

// cellsOf counts the bars of a row that no backslash escapes.
func cellsOf(line string) int {
	n := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '|':
			n++
		}
	}
	return n
}

// The gate's verdict goes into pull requests.
func TestHostileNamesInTheGate(t *testing.T) {
	for _, evil := range hostileNames {
		old, new := demoSet(3), demoSet(3)
		for _, set := range []results.Set{old, new} {
			for i := range set.Records {
				if r := &set.Records[i]; r.Method == demoMethods[1].name {
					r.Method = evil
				}
			}
		}
		for i := range new.Records {
			r := &new.Records[i]
			r.Values = slices.Clone(r.Values)
			for k := range r.Values {
				if r.Values[k].Unit == "error" {
					r.Values[k].Value += 0.1
				}
			}
		}
		new.Records = slices.DeleteFunc(new.Records, func(r results.Record) bool { return r.Method == evil && r.Samples == 8 })
		verdict, err := Gate(old, new, Query{}, Policy{})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := verdict.Write(&out); err != nil {
			t.Fatal(err)
		}
		if verdict.Pass() || strings.ContainsAny(evil, "<>[]`") && strings.Contains(out.String(), evil) {
			t.Errorf("%s: passed %v, or the name stands in\n%s", evil, verdict.Pass(), out.String())
		}
	}
}

// In LaTeX a name is text: no command, no formula, no other column.
func TestHostileNamesInLaTeX(t *testing.T) {
	commands := regexp.MustCompile(`\\([a-z]+)`)
	known := strings.Fields("begin end centering caption toprule midrule bottomrule pm mathbf phantom dagger ddagger textbackslash textasciitilde textasciicircum downarrow uparrow cdot infty neq medskip")
	for _, evil := range hostileNames {
		var out bytes.Buffer
		if err := WriteLaTeX(&out, hostileTables(t, evil)); err != nil {
			t.Fatal(err)
		}
		for _, m := range commands.FindAllStringSubmatch(out.String(), -1) {
			if !slices.Contains(known, m[1]) {
				t.Errorf("%s: the command %s", evil, m[0])
			}
		}
		if strings.Contains(out.String(), "^^") {
			t.Errorf("%s: ^^ in\n%s", evil, out.String())
		}
		columns := 0
		for line := range strings.SplitSeq(out.String(), "\n") {
			if !strings.HasSuffix(line, ` \\`) {
				continue
			}
			line = strings.ReplaceAll(line, `\&`, "")
			if n := strings.Count(line, "&"); columns == 0 {
				columns = n
			} else if n != columns {
				t.Errorf("%s: %d columns of %d in %s", evil, n, columns, line)
			}
			if strings.Count(strings.ReplaceAll(line, `\$`, ""), "$")%2 != 0 || strings.Contains(strings.ReplaceAll(line, `\%`, ""), "%") {
				t.Errorf("%s: %s", evil, line)
			}
		}
	}
}

// In CSV a name is one cell, and no formula.
func TestHostileNamesInCSV(t *testing.T) {
	for _, evil := range hostileNames {
		var out bytes.Buffer
		if err := WriteCSV(&out, hostileTables(t, evil)); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, row := range rows[1:] {
			found = found || strings.Contains(row[1], evil)
			for _, cell := range row[:5] {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@") {
					t.Errorf("%s: cell %q", evil, cell)
				}
			}
		}
		if !found {
			t.Errorf("%s: not in %v", evil, rows)
		}
	}
}

// A results file whose names a terminal would obey is not read.
func TestTerminalNamesAreNotRead(t *testing.T) {
	for _, name := range []string{"\x1b[2J", "a%0Ab", "\u202egnp", "\u200b", "\x9b2J", "\a", "a\u00a0b"} {
		for _, text := range []string{
			fmt.Sprintf("format: bayesbench-1\nUnit error\nBenchmarkX/model=m/method=%s/backend=c 1 1 error\n", name),
			fmt.Sprintf("format: bayesbench-1\nUnit error\nsuite: %s\nBenchmarkX/model=m/method=a/backend=c 1 1 error\n", strings.ReplaceAll(name, "%0A", "\a")),
		} {
			if _, err := results.Read(strings.NewReader(text), "x"); err == nil || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("%q: error %v", text, err)
			}
		}
	}
}
