package suites

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bayesbench/internal/alloctest"
)

// What is read costs memory with its length and no more, is made of jobs that
// can run, and is the same whenever it is read.
func FuzzSuite(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("name = \"x\"\n[[method]]\nname = \"a\"\n[method.of.of.of]\nx = [1,2]"))
	f.Add([]byte("name='x'\nmethod=[{name=[1]}]\nmodel='m'\ndata={name='d'}"))
	f.Add([]byte("x=[\"\"\"a\"\"\"\"\",{a={a={a=[1.5,'b]',1979-05-27T07:32:00Z]}}}] # ]\n"))
	for _, text := range bombs(64) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		alloctest.AtMost(t, 1<<20+1<<10*len(text), func() { decode("fuzz.toml", text) })
		s, err := Parse(words, "fuzz.toml", text, nil)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "fuzz.toml") {
				t.Errorf("an error without its file: %v", err)
			}
			return
		}
		again, err := Parse(words, "fuzz.toml", text, nil)
		if err != nil || len(again.Jobs) != len(s.Jobs) {
			t.Fatalf("%d jobs, and when read again: %v", len(s.Jobs), err)
		}
		ids := map[string]bool{}
		for i, j := range s.Jobs {
			id := j.ID()
			if len(id) != 12 || ids[id] || again.Jobs[i].ID() != id {
				t.Fatalf("job %d has the id %q, which is another's or changes", i, id)
			}
			ids[id] = true
			if j.Train.Epochs < 1 || j.Train.Batch < 1 || j.Eval.Samples < 1 || j.Method.Name() == "" {
				t.Fatalf("a job that cannot run was let through: %+v", j)
			}
		}
	})
}

// bombs are texts of about n bytes that are made to cost more than that.
func bombs(n int) map[string]string {
	const head = "name='x'\nmodel='m'\ndata={name='d'}\n"
	of := func(s string, each int) string { return strings.Repeat(s, n/each) }
	numbered := func(format string, each int) string {
		var b strings.Builder
		for i := range n / each {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	return map[string]string{
		"lists in lists":         "x=" + of("[", 2) + of("]", 2),
		"open lists":             "x=" + of("[", 1),
		"lists behind comments":  "x=" + of("[#]\n", 4),
		"tables in tables":       "x=" + of("{a=", 4) + "1" + of("}", 4),
		"tables in lists":        "x=" + of("[\n{a=", 5),
		"parts of a key":         of("a.", 2) + "a=1",
		"quoted parts":           of("'a'.", 4) + "a=1",
		"parts of a table":       "[" + of("a.", 2) + "a]",
		"a long list":            "x=[" + of("1,", 2) + "]",
		"many tables":            of("[[a]]\n", 6),
		"many keys":              numbered("k%d=1\n", 9),
		"keys at depth":          "[a.a.a.a.a.a.a]\n" + numbered("k%d=1\n", 9),
		"lists that multiply":    head + "[[method]]\nname='a'\n" + numbered("k%d=[1,2]\n", 13),
		"methods that multiply":  head + "seed=[" + numbered("%d,", 12) + "]\n" + of("[[method]]\nname='a'\n", 40),
		"equal values":           head + "seed=[" + of("1,", 4) + "]\n[[method]]\nname='a'\nx=[" + of("1,", 4) + "]\n",
		"methods of equal value": head + of("[[method]]\nname='a'\nx=[1,1,1]\n", 30),
		"a string":               "x='" + of("a", 1),
		"short strings":          "x=[" + of("'',", 3),
	}
}

// A file of 128 KB, the longest that is read, costs at most 256 MB in all, most
// of which the collector frees meanwhile.
func TestBombsAreRefused(t *testing.T) {
	const deep, many = "nest more than 8 deep", "the lists multiply to more than 100000 jobs"
	refused := map[string]string{
		"lists in lists": deep, "open lists": deep, "lists behind comments": deep, "tables in tables": deep, "tables in lists": deep,
		"parts of a key": deep, "quoted parts": deep, "parts of a table": deep,
		"lists that multiply": many, "methods that multiply": many, "equal values": many,
	}
	for name, text := range bombs(maxText - 100) {
		t.Run(name, func(t *testing.T) {
			alloctest.AtMost(t, 256<<20, func() {
				_, err := Parse(words, "bomb.toml", []byte(text), nil)
				if want, ok := refused[name]; ok && (err == nil || !strings.Contains(err.Error(), want)) {
					t.Errorf("error %v, want %q", err, want)
				}
			})
		})
	}
	path := filepath.Join(t.TempDir(), "long.toml")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<40); err != nil { // all of it a hole
		t.Fatal(err)
	}
	alloctest.AtMost(t, 1<<20, func() {
		if _, err := Read(words, path, nil); err == nil || !strings.Contains(err.Error(), "a suite has at most 131072 bytes") {
			t.Errorf("a terabyte: %v", err)
		}
	})
}

// What is no list, table or key does not count as depth.
func TestDepth(t *testing.T) {
	nine := strings.Repeat("[", 9)
	eight := strings.Repeat("[", 8) + strings.Repeat("]", 8)
	for text, want := range map[string]int{
		"x=" + eight:                                     0,
		"y=1\nx=[" + eight + "]":                         2,
		"a.b.c.d.e.f.g.h=1":                              0,
		"\na.b.c.d.e.f.g.h.i=1":                          2,
		"x=\"" + nine + "\"":                             0,
		"x=\"\\\"" + nine + "\"":                         0,
		"x='" + nine + "\\'\ny=" + nine:                  2,
		"x='''\n" + nine + "\n'''''\ny=" + nine:          4,
		"x=\"\"\"a\\\"\"\"\"" + nine + "\"\"\"\"\"":      1,
		"x=[\"\"\"a\"\"\"\"\"," + nine:                   1,
		"x='\n" + nine:                                   2,
		"x=\"\\":                                         0,
		"# " + nine:                                      0,
		"# " + nine + "\n" + nine:                        2,
		"x=[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1.0,2.]": 0,
	} {
		if got := tooDeep(text); got != want {
			t.Errorf("%q: line %d, want %d", text, got, want)
		}
	}
}

// Names are printed on terminals, which obey what they are sent.
func TestTextIsPrintable(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{`name = "deterministic"`, `name = "\u001b[2J"`, `small.toml:13: "name": want printable text, found "\x1b[2J"`},
		{`rate = [0.1, 0.5]`, `label = ["a", "\u202e"]`, `small.toml:20: "label": want printable text, found "\u202e"`},
		{`rate = [0.1, 0.5]`, `"\r" = 1`, `want printable text, found "\r"`},
		{`lr = [1e-3, 1e-2]`, `augment = ["\u0007"]`, `small.toml:10: "augment": want printable text`},
	} {
		_, err := Parse(words, "small.toml", []byte(strings.Replace(small, c.old, c.new, 1)), nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v\nwant      %s", err, c.want)
		}
	}
	if _, err := Parse(words, "x", []byte("description = \"\"\"two\n\tlines\"\"\"\n"+small), nil); err != nil {
		t.Error(err)
	}
}
