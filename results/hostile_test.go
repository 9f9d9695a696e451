package results

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"bayesbench/internal/alloctest"
)

// What reading may cost, as docs/reliability.md states it.
func linesCost(text []byte) int { return 1<<20 + 32*len(text) }
func jsonCost(text []byte) int  { return 1<<20 + 64*len(text) }

func checkpointCost(text []byte) int {
	header := 0
	if len(text) >= 8 {
		header = int(min(binary.LittleEndian.Uint64(text), uint64(len(text))))
	}
	return 1<<20 + 96*header + 2*len(text)
}

// Whatever the reader takes, the writer writes so that it reads back the same.
func FuzzResults(f *testing.F) {
	var out bytes.Buffer
	Write(&out, Set{Units: testUnits, Records: []Record{testRecord("a", "0", 0.5), testRecord("b-2", "1", 0.25)}})
	f.Add(out.Bytes())
	f.Add([]byte("format: bayesbench-1\nUnit u better=higher kind=timing\na: b\nBenchmarkX/model=%2F/method=%/backend=c/z=-1 1 1e999 u\n"))
	f.Add([]byte("format: bayesbench-1\nUnit u\na: \x1b[2J\nBenchmarkX/model=<b>/method=%0A%0D%09/backend=\u202e 1 1 u\na:\nb: 1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var set Set
		var err error
		alloctest.AtMost(t, linesCost(text), func() { set, err = Read(bytes.NewReader(text), "x") })
		if err != nil {
			if !strings.HasPrefix(err.Error(), "x:") {
				t.Errorf("an error without its file: %v", err)
			}
			return
		}
		var one, two bytes.Buffer
		if err := Write(&one, set); err != nil {
			t.Fatalf("read but not written: %v", err)
		}
		back, err := Read(bytes.NewReader(one.Bytes()), "y")
		if err != nil {
			t.Fatalf("%v in what was written:\n%s", err, one.Bytes())
		}
		if !reflect.DeepEqual(set.Records, back.Records) {
			t.Fatalf("records\n%v\nbecame\n%v", set.Records, back.Records)
		}
		if err := Write(&two, back); err != nil || !bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Fatalf("%v: %s\nbecame\n%s", err, one.Bytes(), two.Bytes())
		}
	})
}

// A manifest that is read is written so that it reads back the same, and then no byte of it can
// change unseen.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"format": 1, "job": "a", "status": "done", "config": null, "versions": {}, "machine": {"host": ""}, "started": "2026-01-01T00:00:00Z"}`), uint(3))
	f.Add([]byte(`{"format": 1, "status": "failed", "failure": {"step": 1}, "config": {"a": [1, "\u0000"]}, "started": "2026-01-01T00:00:00+23:59"}`), uint(70))
	f.Add([]byte(`{"format": 1, "status": "done", "files": {"../x": "y"}, "seconds": {"train": 1e-400}}`), uint(0))
	f.Fuzz(func(t *testing.T, text []byte, at uint) {
		alloctest.AtMost(t, jsonCost(text), func() {
			if _, err := decodeManifest(text, "x"); err == nil && !bytes.Contains(bytes.ToLower(text), []byte(`"sha256"`)) {
				t.Fatalf("a manifest without a seal passed:\n%s", text)
			}
		})
		var m Manifest
		if json.Unmarshal(text, &m) != nil {
			return
		}
		if len(m.Config) == 0 {
			m.Config = []byte("null")
		}
		m.Sum = blankSum
		sealed, err := seal(m)
		if err != nil {
			t.Skip(err) // a year of five digits is read and not written
		}
		back, err := decodeManifest(sealed, "y")
		if known := m.Format == FormatVersion && (m.Status == Done || m.Status == Failed); known != (err == nil) {
			t.Fatalf("%v in what was written:\n%s", err, sealed)
		} else if !known {
			return
		}
		back.Sum = blankSum
		if again, err := seal(back); err != nil || !bytes.Equal(again, sealed) {
			t.Fatalf("%v: %s\nbecame\n%s", err, sealed, again)
		}
		if id, err := configID(back.Config); err != nil || id != "" && (!isName(id) || len(id) != 12) {
			t.Fatalf("the configuration's job is %q: %v", id, err)
		}
		flipped(t, sealed, at, func(text []byte) error {
			_, err := decodeManifest(text, "z")
			return err
		})
	})
}

