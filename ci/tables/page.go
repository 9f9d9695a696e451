package main

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// The kinds of marks.
const (
	tableMark    = "table"    // text is the command
	quotesMark   = "quotes"   // no text
	measuredMark = "measured" // text says how
)

// page is a Markdown file and the marked parts of it.
type page struct {
	name   string
	lines  []string // each with its line feed
	blocks []block
}

// block is what stands between a mark and its end: the lines first to end, without the marks.
type block struct {
	kind, text string
	line       int // of the mark, from 1
	first, end int // from 0
}

var (
	mark     = regexp.MustCompile(`^<!-- (table|quotes|measured)(?:: (.+))? -->$`)
	markLike = regexp.MustCompile(`^\s*<!--\s*(table|quotes|measured|end)\b`)
	endMark  = "<!-- end -->"
	fence    = "```"
)

// parse finds the blocks of a page. What stands in a fence outside of them is no mark.
func parse(name, text string) (page, error) {
	p := page{name: name, lines: strings.SplitAfter(text, "\n")}
	if p.lines[len(p.lines)-1] == "" {
		p.lines = p.lines[:len(p.lines)-1]
	}
	var open *block
	fenced := false
	for i, line := range p.lines {
		line = strings.TrimSuffix(line, "\n")
		if open == nil && strings.HasPrefix(line, fence) {
			fenced = !fenced
		}
		if fenced {
			continue
		}
		m := mark.FindStringSubmatch(line)
		switch {
		case line == endMark && open != nil:
			open.end = i
			p.blocks = append(p.blocks, *open)
			open = nil
		case line == endMark:
			return p, fmt.Errorf("%s:%d: %s without a mark before it", name, i+1, endMark)
		case m != nil && open != nil:
			return p, fmt.Errorf("%s:%d: want %s of the mark in line %d first", name, i+1, endMark, open.line)
		case m != nil && (m[1] == quotesMark) != (m[2] == ""):
			return p, fmt.Errorf("%s:%d: found %s: want <!-- table: COMMAND -->, <!-- measured: HOW --> or <!-- quotes -->", name, i+1, line)
		case m != nil:
			open = &block{kind: m[1], text: m[2], line: i + 1, first: i + 1}
		case markLike.MatchString(line):
			return p, fmt.Errorf("%s:%d: found %s: want <!-- table: COMMAND -->, <!-- measured: HOW -->, <!-- quotes --> or %s, alone on its line", name, i+1, line, endMark)
		}
	}
	if open != nil {
		return p, fmt.Errorf("%s:%d: the mark has no %s", name, open.line, endMark)
	}
	return p, nil
}

// between returns the lines first to end as one text.
func (p *page) between(first, end int) string { return strings.Join(p.lines[first:end], "") }

// body returns what stands in a block.
func (p *page) body(b block) string { return p.between(b.first, b.end) }

// in reports whether the line stands in a block.
func (p *page) in(line int) bool {
	for _, b := range p.blocks {
		if line >= b.first && line < b.end {
			return true
		}
	}
	return false
}

var (
	rule     = regexp.MustCompile(`^\|[\s:|-]+\|\s*$`)
	figures  = regexp.MustCompile(`(?m)^\|(?:.*\|)?[ *]*\d[\d,]*\.\d|±`)
	settings = regexp.MustCompile(`^\| *key *\|`)
)

// unmarked returns a complaint for each table of figures that stands in no block: one with a cell
// that begins with a decimal number or holds a ±. A table of settings, whose first column is their
// key, has no figures.
func (p *page) unmarked() []string {
	var complaints []string
	for i := 0; i+1 < len(p.lines); i++ {
		if p.in(i) || !strings.HasPrefix(p.lines[i], "|") || !rule.MatchString(p.lines[i+1]) {
			continue
		}
		head := i
		for i++; i < len(p.lines) && strings.HasPrefix(p.lines[i], "|"); i++ {
		}
		if figures.MatchString(p.between(head, i)) && !settings.MatchString(p.lines[head]) {
			complaints = append(complaints, fmt.Sprintf("%s:%d: a table of figures without an origin: want <!-- table: COMMAND --> or <!-- measured: HOW --> before it, %s behind it",
				p.name, head+1, endMark))
		}
	}
	return complaints
}

// decimal is a number with a decimal point that is no part of a version, a path or a name.
var decimal = regexp.MustCompile(`(?:^|[^\w./])(\d+\.\d+)(?:$|[^\w./]|[./](?:$|\D))`)

// unquoted returns a complaint for each decimal of a quoting paragraph that no table of the page
// has, rounded to as many digits, as it stands or as a percentage.
func (p *page) unquoted() []string {
	var known []float64
	for _, b := range p.blocks {
		if b.kind != tableMark {
			continue
		}
		for _, line := range p.lines[b.first:b.end] {
			if !strings.HasPrefix(line, "    ") { // not the command
				known = append(known, decimals(line)...)
			}
		}
	}
	var complaints []string
	for _, b := range p.blocks {
		if b.kind != quotesMark {
			continue
		}
		for i, line := range p.lines[b.first:b.end] {
			for _, m := range decimal.FindAllStringSubmatch(spaced(line), -1) {
				if !quoted(m[1], known) {
					complaints = append(complaints, fmt.Sprintf("%s:%d: %s stands in no table of this page", p.name, b.first+i+1, m[1]))
				}
			}
		}
	}
	return complaints
}

// spaced doubles the blanks, so that numbers beside each other both match.
func spaced(line string) string { return strings.ReplaceAll(line, " ", "  ") }

var number = regexp.MustCompile(`\d+(?:\.\d+)?(?:e[-+]\d+)?`)

func decimals(line string) []float64 {
	var out []float64
	for _, text := range number.FindAllString(line, -1) {
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			out = append(out, v)
		}
	}
	return out
}

// quoted reports whether text is one of the known numbers, or a hundred times one, to half a unit
// of its last digit.
func quoted(text string, known []float64) bool {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return false
	}
	_, behind, _ := strings.Cut(text, ".")
	half := 0.5000001 * math.Pow(10, -float64(len(behind)))
	for _, k := range known {
		if math.Abs(k-v) <= half || math.Abs(100*k-v) <= half {
			return true
		}
	}
	return false
}
