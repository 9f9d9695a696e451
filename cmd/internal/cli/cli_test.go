package cli

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestInterleaved(t *testing.T) {
	for _, c := range []struct {
		args, rest string
		n          int
		on         bool
		err        string
	}{
		{"", "", 0, false, ""},
		{"a b", "a b", 0, false, ""},
		{"a -n 3 b -on", "a b", 3, true, ""},
		{"-on=false a -n=2", "a", 2, false, ""},
		{"a - -n 1", "a -", 1, false, ""},
		{"a -n", "", 0, false, "flag needs an argument: -n"},
		{"a -x b", "", 0, false, "not defined: -x"},
	} {
		fs := Flags(io.Discard, "test")
		n, on := fs.Int("n", 0, ""), fs.Bool("on", false, "")
		rest, err := Interleaved(fs, strings.Fields(c.args))
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q: error %v, want %q", c.args, err, c.err)
			}
			continue
		}
		if err != nil || !slices.Equal(rest, strings.Fields(c.rest)) || *n != c.n || *on != c.on {
			t.Errorf("%q: %q, n %d, on %v, %v", c.args, rest, *n, *on, err)
		}
	}
}

func TestExitCode(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		text string
	}{
		{nil, 0, ""},
		{fmt.Errorf("verb: %w", flag.ErrHelp), 0, ""},
		{fmt.Errorf("gate: %w", Negative("no")), 1, "tool: gate: no\n"},
		{errors.New("no such file"), 2, "tool: no such file\n"},
	} {
		var out bytes.Buffer
		if code := ExitCode(&out, "tool", c.err); code != c.code || out.String() != c.text {
			t.Errorf("%v: exit %d, %q", c.err, code, out.String())
		}
	}
}

// An error may carry what a file says.
func TestErrorsAreNotObeyed(t *testing.T) {
	var out bytes.Buffer
	ExitCode(&out, "x", errors.New("two\n\tlines: \x1b]0;title\a, \x9b2J, \u202e, ä\xff\r"))
	if want := "x: two\n\tlines: \\x1b]0;title\\a, \\x9b2J, \\u202e, ä\\xff\\r\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
