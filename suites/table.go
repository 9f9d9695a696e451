package suites

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"bayesbench/internal/nearest"
)

// Table is a TOML table of single values and tables, which remembers where it
// stands in its file.
type Table struct {
	values map[string]any
	file   *file
	path   string // dotted keys from the top; "method#2.of"
}

// words are those of the suite that the table is of.
func (t Table) words() *Vocabulary {
	if t.file == nil {
		return &Vocabulary{}
	}
	return t.file.words
}

// Name is the value of the key name, "" if there is none.
func (t Table) Name() string {
	s, _ := t.values["name"].(string)
	return s
}

// printable refuses text that a terminal would obey and not show, such as an
// escape sequence in a label. A description may have several lines.
func (t Table) printable() error {
	for _, k := range slices.Sorted(maps.Keys(t.values)) {
		bad := func(s string) bool {
			return strings.ContainsFunc(s, func(r rune) bool {
				return (r == unicode.ReplacementChar || !unicode.IsPrint(r)) && !(t.path == "" && k == "description" && strings.ContainsRune("\r\n\t", r))
			})
		}
		list, ok := t.values[k].([]any)
		if !ok {
			list = []any{t.values[k]}
		}
		for _, v := range append(list, k) {
			switch v := v.(type) {
			case string:
				if bad(v) {
					return t.Errorf(k, "%q: want printable text, found %q", k, v)
				}
			case map[string]any:
				if err := (Table{v, t.file, strings.TrimPrefix(t.path+"."+k, ".")}).printable(); err != nil {
					return err
				}
			case []map[string]any:
				for i, values := range v {
					if err := (Table{values, t.file, fmt.Sprintf("%s#%d", strings.TrimPrefix(t.path+"."+k, "."), i)}).printable(); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// Sub is the table under key.
func (t Table) Sub(key string) (Table, bool) {
	v, ok := t.values[key].(map[string]any)
	return Table{v, t.file, strings.TrimPrefix(t.path+"."+key, ".")}, ok
}

// Has reports whether the table has the key.
func (t Table) Has(key string) bool {
	_, ok := t.values[key]
	return ok
}

// Without is the table less some keys: those that someone else decodes.
func (t Table) Without(keys ...string) Table {
	out := map[string]any{}
	maps.Copy(out, t.values)
	for _, k := range keys {
		delete(out, k)
	}
	return Table{out, t.file, t.path}
}

// methodKeys are the keys of a [[method]] that are the harness's: what the method is called, what
// it trains with, under which likelihood, and how its settings are chosen.
var methodKeys = slices.Concat([]string{"name", "label"}, harnessTables)

// Own is a method's table less the keys that are the harness's: those above, and the tables of the
// methods which it is made of.
func (t Table) Own(parts ...string) Table { return t.Without(slices.Concat(methodKeys, parts)...) }

// needsTable reports whether the key is of a method and holds a table that others decode.
func (t Table) needsTable(key string) bool {
	return strings.HasPrefix(t.path, "method#") && (slices.Contains(harnessTables, key) || slices.Contains(t.words().Parts, key))
}

// isMethod reports whether the table is that of a method, or of one that another is made of.
func (t Table) isMethod() bool {
	return strings.HasPrefix(t.path, "method#") && (!strings.Contains(t.path, ".") || slices.Contains(t.words().Parts, t.path[strings.LastIndexByte(t.path, '.')+1:]))
}

// Strings is the list of strings under the key, nil if the value is none.
func (t Table) Strings(key string) []string {
	list, _ := t.values[key].([]any)
	var out []string
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil
		}
		out = append(out, s)
	}
	return out
}

// Path is a path that the suite says, as seen from this process: a relative one starts in the
// folder of the suite.
func (t Table) Path(path string) string {
	if t.file == nil || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(t.file.dir(), path)
}

// harnessTables are the tables of a method that are the harness's.
var harnessTables = []string{"train", "likelihood", chosen}

// dotted is the key as a person writes it from the top of the suite: method.train.lr.
func (t Table) dotted(key string) string { return strings.TrimPrefix(plainPath(t.path)+"."+key, ".") }

// MarshalJSON writes the values with sorted keys.
func (t Table) MarshalJSON() ([]byte, error) {
	if t.values == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(jsonable(t.values))
}

// jsonable writes the infinities, which JSON does not have, as strings.
func jsonable(values map[string]any) map[string]any {
	out := make(map[string]any, len(values))
	for k, v := range values {
		switch v := v.(type) {
		case map[string]any:
			out[k] = jsonable(v)
		case []any:
			list := make([]any, len(v))
			for i, e := range v {
				list[i] = finite(e)
			}
			out[k] = list
		default:
			out[k] = finite(v)
		}
	}
	return out
}

// finite is a value as JSON can hold it.
func finite(v any) any {
	if x, ok := v.(float64); ok && math.IsInf(x, 0) {
		return fmt.Sprint(x)
	}
	return v
}

// suggestion names the key that was meant where typ has no key k: one of this
// table or of another that means the same, else one of this table that looks like
// it, else all of this table.
func (t Table) suggestion(k string, typ reflect.Type) string {
	here, elsewhere := tags(typ), dotted("", reflect.TypeFor[Config]())
	switch {
	case t.path == "":
		here = append(here, "name", "description", "method", "dataset")
	case strings.HasPrefix(t.path, "method#") && !slices.Contains(harnessTables, t.path[strings.LastIndexByte(t.path, '.')+1:]):
		here = append(here, methodKeys...)
	}
	if same := nearest.Same(k, here); same != "" {
		return fmt.Sprintf("; did you mean %q?", same)
	}
	own := map[string]string{"prior_sigma": "method.prior_sigma"} // the one that people look for in [train]
	for _, path := range elsewhere {
		own[path[strings.LastIndexByte(path, '.')+1:]] = path
	}
	if same := nearest.Same(k, slices.Collect(maps.Keys(own))); same != "" {
		return fmt.Sprintf("; did you mean %q?", own[same])
	}
	return nearest.Hint(k, here)
}

// tags lists the keys of a struct, those of embedded structs included.
func tags(typ reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(typ) {
		if tag := f.Tag.Get("toml"); tag != "" && tag != "-" {
			names = append(names, tag)
		}
	}
	return names
}

// dotted lists the keys of a struct and of its tables, each behind its table's
// name.
func dotted(table string, typ reflect.Type) []string {
	var names []string
	for _, k := range tags(typ) {
		names = append(names, table+k)
		if f, _ := fieldByTag(typ, k); f.Type.Kind() == reflect.Struct {
			names = append(names, dotted(table+k+".", f.Type)...)
		}
	}
	return names
}

// fieldByTag finds the field of a key, also in embedded structs.
func fieldByTag(typ reflect.Type, tag string) (reflect.StructField, bool) {
	for _, f := range reflect.VisibleFields(typ) {
		if tag != "-" && tag != "" && f.Tag.Get("toml") == tag {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// Errorf makes an error that names the file and the line of the key in this
// table, or of the table itself; what -set changed is called that instead.
func (t Table) Errorf(key, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if t.file == nil {
		return err
	}
	path := t.path
	if key != "" {
		path = strings.TrimPrefix(path+"."+key, ".")
	}
	at, with := t.file.place(path)
	return locatedError{fmt.Errorf("%s: %w%s", at, err, with)}
}

// locatedError marks what Errorf makes.
type locatedError struct{ error }

func (e locatedError) Unwrap() error { return e.error }

// Located reports whether some error in err's chain names a file and a line.
func Located(err error) bool {
	var l locatedError
	return errors.As(err, &l)
}
