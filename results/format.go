package results

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
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
	jobPrefix   = "# job "    // + id " setup " hash: the origin of the records that follow; other readers take it for a comment
	sumPrefix   = "# sha256 " // + the hash of all text before it, from the start or the last such line
)

// ErrFormat is wrapped by the errors about files of another format version.
var ErrFormat = errors.New("another format version")

// Set is what one or more results files hold.
type Set struct {
	Records []Record
	Units   Units
}

// Write writes records as Go benchmark lines: the units' metadata, then each record, preceded by
// its origin and its file configuration where these change. Floats are printed in the shortest form
// that reads back to the same bits. The last line is the hash of the others, so that a value that
// was changed by hand is noticed.
func Write(w io.Writer, s Set) error {
	var body bytes.Buffer
	out := benchfmt.NewWriter(&body)
	used := map[string]bool{}
	origin := Origin{}
	for i := range s.Records {
		r := s.Records[i]
		r.Config = sortedConfig(r.Config)
		if err := r.check(s.Units); err != nil {
			return fmt.Errorf("record %s: %w", r.Name(), err)
		}
		if r.Origin != origin {
			if origin = r.Origin; body.Len() > 0 {
				body.WriteByte('\n')
			}
			body.WriteString(origin.line())
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
	for _, name := range slices.Sorted(maps.Keys(used)) {
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
	head.Write(body.Bytes())
	head.WriteString(sumPrefix + hexSum(head.Bytes()) + "\n")
	_, err := w.Write(head.Bytes())
	return err
}

// line is the origin as a line of a results file.
func (o Origin) line() string {
	if o == (Origin{}) {
		return jobPrefix + "- setup -\n"
	}
	return jobPrefix + o.Job + " setup " + o.Setup + "\n"
}

// parseOrigin reads what line wrote.
func parseOrigin(line string) (Origin, error) {
	fields := strings.Fields(strings.TrimPrefix(line, jobPrefix))
	if len(fields) != 3 || fields[1] != "setup" {
		return Origin{}, fmt.Errorf("want %q, found %.60q", jobPrefix+"ID setup HASH", line)
	}
	if fields[0] == "-" && fields[2] == "-" {
		return Origin{}, nil
	}
	o := Origin{Job: fields[0], Setup: fields[2]}
	return o, o.check()
}

func (o Origin) check() error {
	if o != (Origin{}) && (!isJobID(o.Job) || !isName(o.Setup)) {
		return fmt.Errorf("origin: job %q, setup %q: want letters, digits, '-', '_', '.' and no '.' in front", o.Job, o.Setup)
	}
	return nil
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

// Read reads what Write wrote. Name is for errors, which say name:line. Anything but a whole,
// declared, well-formed line of this format version is an error: a torn or foreign file is never
// read as a shorter one.
func Read(r io.Reader, name string) (Set, error) {
	text, err := readUpTo(r, name, maxLines, 0)
	if err != nil {
		return Set{}, err
	}
	origins, err := checkLines(text, name)
	if err != nil {
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
			file, line := rec.Pos()
			record, err := fromResult(rec)
			if err == nil {
				record.Origin = origins.at(line)
				err = record.check(set.Units)
			}
			if err != nil {
				return Set{}, fmt.Errorf("%s:%d: %w", file, line, err)
			}
			set.Records = append(set.Records, record)
		}
	}
	if err := in.Err(); err != nil {
		return Set{}, err
	}
	for _, unit := range slices.Sorted(maps.Keys(set.Units)) {
		if err := set.Units[unit].check(); err != nil {
			return Set{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	return set, nil
}

// maxLine is the longest line that benchmark readers take.
const maxLine = bufio.MaxScanTokenSize - 1

// origins are the origins that a file names, each from its line on.
type origins []originLine

type originLine struct {
	line int
	Origin
}

// at is the origin of the record on a line.
func (o origins) at(line int) Origin {
	i, _ := slices.BinarySearchFunc(o, line, func(e originLine, line int) int { return e.line - line })
	if i == 0 {
		return Origin{}
	}
	return o[i-1].Origin
}

// checkLines refuses what a benchmark reader would silently skip: another version, foreign lines, a
// torn end, lines that are not those that were written.
func checkLines(text []byte, name string) (origins, error) {
	format := ""
	i := -1
	var found origins
	sealed, end := 0, 0 // the text up to sealed is covered by a hash that was checked
	for whole := range bytes.Lines(text) {
		i++
		begin := end
		end += len(whole)
		if len(whole) > maxLine {
			return nil, fmt.Errorf("%s:%d: a line of more than %d bytes", name, i+1, maxLine)
		}
		line, ended := strings.CutSuffix(string(whole), "\n")
		fields := strings.Fields(line)
		key, value, isConfig := strings.Cut(line, ":")
		switch {
		case !ended:
			return nil, fmt.Errorf("%s:%d: the last line does not end; the file is cut off", name, i+1)
		case strings.HasPrefix(line, jobPrefix):
			o, err := parseOrigin(line)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
			}
			found = append(found, originLine{i + 1, o})
		case strings.HasPrefix(line, sumPrefix):
			if have, want := hexSum(text[sealed:begin]), strings.TrimPrefix(line, sumPrefix); have != want {
				return nil, fmt.Errorf("%s:%d: the lines above were changed after they were written: their sha256 is %s, want %s", name, i+1, have, want)
			}
			sealed = end
			found = append(found, originLine{i + 1, Origin{}}) // another file may have been put behind
		case len(fields) == 0 || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "Benchmark"):
			if format == "" {
				return nil, fmt.Errorf("%s:%d: no %q line before the first result: not a bayesbench results file", name, i+1, formatKey+": "+formatValue)
			}
			if len(fields) < 4 || len(fields)%2 != 0 {
				return nil, fmt.Errorf("%s:%d: want a name, a count and pairs of value and unit, found %d fields", name, i+1, len(fields))
			}
		case fields[0] == "Unit" && strings.HasPrefix(line, "Unit "):
		case isConfig && isName(key) && key == strings.ToLower(key):
			if key != formatKey {
				break
			}
			if format = strings.TrimSpace(value); format != formatValue {
				return nil, fmt.Errorf("%s:%d: %w: the file is %q, this program reads %q", name, i+1, ErrFormat, format, formatValue)
			}
		default:
			return nil, fmt.Errorf("%s:%d: not a line of a results file: %.60q", name, i+1, line)
		}
	}
	if format == "" {
		return nil, fmt.Errorf("%s: no %q line: not a bayesbench results file", name, formatKey+": "+formatValue)
	}
	return found, nil
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
	f, err := openNamed(path)
	if err != nil {
		return Set{}, err
	}
	defer f.Close()
	return Read(f, path)
}

// Add appends the records of t. It is an error if a unit means one thing in s and another in t.
func (s *Set) Add(t Set) error {
	for _, name := range slices.Sorted(maps.Keys(t.Units)) {
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
