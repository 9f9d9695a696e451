package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"bayesbench/results"
	"bayesbench/results/report"
)

// listStale prints what the tables of the kept results mark, and why, by run directory. It makes no
// verdict: which of them are worth training anew is for the reader to say.
func listStale(out io.Writer, root string) error {
	dirs, err := keptResults(root)
	if err != nil {
		return err
	}
	fresh := 0
	for _, dir := range dirs {
		set, err := results.Load(filepath.Join(root, dir))
		if err != nil {
			return err
		}
		reasons := report.Stale(set)
		if len(reasons) == 0 {
			fresh++
		}
		for _, s := range reasons {
			fmt.Fprintf(out, "%s: %d jobs %s: %s\n", dir, s.Jobs, s.Reason, strings.Join(s.Methods, ", "))
		}
	}
	fmt.Fprintf(out, "%d of %d kept results are traceable and of today's values\n", fresh, len(dirs))
	return nil
}

// keptResults returns the run directories below results, relative to the root.
func keptResults(root string) ([]string, error) {
	var dirs []string
	for _, pattern := range []string{"results/published/*/run.json", "results/published/*/*/run.json"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		for _, path := range found {
			dir, err := filepath.Rel(root, filepath.Dir(path))
			if err != nil {
				return nil, err
			}
			dirs = append(dirs, filepath.ToSlash(dir))
		}
	}
	if len(dirs) == 0 {
		return nil, fmt.Errorf("no run directory below %s", filepath.Join(root, "results", "published"))
	}
	return dirs, nil
}
