package data

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"bayesbench/internal/nearest"
	"bayesbench/suites/data/fetch"
)

// sheet is a CSV file as it is read.
type sheet struct {
	key, path string
	names     []string  // of the inputs
	x         []float64 // row by row
	y         []string  // the targets as they are written, row by row
	lines     []int32   // of each row
}

// readTables reads the splits that CSV files hold, and the names of their classes.
func (o *Own) readTables() (p parts, classNames []string, err error) {
	if len(o.Target) == 0 {
		return p, nil, misfit("target", "want target, the column that is to be predicted")
	}
	var all [splitsHeld]*sheet
	var first *sheet
	for i, n := range o.tables() {
		if n.name == "" {
			continue
		}
		s, err := o.readSheet(n)
		if err != nil {
			return p, nil, keyed(n.key, err)
		}
		if first == nil {
			first = s
		}
		if !slices.Equal(s.names, first.names) {
			return p, nil, misfit(n.key, "%s: its inputs are the columns %s, those of %s are %s", s.path, quoted(s.names), first.path, quoted(first.names))
		}
		all[i] = s
	}
	numbers, err := o.ofNumbers(all[:])
	if err != nil {
		return p, nil, err
	}
	class := map[string]int32{}
	if !numbers {
		if classNames, err = classesOf(all[:]); err != nil {
			return p, nil, err
		}
		for i, name := range classNames {
			class[name] = int32(i)
		}
	}
	for i, s := range all {
		if s == nil {
			continue
		}
		known := &answers{}
		if numbers {
			known.width = len(o.Target)
		}
		for j, text := range s.y {
			if !numbers {
				known.classes = append(known.classes, class[text])
				continue
			}
			v, err := number(text)
			if err != nil {
				return p, nil, misfit(s.key, "%s: line %d, column %q: %w", s.path, s.lines[j/len(o.Target)], o.Target[j%len(o.Target)], err)
			}
			known.numbers = append(known.numbers, v)
		}
		p[i] = &part{s.key, numberRows{s.x, len(s.names)}, known}
	}
	return p, classNames, nil
}

// quoted lists at most a few names.
func quoted(names []string) string {
	const most = 20
	text := fmt.Sprintf("%q", names[:min(len(names), most)])
	if len(names) > most {
		text += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return text
}

// number reads a finite number that float32 holds.
func number(text string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	switch {
	case strings.TrimSpace(text) == "":
		return 0, errors.New("is empty, want a number")
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("%.40q is no number", text)
	case !(math.Abs(v) <= math.MaxFloat32):
		return 0, fmt.Errorf("%.40q, want a number that float32 holds", text)
	}
	return v, nil
}

const (
	maxLine    = 1 << 20 // bytes of the first line
	maxColumns = 1 << 16
)

// readSheet reads one file: a line of names, then rows. Errors name line and column.
func (o *Own) readSheet(n named) (*sheet, error) {
	f, err := fetch.OpenRegular(n.name)
	if err != nil {
		return nil, err
	}
	s, err := o.parseSheet(n, f)
	return s, errors.Join(err, f.Close())
}

func (o *Own) parseSheet(n named, in io.Reader) (*sheet, error) {
	buf := bufio.NewReaderSize(in, maxLine)
	if mark, _ := buf.Peek(3); string(mark) == "\ufeff" { // Excel writes it
		buf.Discard(3)
	}
	comma := ','
	if o.Separator != "" {
		var size int
		if comma, size = utf8.DecodeRuneInString(o.Separator); size != len(o.Separator) || comma == '"' || comma == '\n' || comma == '\r' || comma == utf8.RuneError {
			return nil, misfit("separator", "separator: want one character, such as \";\" or \"\\t\", found %.40q", o.Separator)
		}
	}
	if line, err := buf.Peek(maxLine); err == nil && !strings.Contains(string(line), "\n") {
		return nil, fmt.Errorf("%s: line 1 has more than %d bytes, want the names of the columns", n.name, maxLine)
	}
	r := csv.NewReader(buf)
	r.Comma, r.ReuseRecord, r.FieldsPerRecord = comma, true, -1
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: is empty, want a line of column names, then rows", n.name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.name, err)
	}
	s := &sheet{key: n.key, path: n.name}
	columns, role, err := o.columns(n.name, comma, header)
	if err != nil {
		return nil, err
	}
	for j, name := range columns {
		if role[j] == isInput {
			s.names = append(s.names, name)
		}
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.name, err)
		}
		line, _ := r.FieldPos(0)
		if len(row) != len(columns) {
			return nil, fmt.Errorf("%s: line %d: %d columns, want %d as in line 1", n.name, line, len(row), len(columns))
		}
		at := len(s.y)
		s.y = append(s.y, make([]string, len(o.Target))...)
		for j, text := range row {
			switch {
			case role[j] == isInput:
				v, err := number(text)
				if err != nil {
					return nil, fmt.Errorf("%s: line %d, column %q: %w (drop the column, or make numbers of its words)", n.name, line, columns[j], err)
				}
				s.x = append(s.x, v)
			case role[j] >= isTarget:
				text = strings.TrimSpace(text)
				if text == "" {
					return nil, fmt.Errorf("%s: line %d, column %q: the target is empty", n.name, line, columns[j])
				}
				s.y[at+role[j]-isTarget] = strings.Clone(text) // the row is one text
			}
		}
		if s.lines = append(s.lines, int32(line)); 8*int64(len(s.x))+64*int64(len(s.y)) > maxHeld {
			return nil, fmt.Errorf("%s: line %d: at most %d bytes are held in memory", n.name, line, int64(maxHeld))
		}
	}
	if len(s.lines) == 0 {
		return nil, fmt.Errorf("%s: no row behind line 1, which has the names of the columns", n.name)
	}
	return s, nil
}

