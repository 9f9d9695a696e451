package tidy

import (
	"maps"
	"math"
	"slices"
	"strconv"

	"bayesbench/results"
)

// Table is rows of cells under typed columns.
type Table struct {
	Columns []Column
	Rows    [][]string // a cell for each column, "" where there is none
}

// Column is a variable.
type Column struct {
	Name string
	Kind Kind
}

// Kind is what all cells of a column are.
type Kind uint8

const (
	Text    Kind = iota
	Integer      // of 64 bits
	Number       // float64 in the shortest form that reads back to the same bits; +Inf and -Inf
	Flag         // true, false
)

// The columns that every table of values has beside the keys of its records.
const (
	unitColumn   = "unit"
	betterColumn = "better"
	timingColumn = "timing"
	valueColumn  = "value"
	jobColumn    = "job"
	setupColumn  = "setup"
)

// Values is the table of all values of a set, in the order of its records: first what a record is
// named by (data, model, method, backend, the swept settings, samples), then its configuration
// (seed, version, …), then
//
//	unit     what the value is, such as nll
//	better   lower or higher, empty for what informs and does not judge
//	timing   true for what a clock measured
//	value    the number
//	job      the job's id
//	setup    a hash of the job's settings without its seed and split
//
// A key that some record does not have is an empty cell there. A configuration key that has the
// name of another column gets "config." before it. Columns of keys are integers or numbers where
// all their cells are.
func Values(set results.Set) Table {
	var b builder
	names := map[string]bool{}
	for i := range set.Records {
		for _, k := range set.Records[i].NameKeys() {
			names[k.Key] = true
		}
	}
	own := []string{"data", "model", "method", "backend"}
	for _, k := range own {
		delete(names, k)
	}
	delete(names, "samples")
	for _, k := range slices.Concat(own, slices.Sorted(maps.Keys(names)), []string{"samples"}) {
		b.column(k)
	}
	configs := map[string]bool{}
	for i := range set.Records {
		for _, p := range set.Records[i].Config {
			configs[p.Key] = true
		}
	}
	taken := []string{unitColumn, betterColumn, timingColumn, valueColumn, jobColumn, setupColumn}
	config := map[string]int{} // where each configuration key stands
	for _, k := range slices.Sorted(maps.Keys(configs)) {
		name := k
		for b.has(name) || slices.Contains(taken, name) {
			name = "config." + name
		}
		config[k] = b.column(name)
	}
	for _, k := range taken {
		b.column(k)
	}
	for i := range set.Records {
		r := &set.Records[i]
		keys := b.row()
		keys[b.at["data"]] = r.Data
		for _, k := range r.NameKeys() {
			keys[b.at[k.Key]] = k.Value
		}
		for _, p := range r.Config {
			keys[config[p.Key]] = p.Value
		}
		keys[b.at[jobColumn]], keys[b.at[setupColumn]] = r.Origin.Job, r.Origin.Setup
		for _, v := range r.Values {
			row := slices.Clone(keys)
			unit := set.Units[v.Unit]
			row[b.at[unitColumn]], row[b.at[betterColumn]] = v.Unit, string(unit.Better)
			row[b.at[timingColumn]] = strconv.FormatBool(unit.Timing)
			row[b.at[valueColumn]] = number(v.Value)
			b.Rows = append(b.Rows, row)
		}
	}
	return b.typed(map[string]Kind{
		valueColumn: Number, timingColumn: Flag, unitColumn: Text, betterColumn: Text, jobColumn: Text, setupColumn: Text,
		"data-hash": Text, "version": Text, // and never a number, though a hash may have digits alone
	})
}

// number is a value's shortest text.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// builder is a table under construction.
type builder struct {
	Table
	at map[string]int
}

func (b *builder) has(name string) bool { _, ok := b.at[name]; return ok }

// column adds a column and returns its place.
func (b *builder) column(name string) int {
	if b.at == nil {
		b.at = map[string]int{}
	}
	b.at[name] = len(b.Columns)
	b.Columns = append(b.Columns, Column{Name: name})
	return b.at[name]
}

func (b *builder) row() []string { return make([]string, len(b.Columns)) }

// typed is the table with the kinds of its columns: those that are known, and of the others the
// narrowest that all cells are of.
func (b *builder) typed(known map[string]Kind) Table {
	for i := range b.Columns {
		kind, ok := known[b.Columns[i].Name]
		if !ok {
			kind = kindOf(b.Rows, i)
		}
		b.Columns[i].Kind = kind
	}
	return b.Table
}

// kindOf is the narrowest kind of a column's cells. A number in a text form that another number
// would also be written in, such as 007, is text, so that nothing is lost.
func kindOf(rows [][]string, column int) Kind {
	kind, found := Integer, false
	for _, row := range rows {
		text := row[column]
		if text == "" {
			continue
		}
		found = true
		if i, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(i, 10) == text {
			continue
		}
		kind = Number
		if v, err := strconv.ParseFloat(text, 64); err != nil || !plain(v, text) {
			return Text
		}
	}
	if !found {
		return Text
	}
	return kind
}

// plain reports whether text is how a suite writes the finite number v: in digits, or as Go or
// TOML shortens it.
func plain(v float64, text string) bool {
	return !math.IsInf(v, 0) && !math.IsNaN(v) &&
		slices.ContainsFunc([]byte("gfe"), func(form byte) bool { return strconv.FormatFloat(v, form, -1, 64) == text })
}
