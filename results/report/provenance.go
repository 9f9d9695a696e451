package report

import (
	_ "embed"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"bayesbench/results"
)

// The marks of rows.
const (
	Untraceable = "(?)"   // the version of the program is no commit
	Outdated    = "(old)" // a later version gives other values
)

// outdating is a change of the program after which it gives other values.
type outdating struct {
	Until   string   // time of the commit in UTC, as in a pseudo-version: results of earlier commits are outdated
	Methods []string // that it concerns, also as parts of others; none is all
	Models  []string // that it concerns, by a part of their names; none is all
	Units   []string // that it concerns; none is all
	Predict []string // predictors that it concerns; none is all
	Why     string
}

//go:embed outdated.toml
var outdatedText string

// outdatings are the changes of outdated.toml.
var outdatings = func() []outdating {
	var file struct{ Change []outdating }
	if found, err := toml.Decode(outdatedText, &file); err != nil || len(found.Undecoded()) > 0 {
		panic(fmt.Sprint("outdated.toml: ", err, found.Undecoded()))
	}
	return file.Change
}()

// pseudo finds the commit's time and hash in a version such as
// v0.0.0-20261128165707-2e7328d987f4+dirty.
var pseudo = regexp.MustCompile(`^v[0-9].*[-.]([0-9]{14})-([0-9a-f]{12})(.*)$`)

// shortVersion is a pseudo-version's commit, with what stands behind it, and any other version as
// it is.
func shortVersion(version string) string {
	if m := pseudo.FindStringSubmatch(version); m != nil {
		return m[2] + m[3]
	}
	return version
}

// traceable reports whether the version is one that can be checked out again.
func traceable(version string) bool {
	return version != "devel" && version != "(devel)" && !strings.HasSuffix(version, "+dirty")
}

// concerns reports whether the change makes the unit's values of the record outdated.
func (o *outdating) concerns(r *results.Record, unit string) bool {
	m := pseudo.FindStringSubmatch(r.ConfigValue("version"))
	if m == nil || m[1] >= o.Until || r.Backend == results.External {
		return false
	}
	if len(o.Units) > 0 && !slices.Contains(o.Units, unit) || len(o.Predict) > 0 && !slices.Contains(o.Predict, sweepValue(r, predictKey)) {
		return false
	}
	if len(o.Models) > 0 && !slices.ContainsFunc(o.Models, func(part string) bool { return strings.Contains(r.Model, part) }) {
		return false
	}
	parts := strings.FieldsFunc(r.Method, func(c rune) bool { return strings.ContainsRune("()@, ", c) })
	return len(o.Methods) == 0 || slices.ContainsFunc(parts, func(p string) bool { return slices.Contains(o.Methods, p) })
}

// provenance collects where the values of a table come from.
type provenance struct {
	fields      map[string]map[string][]string // rows by field of the configuration and its value
	untraceable map[string]bool                // rows
	versions    map[string]bool                // that are not traceable
	outdated    map[string]bool                // rows
	reasons     []string
	seen        map[seenAt]bool
	in          map[rowValue]bool // fields, once more
}

type rowValue struct{ row, field, value string }

type seenAt struct {
	row    string
	record *results.Record
}

func newProvenance() *provenance {
	return &provenance{fields: map[string]map[string][]string{}, untraceable: map[string]bool{}, versions: map[string]bool{},
		outdated: map[string]bool{}, seen: map[seenAt]bool{}, in: map[rowValue]bool{}}
}

// expected are the fields that may differ without a word: seed and split, and what says nothing
// about the values.
var expected = []string{"seed", results.SplitKey, "suite", side}

// add adds the samples of one cell of a row.
func (p *provenance) add(row, unit string, samples []sample) {
	for _, s := range samples {
		for i := range outdatings {
			if o := &outdatings[i]; o.concerns(s.record, unit) {
				p.outdated[row] = true
				if !slices.Contains(p.reasons, o.Why) {
					p.reasons = append(p.reasons, o.Why)
				}
			}
		}
		at := seenAt{row, s.record}
		if p.seen[at] {
			continue
		}
		p.seen[at] = true
		for _, c := range s.record.Config {
			if slices.Contains(expected, c.Key) {
				continue
			}
			value := c.Value
			if c.Key == "version" {
				if !traceable(value) {
					p.untraceable[row], p.versions[value] = true, true
				}
				value = shortVersion(value)
			}
			field := c.Key
			if field == "data-hash" {
				field += " of " + s.record.Data // two data sets differ in it by nature
			}
			if p.fields[field] == nil {
				p.fields[field] = map[string][]string{}
			}
			if in := (rowValue{row, field, value}); !p.in[in] {
				p.in[in] = true
				p.fields[field][value] = append(p.fields[field][value], row)
			}
		}
	}
}

// mark is the row's mark, "" if there is nothing to say.
func (p *provenance) mark(row string) string {
	var marks []string
	if p.untraceable[row] {
		marks = append(marks, Untraceable)
	}
	if p.outdated[row] {
		marks = append(marks, Outdated)
	}
	return strings.Join(marks, " ")
}

// notes warn of fields in which the results differ, with the values and their rows, and say what
// the marks mean.
func (p *provenance) notes() []string {
	var notes []string
	for _, field := range slices.Sorted(maps.Keys(p.fields)) {
		values := p.fields[field]
		if len(values) < 2 {
			continue
		}
		var parts []string
		for _, v := range slices.Sorted(maps.Keys(values)) {
			parts = append(parts, fmt.Sprintf("%s (%s)", v, some(values[v])))
		}
		notes = append(notes, fmt.Sprintf("Warning: the results differ in %s: %s.", field, some(parts)))
	}
	if len(p.versions) > 0 {
		var versions []string
		for _, v := range slices.Sorted(maps.Keys(p.versions)) {
			versions = append(versions, shortVersion(v))
		}
		notes = append(notes, fmt.Sprintf("%s cannot be traced to a commit: %s.", Untraceable, some(versions)))
	}
	for _, why := range p.reasons {
		notes = append(notes, fmt.Sprintf("%s %s.", Outdated, why))
	}
	return notes
}
