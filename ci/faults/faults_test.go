//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The table's rows are written anew where a fault was run, and stay where it
// was not; what stands around the marks stays.
func TestRenew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	var all []*fault
	for i := range faults {
		all = append(all, &faults[i])
	}
	came := make([]string, len(all))
	if err := os.WriteFile(path, []byte("head\n"+beginMark+endMark+"tail\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for i, outcome := range []string{"first", "second | time", "third"} {
		if err := renew(path, all[i:i+1], []string{outcome}); err != nil {
			t.Fatal(err)
		}
		came[i] = outcome
	}
	if err := renew(path, all[2:3], []string{"fourth"}); err != nil {
		t.Fatal(err)
	}
	came[2] = "fourth"
	got, err := os.ReadFile(path)
	if want := "head\n" + beginMark + table(all, came) + endMark + "tail\n"; err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
	if err := os.WriteFile(path, []byte("no marks"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := renew(path, all, came); err == nil || !strings.Contains(err.Error(), "faults: begin") {
		t.Errorf("without marks: %v", err)
	}
}

// A part-written file is told from others by what renameio makes of its name.
func TestPartOf(t *testing.T) {
	for base, want := range map[string]string{
		".checkpoint.safetensors8951806092100394621": "checkpoint.safetensors", "records.txt": "records.txt",
		".lock": ".lock", "sample-00000.safetensors": "sample-00000.safetensors", "7504": "7504",
	} {
		if got := partOf(base); got != want {
			t.Errorf("%s is %s, want %s", base, got, want)
		}
	}
}
