package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/peterbourgon/ff/v3/ffcli"

	"bayesbench/cmd/internal/cli"
	"bayesbench/cmd/internal/cli/helptest"
)

func TestExamplesOfHelp(t *testing.T) {
	examples := helptest.Examples(t, func() *ffcli.Command { return (&command{io.Discard, io.Discard}).root() })
	if len(examples) < 12 {
		t.Errorf("only %d examples", len(examples))
	}
}

func TestMistypedVerb(t *testing.T) {
	err := run(t.Context(), io.Discard, io.Discard, []string{"tabel", "runs/quick"})
	if want := `tabel: no such file or subcommand; did you mean "table"?`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// Every verb that writes says so where the device is full.
func TestFullDevice(t *testing.T) {
	results := "../../results/published/paper/lenet-300-100"
	out := filepath.Join(t.TempDir(), "out")
	for _, args := range [][]string{
		{results}, {"table", "-format", "markdown", results}, {"table", "-format", "latex", results}, {"table", "-format", "csv", results},
		{"table", "-format", "json", results}, {"aggregate", results}, {"aggregate", "-format", "markdown", results}, {"aggregate", "-format", "json", results},
		{"compare", results, results}, {"compare", "-format", "markdown", results, results}, {"gate", results, results},
		{"paper", "sparse-vd", results}, {"paper", "sparse-vd", "-format", "markdown", results}, {"paper", "sparse-vd", "-format", "latex", results},
		{"html", "-o", out + ".html", results}, {"plot", "samples", "-o", out + ".svg", results},
	} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		code := cli.ExitCode(&log, name, run(t.Context(), full, io.Discard, args))
		full.Close()
		if code != 2 || !strings.Contains(log.String(), "no space left on device") {
			t.Errorf("%q: exit %d, %q", args, code, log.String())
		}
	}
}
