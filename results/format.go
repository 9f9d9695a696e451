package results

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// FormatVersion is the version of every file this package writes. A reader refuses any other.
const FormatVersion = 1

const (
	formatKey   = "format" // file configuration line that names the version
	formatValue = "bayesbench-1"
)

// ErrFormat is wrapped by the errors about files of another format version.
var ErrFormat = errors.New("another format version")

// A Set is what one or more results files hold.
type Set struct {
	Records []Record
	Units   Units
}

// Write writes records as Go benchmark lines: the units' metadata, then each record, preceded by its file
// configuration where that changes. Floats are printed in the shortest form that reads back to the same bits.
func Write(w io.Writer, s Set) error {
	var body bytes.Buffer
	out := benchfmt.NewWriter(&body)
	used := map[string]bool{}
	for i := range s.Records {
		r := s.Records[i]
		r.Config = sortedConfig(r.Config)
		if err := r.check(s.Units); err != nil {
			return fmt.Errorf("record %s: %w", r.Name(), err)
		}
		if err := out.Write(r.Result()); err != nil {
			return err
		}
		for _, v := range r.Values {
			used[v.Unit] = true
		}
	}

	var head bytes.Buffer
	head.WriteString(formatKey + ": " + formatValue + "\n")
	for _, name := range sortedKeys(used) {
		u := s.Units[name]
		if err := u.check(); err != nil {
			return err
		}
		head.WriteString("Unit " + u.Name)
		if u.Better != Neither {
			head.WriteString(" better=" + string(u.Better))
		}
		head.WriteString(" assume=nothing")
		if u.Timing {
			head.WriteString(" kind=timing")
		}
		head.WriteByte('\n')
	}
	if len(s.Records) > 0 {
		head.WriteByte('\n')
	}
	if _, err := w.Write(head.Bytes()); err != nil {
		return err
	}
	_, err := w.Write(body.Bytes())
	return err
}

// Result returns the record as the benchmark packages know it, for filters and projections.
func (r *Record) Result() *benchfmt.Result {
	res := &benchfmt.Result{Name: benchfmt.Name(r.Name()), Iters: 1}
	for _, c := range r.Config {
		res.Config = append(res.Config, benchfmt.Config{Key: c.Key, Value: []byte(c.Value), File: true})
	}
	for _, v := range r.Values {
		res.Values = append(res.Values, benchfmt.Value{Value: v.Value, Unit: v.Unit})
	}
	return res
}

