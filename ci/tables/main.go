package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

// errDiffers is returned where a page is not what its command prints; what differs has been
// printed.
var errDiffers = errors.New("the pages differ from the results")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Stdout, os.Args[1:])
	switch {
	case errors.Is(err, errDiffers):
		fmt.Fprintf(os.Stderr, "tables: %v\n", err)
		os.Exit(1)
	case err != nil && !errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(os.Stderr, "tables: %v\n", err)
		os.Exit(2)
	}
}

func run(ctx context.Context, out io.Writer, args []string) error {
	fs := flag.NewFlagSet("tables", flag.ContinueOnError)
	write := fs.Bool("write", false, "write the tables anew")
	suite := fs.String("train", "", "train this `suite.toml` and compare the tables of its kept results with that run")
	stale := fs.Bool("stale", false, "list the kept results that cannot be traced to a commit or precede a change of their values")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: the pages are README.md and those in docs", fs.Arg(0))
	}
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	if *stale {
		return listStale(out, root)
	}
	commands := []string{"benchstat-report"}
	if *suite != "" {
		commands = append(commands, "benchrun")
	}
	tools, err := build(ctx, root, commands...)
	if err != nil {
		return err
	}
	defer tools.remove()
	pages, err := readPages(root)
	if err != nil {
		return err
	}
	if *suite != "" {
		return tools.train(ctx, out, pages, *suite)
	}
	if *write {
		if err := tools.write(ctx, out, pages); err != nil {
			return err
		}
	}
	return tools.check(ctx, out, pages)
}

// readPages returns README.md and the pages of docs and docs/methods.
func readPages(root string) ([]page, error) {
	names := []string{"README.md"}
	for _, pattern := range []string{"docs/*.md", "docs/methods/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		for _, path := range found {
			name, err := filepath.Rel(root, path)
			if err != nil {
				return nil, err
			}
			names = append(names, filepath.ToSlash(name))
		}
	}
	var pages []page
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return nil, err
		}
		p, err := parse(name, string(text))
		if err != nil {
			return nil, err
		}
		pages = append(pages, p)
	}
	return pages, nil
}

// check compares each table with what its command prints, and the figures that prose quotes with
// the tables.
func (t *tools) check(ctx context.Context, out io.Writer, pages []page) error {
	tables, differ := 0, 0
	for _, p := range pages {
		for _, b := range p.blocks {
			if b.kind != tableMark {
				continue
			}
			tables++
			want, err := t.print(ctx, p.name, b)
			if err != nil {
				return err
			}
			if have := p.body(b); have != want {
				differ++
				fmt.Fprintf(out, "%s:%d: the table is not what this prints: %s\n%s\n", p.name, b.line, b.text, difference(have, want))
			}
		}
		for _, complaint := range append(p.unquoted(), p.unmarked()...) {
			differ++
			fmt.Fprintln(out, complaint)
		}
	}
	if tables == 0 {
		return errors.New("no page has a table")
	}
	if differ > 0 {
		return fmt.Errorf("%w in %d places; go run ./ci/tables -write writes the tables anew", errDiffers, differ)
	}
	fmt.Fprintf(out, "%d tables on %d pages are what their commands print\n", tables, len(pages))
	return nil
}

// write puts what its command prints in the place of each table, in the files and in pages.
func (t *tools) write(ctx context.Context, out io.Writer, pages []page) error {
	for i, p := range pages {
		var text strings.Builder
		next := 0
		for _, b := range p.blocks {
			if b.kind != tableMark {
				continue
			}
			body, err := t.print(ctx, p.name, b)
			if err != nil {
				return err
			}
			text.WriteString(p.between(next, b.first) + body)
			next = b.end
		}
		text.WriteString(p.between(next, len(p.lines)))
		if text.String() == p.between(0, len(p.lines)) {
			continue
		}
		fmt.Fprintln(out, "wrote", p.name)
		err := os.WriteFile(filepath.Join(t.root, p.name), []byte(text.String()), 0o644)
		if err != nil {
			return err
		}
		if pages[i], err = parse(p.name, text.String()); err != nil {
			return err
		}
	}
	return nil
}

func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	path := strings.TrimSpace(string(out))
	if filepath.Base(path) != "go.mod" {
		return "", errors.New("run this in the tree of the module")
	}
	return filepath.Dir(path), nil
}
