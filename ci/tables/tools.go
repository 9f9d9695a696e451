package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
)

// tools are programs built from the tree, in the folder dir. They run in the folder root, which has
// the pages.
type tools struct {
	root, dir string
}

// build builds the named commands of the module in root into a temporary folder.
func build(ctx context.Context, root string, commands ...string) (*tools, error) {
	dir, err := os.MkdirTemp("", "tables")
	if err != nil {
		return nil, err
	}
	t := &tools{root, dir}
	args := []string{"build", "-o", dir + string(filepath.Separator)}
	for _, c := range commands {
		args = append(args, "./cmd/"+c)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.remove()
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return t, nil
}

func (t *tools) remove() { os.RemoveAll(t.dir) }

// report runs benchstat-report in the root of the module and returns what it prints.
func (t *tools) report(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(t.dir, "benchstat-report"), args...)
	cmd.Dir = t.root
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return "", errors.Join(err, errors.New(strings.TrimSpace(said.String())))
	}
	return out.String(), nil
}

// print returns the body of a table's block: Markdown below its command, other text in a fence.
func (t *tools) print(ctx context.Context, name string, b block) (string, error) {
	args, err := arguments(b.text)
	if err != nil {
		return "", fmt.Errorf("%s:%d: %w", name, b.line, err)
	}
	out, err := t.report(ctx, args...)
	if err != nil {
		return "", fmt.Errorf("%s:%d: %s: %w", name, b.line, b.text, err)
	}
	if strings.Contains(b.text, "-format markdown") {
		return "    " + b.text + "\n\n" + out, nil
	}
	return fence + "\n" + out + fence + "\n", nil
}

// arguments splits the command of a mark at blanks outside single quotes, and takes the program's
// name off.
func arguments(command string) ([]string, error) {
	var words []string
	parts := strings.Split(command, "'")
	if len(parts)%2 == 0 {
		return nil, fmt.Errorf("command %q: a single quote is not closed", command)
	}
	for i, part := range parts {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	if len(words) == 0 || words[0] != "benchstat-report" {
		return nil, fmt.Errorf("command %q: want benchstat-report with its arguments", command)
	}
	return words[1:], nil
}

// difference is a unified diff from what the page has to what is printed.
func difference(have, want string) string {
	text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: difflib.SplitLines(have), B: difflib.SplitLines(want), FromFile: "the page", ToFile: "the command", Context: 1,
	})
	if err != nil {
		panic(err) // writes into memory
	}
	return strings.TrimSuffix(text, "\n")
}
