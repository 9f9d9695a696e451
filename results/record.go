package results

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/perf/benchunit"
)

// Record is the values of one job at one number of posterior samples. It becomes one benchmark line
//
//	BenchmarkMNIST/model=lenet-300-100/method=sparse-vd/backend=gonum/samples=8 1 0.0172 error 0.061 nll
//
// preceded by the file configuration (`seed: 0`, `suite: quick`, …) where that changes.
type Record struct {
	Data    string // data set, in lower case; the benchmark's base name, where it stands in upper case
	Model   string
	Method  string
	Backend string
	Sweep   []Pair // further name keys: the settings that tell jobs apart (train.lr, …), then the harness's own (predict, …)
	Samples int    // posterior samples K behind the predictive; 0 when the values do not depend on K

	Config []Pair // file configuration: seed, suite, version, goos, goarch, cpu, … (kept sorted by key)
	Values []Value

	Origin Origin // the job that the values are of
}

// Pair is one key and its value.
type Pair struct{ Key, Value string }

// Value is one number in one unit.
type Value struct {
	Unit  string
	Value float64
}

// Better says which direction of a unit is an improvement, as the benchmark format spells it.
type Better string

// The directions. Neither is for values that inform and do not judge, such as the entropy; no
// better= is written.
const (
	Lower   Better = "lower"
	Higher  Better = "higher"
	Neither Better = ""
)

// Unit describes the values that carry its name.
type Unit struct {
	Name   string
	Better Better
	// Timing marks what a clock measured. Such values are noise around a truth and go to
	// timings.txt; all others are equal bit for bit whenever suite, seed, backend and version are,
	// and go to results.txt.
	Timing bool
}

// Units maps a unit's name to what is known of it.
type Units map[string]Unit

// External is the backend of predictions that were made elsewhere and only scored here.
const External = "external"

// Seed returns the record's seed as written, "" if there is none.
func (r *Record) Seed() string { return r.ConfigValue("seed") }

