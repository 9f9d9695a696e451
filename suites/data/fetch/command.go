package fetch

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// run runs a package manager in dir and returns its standard output. An error carries the last line
// of what it said.
func run(ctx context.Context, dir string, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(stderr.String())
		if i := strings.LastIndexByte(said, '\n'); i >= 0 {
			said = said[i+1:]
		}
		if said != "" {
			said = ": " + said
		}
		return stdout.Bytes(), fmt.Errorf("%s %s: %w%s", name, args[0], err, said)
	}
	return stdout.Bytes(), nil
}

// only returns the one file in dir that matches pattern; dir is a name and no
// part of the pattern.
func only(dir, pattern string) (string, error) {
	found, err := fs.Glob(os.DirFS(dir), pattern)
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("want one file that matches %s, found %d", pattern, len(found))
	}
	return filepath.Join(dir, found[0]), nil
}