// The ids in a run.json are names of folders in the run directory, and nothing else.
func FuzzRunInfo(f *testing.F) {
	f.Add([]byte(`{"format": 1, "suite": "quick", "jobs": ["a"]}`), uint(20))
	f.Add([]byte(`{"format": 1, "suite": "quick", "jobs": ["a", "b", "../c"], "parts": ["b"]}`), uint(50))
	f.Fuzz(func(t *testing.T, text []byte, at uint) {
		var info runInfo
		var err error
		alloctest.AtMost(t, jsonCost(text), func() { _, err = decodeRunInfo(text, "x") })
		if err == nil && !bytes.Contains(bytes.ToLower(text), []byte(`"sha256"`)) {
			t.Fatalf("a run.json without a seal passed:\n%s", text)
		}
		if json.Unmarshal(text, &info) != nil {
			return
		}
		info.Sum = blankSum
		if text, err = seal(info); err != nil {
			t.Fatal(err)
		}
		if info, err = decodeRunInfo(text, "x"); err != nil {
			return
		}
		for _, id := range info.Jobs {
			if path := filepath.Join("run", jobsDir, id); filepath.Dir(path) != filepath.Join("run", jobsDir) || filepath.Base(path) != id {
				t.Fatalf("job %q is at %s", id, path)
			}
		}
		next := info.after(Plan{Suite: info.Suite, Jobs: []string{"new"}})
		if next.Jobs[0] != "new" || len(next.Jobs) > len(info.Jobs)+1 {
			t.Fatalf("%q became %q", info.Jobs, next.Jobs)
		}
		sealed, err := seal(next)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeRunInfo(sealed, "y")
		if err != nil {
			t.Fatalf("%v in what was written:\n%s", err, sealed)
		}
		if again, _ := json.Marshal(back.Jobs); !bytes.Equal(again, must(json.Marshal(next.Jobs))) {
			t.Fatalf("%s\nbecame\n%s", sealed, again)
		}
		flipped(t, sealed, at, func(text []byte) error {
			_, err := decodeRunInfo(text, "z")
			return err
		})
	})
}

func must(text []byte, _ error) []byte { return text }

// flipped checks that a bit that changes in a sealed text is noticed.
func flipped(t *testing.T, sealed []byte, at uint, read func([]byte) error) {
	t.Helper()
	i := int(at % uint(8*len(sealed)))
	text := bytes.Clone(sealed)
	text[i/8] ^= 1 << (i % 8)
	if read(text) == nil {
		t.Fatalf("bit %d of byte %d changed unseen:\n%s", i%8, i/8, text)
	}
}

// A curve that is read has whole rows, and is written so that it reads back the same.
func FuzzCurve(f *testing.F) {
	f.Add([]byte("step,loss\n1,2\n2,\n"))
	f.Add([]byte("step,\"a\nb\",x\n1e3,-inf,0x1p-3\n"))
	f.Add([]byte("step" + strings.Repeat(",", 100) + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var curve Curve
		var err error
		alloctest.AtMost(t, linesCost(text), func() { curve, err = decodeCurve(text, "x") })
		if err != nil {
			return
		}
		for _, row := range curve.Rows {
			if len(row) != len(curve.Columns) || math.IsNaN(row[0]) {
				t.Fatalf("row %v, %d columns", row, len(curve.Columns))
			}
		}
		for _, name := range curve.Columns {
			if strings.ContainsFunc(name, unicode.IsControl) {
				t.Fatalf("a column is called %q", name)
			}
		}
		var one, two bytes.Buffer
		if err := curve.write(&one); err != nil {
			t.Fatalf("read but not written: %v", err)
		}
		back, err := decodeCurve(one.Bytes(), "y")
		if err != nil {
			t.Fatalf("%v in what was written:\n%s", err, one.Bytes())
		}
		if err := back.write(&two); err != nil || !bytes.Equal(one.Bytes(), two.Bytes()) || len(back.Rows) != len(curve.Rows) {
			t.Fatalf("%v: %s\nbecame\n%s", err, one.Bytes(), two.Bytes())
		}
	})
}