// ConfigValue returns the value of a file configuration key, "" if it is absent.
func (r *Record) ConfigValue(key string) string {
	for _, p := range r.Config {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}

// Value returns the value in the given unit.
func (r *Record) Value(unit string) (float64, bool) {
	for _, v := range r.Values {
		if v.Unit == unit {
			return v.Value, true
		}
	}
	return 0, false
}

// NameKeys returns the name keys in the order in which they are written.
func (r *Record) NameKeys() []Pair {
	keys := []Pair{{"model", r.Model}, {"method", r.Method}, {"backend", r.Backend}}
	keys = append(keys, r.Sweep...)
	if r.Samples > 0 {
		keys = append(keys, Pair{"samples", strconv.Itoa(r.Samples)})
	}
	return keys
}

// Name returns the benchmark name without its "Benchmark" prefix.
//
// A slash or a space in a value is written %2F or %20. A last value that ends in "-8" would be
// taken for Go's GOMAXPROCS suffix, so that hyphen is written %2D.
func (r *Record) Name() string {
	var b strings.Builder
	b.WriteString(strings.ToUpper(r.Data))
	keys := r.NameKeys()
	for i, k := range keys {
		value := escape.Replace(k.Value)
		if i == len(keys)-1 {
			value = escapeProcs(value)
		}
		b.WriteString("/" + k.Key + "=" + value)
	}
	return b.String()
}

var (
	escape   = strings.NewReplacer("%", "%25", "/", "%2F", " ", "%20", "\t", "%09", "\n", "%0A", "\r", "%0D")
	unescape = strings.NewReplacer("%25", "%", "%2F", "/", "%20", " ", "%09", "\t", "%0A", "\n", "%0D", "\r", "%2D", "-")
)

// Unescape is the inverse of how [Record.Name] writes a value.
func Unescape(value string) string { return unescape.Replace(value) }

func escapeProcs(value string) string {
	digits := strings.TrimRight(value, "0123456789")
	if len(digits) < len(value) && strings.HasSuffix(digits, "-") {
		return strings.TrimSuffix(digits, "-") + "%2D" + value[len(digits):]
	}
	return value
}

// How many parts a record has at most.
const (
	maxParts  = 64
	maxValues = 1024
)

// check reports why the record cannot be written so that it reads back the same.
func (r *Record) check(units Units) error {
	if !isName(r.Data) || r.Data != strings.ToLower(r.Data) {
		return fmt.Errorf("data set name %q: want lower-case letters, digits, '-', '_', '.'", r.Data)
	}
	// A small file could otherwise ask for memory and time with the square of its length.
	if len(r.Sweep) > maxParts || len(r.Config) > maxParts || len(r.Values) > maxValues {
		return fmt.Errorf("%d name keys, %d configuration keys and %d values, at most %d, %d and %d can be",
			len(r.Sweep), len(r.Config), len(r.Values), maxParts, maxParts, maxValues)
	}
	seen := map[string]bool{}
	for _, k := range r.NameKeys() {
		if !isName(k.Key) {
			return fmt.Errorf("name key %q: want letters, digits, '-', '_', '.'", k.Key)
		}
		if seen[k.Key] {
			return fmt.Errorf("name key %q stands twice", k.Key)
		}
		seen[k.Key] = true
		if k.Value == "" || !printable(k.Value) {
			return fmt.Errorf("name key %s: bad value %q", k.Key, k.Value)
		}
	}
	if r.Samples < 0 {
		return fmt.Errorf("samples %d is negative", r.Samples)
	}
	for i, c := range r.Config {
		if !isName(c.Key) || c.Key != strings.ToLower(c.Key) || !unicode.IsLower(rune(c.Key[0])) || c.Key == formatKey {
			return fmt.Errorf("configuration key %q: want lower-case letters, digits, '-', '_', '.', starting with a letter and not %q", c.Key, formatKey)
		}
		if i > 0 && r.Config[i-1].Key >= c.Key {
			return fmt.Errorf("configuration key %q stands twice or out of order", c.Key)
		}
		if c.Value == "" || strings.TrimSpace(c.Value) != c.Value || !printable(c.Value) {
			return fmt.Errorf("configuration %s: bad value %q", c.Key, c.Value)
		}
	}
	if err := r.Origin.check(); err != nil {
		return err
	}
	if len(r.Values) == 0 {
		return fmt.Errorf("no values")
	}
	for i, v := range r.Values {
		if _, ok := units[v.Unit]; !ok {
			return fmt.Errorf("unit %q is not declared", v.Unit)
		}
		if math.IsNaN(v.Value) {
			return fmt.Errorf("%s is NaN; leave out a value that does not exist", v.Unit)
		}
		for _, w := range r.Values[:i] {
			if w.Unit == v.Unit {
				return fmt.Errorf("unit %q stands twice", v.Unit)
			}
		}
	}
	return nil
}

func (u Unit) check() error {
	if strings.ContainsFunc(u.Name, func(c rune) bool { return c <= ' ' || c > '~' }) || u.Name == "" {
		return fmt.Errorf("unit %q: want printable ASCII without spaces", u.Name)
	}
	if _, tidy := benchunit.Tidy(1, u.Name); tidy != u.Name {
		return fmt.Errorf("unit %q: benchmark readers rescale it to %q; use that", u.Name, tidy)
	}
	if u.Better != Lower && u.Better != Higher && u.Better != Neither {
		return fmt.Errorf("unit %s: better=%q, want lower, higher or nothing", u.Name, u.Better)
	}
	return nil
}

// printable reports whether s is text that a terminal shows and does not obey, and a table keeps on
// one line.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c == unicode.ReplacementChar || !unicode.IsPrint(c) })
}

// isName reports whether s is safe as a key or a base name: ASCII letters, digits, '-', '_', '.'.
func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.')
	})
}
