package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bayesbench/cmd/internal/cli"
)

// runIt is a run of the command: its exit code, and what it wrote.
func runIt(t *testing.T, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = cli.ExitCode(&errs, name, run(t.Context(), &out, &errs, args))
	return code, out.String(), errs.String()
}

// Each form is chosen by the file's name, which is refused before anything is written.
func TestExport(t *testing.T) {
	dir := t.TempDir()
	quick := "../../results/published/quick"
	for _, file := range []string{"q.csv", "q.jsonl", "q.parquet"} {
		path := filepath.Join(dir, file)
		if code, out, log := runIt(t, "export", "-o", path, quick); code != 0 || !strings.Contains(out, file) {
			t.Errorf("%s: exit %d, %s%s", file, code, out, log)
		}
		if info, err := os.Stat(path); err != nil || info.Size() < 1000 {
			t.Errorf("%s: %v, %v", file, info, err)
		}
	}
	path := filepath.Join(dir, "q.xlsx")
	if code, _, log := runIt(t, "export", "-o", path, quick); code != 2 || !strings.Contains(log, `found ".xlsx"`) {
		t.Errorf("exit %d, %s", code, log)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file of an unknown form was written")
	}
	if code, _, log := runIt(t, "curves", quick+"/results.txt"); code != 2 || !strings.Contains(log, "no job here has a curve") {
		t.Errorf("curves of results without jobs: exit %d, %s", code, log)
	}
}