// The roles of columns; the target of place i is isTarget + i.
const (
	isDropped = iota
	isInput
	isTarget
)

// columns are the names of a first line, and what each column is.
func (o *Own) columns(path string, comma rune, header []string) (names []string, role []int, err error) {
	if len(header) > maxColumns {
		return nil, nil, fmt.Errorf("%s: %d columns, at most %d are read", path, len(header), maxColumns)
	}
	numbers := true
	for j, name := range header {
		name = strings.Clone(strings.TrimSpace(name))
		_, err := number(name)
		numbers = numbers && err == nil
		if k := slices.Index(names, name); k >= 0 && len(names) < 1024 {
			return nil, nil, fmt.Errorf("%s: line 1: columns %d and %d are both called %.100q", path, k+1, j+1, name)
		}
		names, role = append(names, name), append(role, isInput)
	}
	if numbers {
		return nil, nil, fmt.Errorf("%s: line 1 holds numbers, want the names of the columns", path)
	}
	find := func(key, name string) (int, error) {
		j := slices.Index(names, name)
		if j >= 0 {
			return j, nil
		}
		hint := nearest.Hint(name, names)
		for _, other := range []string{",", ";", "\t"} {
			if len(names) == 1 && other != string(comma) && strings.Contains(names[0], other) {
				hint = fmt.Sprintf("; line 1 is one column: say separator = %q", other)
			}
		}
		return j, misfit(key, "%s: no column %.100q%s", path, name, hint)
	}
	for _, name := range o.Drop {
		j, err := find("drop", name)
		if err != nil {
			return nil, nil, err
		}
		role[j] = isDropped
	}
	for i, name := range o.Target {
		j, err := find("target", name)
		if err != nil {
			return nil, nil, err
		}
		if role[j] != isInput {
			return nil, nil, misfit("target", "target: the column %q is named twice, or dropped", name)
		}
		role[j] = isTarget + i
	}
	if !slices.Contains(role, isInput) {
		return nil, nil, fmt.Errorf("%s: no column is left for the inputs", path)
	}
	return names, role, nil
}

// ofNumbers tells whether the targets are numbers to be predicted. Words are classes; whole numbers
// may be either.
func (o *Own) ofNumbers(all []*sheet) (bool, error) {
	switch {
	case o.Task == classification && len(o.Target) > 1:
		return false, misfit("target", "target: want one column of classes, found %d", len(o.Target))
	case o.Task != "" || len(o.Target) > 1:
		return o.Task != classification, nil
	}
	whole, words, fractions := "", "", ""
	for _, s := range all {
		if s == nil {
			continue
		}
		for i, text := range s.y {
			at := &fractions
			if _, err := number(text); err != nil {
				at = &words
			} else if _, err := strconv.ParseInt(text, 10, 64); err == nil {
				at = &whole
			}
			if *at == "" {
				*at = fmt.Sprintf("%s: line %d, column %q: %.40q", s.path, s.lines[i], o.Target[0], text)
			}
		}
	}
	switch {
	case words != "" && whole+fractions != "":
		return false, misfit("task", "%s is no number, and others of the column are: mend it, or say task = %q", words, classification)
	case words != "":
		return false, nil
	case fractions != "":
		return true, nil
	}
	return false, misfit("task", "%s: the column has whole numbers alone: say task = %q, or task = %q to predict the number", whole, classification, regression)
}

// classesOf lists the distinct targets: in the order of numbers where all are, else in byte order.
func classesOf(all []*sheet) ([]string, error) {
	seen := map[string]bool{}
	numbers := true
	for _, s := range all {
		if s == nil {
			continue
		}
		for _, text := range s.y {
			if seen[text] {
				continue
			}
			if seen[text] = true; len(seen) > maxOwnClasses {
				return nil, misfit("target", "%s: more than %d classes in the target: to predict numbers, say task = %q", s.path, maxOwnClasses, regression)
			}
			_, err := number(text)
			numbers = numbers && err == nil
		}
	}
	var names []string
	for name := range seen {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if numbers {
			x, _ := number(a)
			y, _ := number(b)
			return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
		}
		return cmp.Compare(a, b)
	})
	return names, nil
}
