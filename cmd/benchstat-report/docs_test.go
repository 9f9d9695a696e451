package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The tables of the documentation are what the commands beside them print from
// the committed results, byte for byte.
func TestTablesOfTheDocumentation(t *testing.T) {
	t.Chdir("../..")
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			command, ok := strings.CutPrefix(line, "    benchstat-report ")
			if !ok || !strings.Contains(command, "-format markdown") {
				continue
			}
			commands++
			var out, report bytes.Buffer
			if err := run(context.Background(), &out, &report, words(command)); err != nil {
				t.Errorf("%s: %s: %v\n%s", page, command, err, report.String())
				continue
			}
			var table []string
			for _, row := range strings.Split(out.String(), "\n") {
				if strings.HasPrefix(row, "|") {
					table = append(table, row)
				}
			}
			if len(table) < 3 || !strings.Contains(string(text), strings.Join(table, "\n")) {
				t.Errorf("%s does not hold what %q prints:\n%s", page, command, out.String())
			}
		}
	}
	if commands == 0 {
		t.Error("no page has a table")
	}
}

// words splits a command at blanks outside single quotes.
func words(command string) []string {
	var out []string
	for i, part := range strings.Split(command, "'") {
		if i%2 == 1 {
			out = append(out, part)
			continue
		}
		out = append(out, strings.Fields(part)...)
	}
	return out
}