// Read reads what Write wrote. Name is for errors, which say name:line. Anything but a whole, declared, well-formed
// line of this format version is an error: a torn or foreign file is never read as a shorter one.
func Read(r io.Reader, name string) (Set, error) {
	text, err := readUpTo(r, name, maxLines)
	if err != nil {
		return Set{}, err
	}
	if err := checkLines(text, name); err != nil {
		return Set{}, err
	}
	set := Set{Units: Units{}}
	in := benchfmt.NewReader(bytes.NewReader(text), name)
	for in.Scan() {
		switch rec := in.Result().(type) {
		case *benchfmt.SyntaxError:
			return Set{}, rec
		case *benchfmt.UnitMetadata:
			u := set.Units[rec.OrigUnit]
			u.Name = rec.OrigUnit
			switch rec.Key {
			case "better":
				u.Better = Better(rec.Value)
			case "kind":
				u.Timing = rec.Value == "timing"
			}
			set.Units[u.Name] = u
		case *benchfmt.Result:
			record, err := fromResult(rec)
			if err == nil {
				err = record.check(set.Units)
			}
			if err != nil {
				file, line := rec.Pos()
				return Set{}, fmt.Errorf("%s:%d: %w", file, line, err)
			}
			set.Records = append(set.Records, record)
		}
	}
	if err := in.Err(); err != nil {
		return Set{}, err
	}
	for _, unit := range sortedKeys(set.Units) {
		if err := set.Units[unit].check(); err != nil {
			return Set{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	return set, nil
}

// maxLine is the longest line that benchmark readers take.
const maxLine = bufio.MaxScanTokenSize - 1

// checkLines refuses what a benchmark reader would silently skip: another version, foreign lines, a torn end.
func checkLines(text []byte, name string) error {
	format := ""
	i := -1
	for whole := range bytes.Lines(text) {
		i++
		if len(whole) > maxLine {
			return fmt.Errorf("%s:%d: a line of more than %d bytes", name, i+1, maxLine)
		}
		line, ended := strings.CutSuffix(string(whole), "\n")
		fields := strings.Fields(line)
		key, value, isConfig := strings.Cut(line, ":")
		switch {
		case !ended:
			return fmt.Errorf("%s:%d: the last line does not end; the file is cut off", name, i+1)
		case len(fields) == 0 || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "Benchmark"):
			if format == "" {
				return fmt.Errorf("%s:%d: no %q line before the first result: not a bayesbench results file", name, i+1, formatKey+": "+formatValue)
			}
			if len(fields) < 4 || len(fields)%2 != 0 {
				return fmt.Errorf("%s:%d: want a name, a count and pairs of value and unit, found %d fields", name, i+1, len(fields))
			}
		case fields[0] == "Unit" && strings.HasPrefix(line, "Unit "):
		case isConfig && isName(key) && key == strings.ToLower(key):
			if key != formatKey {
				break
			}
			if format = strings.TrimSpace(value); format != formatValue {
				return fmt.Errorf("%s:%d: %w: the file is %q, this program reads %q", name, i+1, ErrFormat, format, formatValue)
			}
		default:
			return fmt.Errorf("%s:%d: not a line of a results file: %.60q", name, i+1, line)
		}
	}
	if format == "" {
		return fmt.Errorf("%s: no %q line: not a bayesbench results file", name, formatKey+": "+formatValue)
	}
	return nil
}

func fromResult(res *benchfmt.Result) (Record, error) {
	base, parts := res.Name.Parts()
	rec := Record{Data: strings.ToLower(string(base))}
	if len(res.Config) > maxParts+1 { // and the format's
		return rec, fmt.Errorf("%d configuration keys, at most %d can be", len(res.Config), maxParts)
	}
	for _, part := range parts {
		key, value, ok := strings.Cut(strings.TrimPrefix(string(part), "/"), "=")
		if !ok {
			return rec, fmt.Errorf("name part %q: want /key=value", part)
		}
		value = Unescape(value)
		switch key {
		case "model":
			rec.Model = value
		case "method":
			rec.Method = value
		case "backend":
			rec.Backend = value
		case "samples":
			k, err := strconv.Atoi(value)
			if err != nil || k < 1 {
				return rec, fmt.Errorf("samples=%s: want a number of posterior samples, 1 or more", value)
			}
			rec.Samples = k
		default:
			rec.Sweep = append(rec.Sweep, Pair{key, value})
		}
	}
	for _, c := range res.Config {
		if c.Key != formatKey {
			rec.Config = append(rec.Config, Pair{c.Key, string(c.Value)})
		}
	}
	rec.Config = sortedConfig(rec.Config)
	for _, v := range res.Values {
		rec.Values = append(rec.Values, Value{Unit: v.Unit, Value: v.Value})
	}
	return rec, nil
}

// ReadFile reads one results file.
func ReadFile(path string) (Set, error) {
	f, err := os.Open(path)
	if err != nil {
		return Set{}, err
	}
	defer f.Close()
	return Read(f, path)
}

// Load reads results files and run directories into one set, metrics and timings together, in the order given.
func Load(paths ...string) (Set, error) {
	all := Set{Units: Units{}}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return Set{}, err
		}
		files := []string{path}
		if info.IsDir() {
			if _, err := readRunFile(path); err != nil {
				return Set{}, err
			}
			files = []string{filepath.Join(path, resultsFile), filepath.Join(path, timingsFile)}
		}
		for _, file := range files {
			set, err := ReadFile(file)
			if errors.Is(err, fs.ErrNotExist) && info.IsDir() {
				continue // a run none of whose jobs is done yet
			}
			if err != nil {
				return Set{}, err
			}
			if err := all.Add(set); err != nil {
				return Set{}, fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return all, nil
}

// IsRun reports whether path is a directory, which Load takes for a run.
func IsRun(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// Add appends the records of t. It is an error if a unit means one thing in s and another in t.
func (s *Set) Add(t Set) error {
	for _, name := range sortedKeys(t.Units) {
		u := t.Units[name]
		if have, ok := s.Units[name]; ok && have != u {
			return fmt.Errorf("unit %s is %s=better timing=%v here and %s=better timing=%v elsewhere", name, u.Better, u.Timing, have.Better, have.Timing)
		}
		s.Units[name] = u
	}
	s.Records = append(s.Records, t.Records...)
	return nil
}

func sortedConfig(config []Pair) []Pair {
	config = slices.Clone(config)
	slices.SortFunc(config, func(a, b Pair) int { return strings.Compare(a.Key, b.Key) })
	return config
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