// A checkpoint that is read is written so that it reads back the same, and no byte of one can
// change unseen.
func FuzzCheckpoint(f *testing.F) {
	f.Add(encode(f, testCheckpoint("12")), uint(1000))
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"), uint(0))
	for _, h := range hostileHeaders {
		f.Add(withHeader(h), uint(0))
	}
	f.Fuzz(func(t *testing.T, text []byte, at uint) {
		var c *Checkpoint
		var err error
		alloctest.AtMost(t, checkpointCost(text), func() { c, err = ReadCheckpoint(text, "x") })
		if err != nil {
			if len(err.Error()) > 1000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		written := encode(t, c)
		back, err := ReadCheckpoint(written, "y")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(encode(t, back), written) {
			t.Fatalf("%q\nbecame\n%q", written, encode(t, back))
		}
		i := int(at % uint(8*len(text)))
		text = bytes.Clone(text)
		text[i/8] ^= 1 << (i % 8)
		if _, err := ReadCheckpoint(text, "z"); err == nil {
			t.Fatalf("bit %d of byte %d changed unseen", i%8, i/8)
		}
	})
}

// hostileHeaders claim more than there is.
var hostileHeaders = []string{
	`{"w":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}`,
	`{"w":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}`,
	`{"w":{"dtype":"F32","shape":[18446744073709551615,18446744073709551615],"data_offsets":[0,4]}}`,
	`{"w":{"dtype":"F32","shape":[0,18446744073709551615],"data_offsets":[0,0]},"__metadata__":{"bayesbench.sha256":""}}`,
	`{"w":{"dtype":"F32","shape":[],"data_offsets":[18446744073709551612,0]}}`,
	`{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"v":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`,
}

func withHeader(header string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
}

// No claim of a header is believed before it is compared with the file: what a checkpoint costs
// goes with its length.
func TestHostileCheckpoints(t *testing.T) {
	huge := map[string][]byte{
		"a header of exabytes": append(binary.LittleEndian.AppendUint64(nil, 1<<62), "{}"...),
		"a header of 17 MB":    append(binary.LittleEndian.AppendUint64(nil, 17<<20), make([]byte, 17<<20)...),
		"a long shape":         withHeader(`{"w":{"dtype":"F32","data_offsets":[0,4],"shape":[` + strings.Repeat("1,", 1<<19) + `1]}}`),
		"deep lists":           withHeader(`{"w":{"dtype":"F32","data_offsets":[0,4],"shape":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}}`),
		"many empty tensors":   withHeader("{" + strings.Repeat(`"w":{},`, 1<<17) + `"x":{}}`),
	}
	for _, h := range hostileHeaders {
		huge[h] = withHeader(h)
	}
	for name, text := range huge {
		t.Run(name, func(t *testing.T) {
			alloctest.AtMost(t, checkpointCost(text), func() {
				if _, err := ReadCheckpoint(text, "x"); err == nil || len(err.Error()) > 1000 {
					t.Errorf("error %.2000v", err)
				}
			})
		})
	}
	if err := WriteCheckpoint(&bytes.Buffer{}, &Checkpoint{Tensors: make([]Tensor, maxTensors+1)}); err == nil {
		t.Error("wrote more tensors than it reads")
	}
}

// What is written with the most tensors is read.
func TestMostTensors(t *testing.T) {
	c := &Checkpoint{}
	for i := range maxTensors {
		c.Tensors = append(c.Tensors, Tensor{Name: fmt.Sprintf("%s%06d", strings.Repeat("n", 200), i), Shape: []int{1, 1, 1, 1}, F32: []float32{1}})
	}
	if _, err := ReadCheckpoint(encode(t, c), "x"); err != nil {
		t.Error(err)
	}
}

// Small files that ask for memory or time with the square of their length, or are longer than any
// that was written.
func TestHostileResults(t *testing.T) {
	const head = "format: bayesbench-1\nUnit u\n"
	const line = "BenchmarkX/model=a/method=b/backend=c 1 1 u\n"
	var config, values, keys strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&config, "k%d: v\n", i)
		fmt.Fprintf(&values, " 1 u%d", i)
		fmt.Fprintf(&keys, "/k%d=v", i)
	}
	for name, c := range map[string]struct{ text, want string }{
		"configuration": {head + config.String() + strings.Repeat(line, 5000), "configuration keys, at most 64 can be"},
		"name keys":     {head + "BenchmarkX/model=a/method=b/backend=c" + keys.String() + " 1 1 u\n", "5000 name keys"},
		"values":        {head + "BenchmarkX/model=a/method=b/backend=c 1" + values.String() + "\n", "5000 values"},
		"a long line":   {head + "# " + strings.Repeat("x", 1<<20) + "\n", "x:3: a line of more than 65535 bytes"},
		"empty lines":   {head + strings.Repeat("\n", 1<<20), ""},
		"units":         {head + strings.Repeat("Unit u better=lower\n", 1<<15), ""},
	} {
		t.Run(name, func(t *testing.T) {
			alloctest.AtMost(t, linesCost([]byte(c.text)), func() {
				_, err := Read(strings.NewReader(c.text), "x")
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("error %v, want %q", err, c.want)
				}
			})
		})
	}
}

// zeros is a file without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// A file that says it has a terabyte, which costs nothing to make, is not read to its end.
func TestEndlessFiles(t *testing.T) {
	dir := t.TempDir()
	job := filepath.Join(dir, jobsDir, "a")
	if err := os.MkdirAll(job, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, runFile), filepath.Join(job, manifestFile)} {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, 1<<40); err != nil {
			t.Fatal(err)
		}
	}
	alloctest.AtMost(t, 6*maxJSON, func() {
		if _, err := readRunFile(dir); err == nil || !strings.Contains(err.Error(), "more than 16777216 bytes") {
			t.Error(err)
		}
	})
	alloctest.AtMost(t, 6*maxJSON, func() {
		if _, err := readManifest(job); err == nil || !strings.Contains(err.Error(), "more than 16777216 bytes") {
			t.Error(err)
		}
	})
	alloctest.AtMost(t, 6<<20, func() {
		if _, err := readUpTo(zeros{}, "x", 1<<20, 0); err == nil {
			t.Error("read all of an endless file")
		}
	})
}

// A run directory from elsewhere may hold links. What they lead to is not written.
func TestLinksInARun(t *testing.T) {
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Dir(victim)
	plan := Plan{Suite: "s", Text: []byte("name"), Jobs: []string{"a"}}
	for _, c := range []struct{ link, to, want string }{
		{lockFile, victim, "is not a regular file"},
		{writeLock, victim, "is not a regular file"},
		{jobsDir, outside, "is not a directory of its own"},
		{filepath.Join(jobsDir, "a"), outside, "leads out of the run directory"},
		{filepath.Join(jobsDir, "a", lockFile), victim, "is not a regular file"},
		{resultsFile, victim, "leads out of the run directory"},
		{suiteFile, victim, ""},
	} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, c.link)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(c.to, filepath.Join(dir, c.link)); err != nil {
			t.Fatal(err)
		}
		r, err := Open(t.Context(), dir, plan, Alone, nil)
		if err == nil {
			var j *Job
			if j, err = r.Claim("a"); err == nil {
				j.Release()
			}
			r.Close()
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", c.link, err, c.want)
		}
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "precious" {
		t.Errorf("the file that the links lead to has %q: %v", text, err)
	}
	if files, err := os.ReadDir(outside); err != nil || len(files) != 1 {
		t.Errorf("beside it there are %v now: %v", files, err)
	}
}
