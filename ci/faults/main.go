//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, os.Stderr, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "faults: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, stdout, stderr io.Writer, args []string) error {
	fs := flag.NewFlagSet("faults", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		fmt.Fprint(stderr, `Breaks runs on purpose and checks that no metric bit changes, no finished job is
repeated and no file is left that stops the next run.

  go run ./ci/faults -list                                        what must lead to what; runs nothing
  go run ./ci/faults                                              all that needs no cluster, 100 kills over the quick suite
  ci/slurm.sh go run ./ci/faults -markdown docs/reliability.md    all, and the page's table made anew
  go run ./ci/faults -short -only 'kill|disk'                     a few of each, on generated data

Exit code: 0 all came out as it must, 1 something did not.

`)
		fs.PrintDefaults()
	}
	list := fs.Bool("list", false, "print what each fault must lead to, and run none")
	short := fs.Bool("short", false, "a few of every fault, on generated data: about a minute and a half")
	kills := fs.Int("kills", 100, "how `many` random kills (10 with -short)")
	only := fs.String("only", "", "only the faults whose group or name this regular `expression` matches")
	seed := fs.Uint64("seed", 1, "of what is random: which moments, which bytes")
	program := fs.String("benchrun", "", "break this `program` (default: built from the tree)")
	markdown := fs.String("markdown", "", "write the table into this `file`, between its marks; rows of faults that were not run stay")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("no arguments wanted, found %q (-h for help)", fs.Args())
	}
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	var chosen []*fault
	for i := range faults {
		if f := &faults[i]; pattern.MatchString(f.group) || pattern.MatchString(f.name) {
			chosen = append(chosen, f)
		}
	}
	if len(chosen) == 0 {
		return fmt.Errorf("-only %s: there is no such fault (-list prints them)", *only)
	}
	if *list {
		_, err := io.WriteString(stdout, table(chosen, nil))
		return err
	}
	if *short && !isSet(fs, "kills") {
		*kills = 10
	}
	work, err := os.MkdirTemp("", "faults")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	c := &campaign{ctx: ctx, work: work, benchrun: *program, kills: *kills, short: *short, rng: rand.New(rand.NewPCG(*seed, 0)), loads: map[string]*load{}}
	if c.benchrun == "" {
		c.benchrun = filepath.Join(work, "benchrun")
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", c.benchrun, "./cmd/benchrun").CombinedOutput(); err != nil {
			return fmt.Errorf("go build: %w\n%s", err, out)
		}
	}
	outcomes := make([]string, len(chosen))
	bad := 0
	for i, f := range chosen {
		began := time.Now()
		outcome, err := f.run(c)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		switch not := (*notRun)(nil); {
		case errors.As(err, &not):
			outcome = "not run: " + not.why
		case err != nil:
			bad++
			outcome = "**not as it must**: " + strings.ReplaceAll(err.Error(), "\n", " ")
		}
		outcomes[i] = outcome
		fmt.Fprintf(stderr, "%s (%s)\n  must: %s\n  came: %s\n", f.name, time.Since(began).Round(time.Second), f.must, outcome)
	}
	if *markdown != "" {
		err = renew(*markdown, chosen, outcomes)
	} else {
		_, err = io.WriteString(stdout, table(chosen, outcomes))
	}
	if err == nil && bad > 0 {
		err = fmt.Errorf("%d of %d faults did not come out as they must", bad, len(chosen))
	}
	return err
}

func isSet(fs *flag.FlagSet, name string) bool {
	set := false
	fs.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

// table is the faults in Markdown; without outcomes, what is expected of them.
func table(fs []*fault, outcomes []string) string {
	text := "| fault | must lead to | came out |\n| --- | --- | --- |\n"
	for i, f := range fs {
		came := ""
		if outcomes != nil {
			came = outcomes[i]
		}
		text += f.row(came)
	}
	return text
}

func (f *fault) head() string { return "| **" + f.name + "**: " }

func (f *fault) row(came string) string {
	return fmt.Sprintf("%s%s | %s | %s |\n", f.head(), f.does, f.must, strings.ReplaceAll(came, "|", `\|`))
}

const beginMark, endMark = "<!-- faults: begin -->\n", "<!-- faults: end -->\n"

// renew writes a file's table anew, between its marks. What the faults came to
// that were not chosen stays.
func renew(path string, chosen []*fault, outcomes []string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, ok1 := strings.Cut(string(old), beginMark)
	rows, tail, ok2 := strings.Cut(rest, endMark)
	if !ok1 || !ok2 {
		return fmt.Errorf("%s: no lines %q and %q", path, strings.TrimSpace(beginMark), strings.TrimSpace(endMark))
	}
	var all []*fault
	var came []string
	for i := range faults {
		f := &faults[i]
		all = append(all, f)
		if n := slices.Index(chosen, f); n >= 0 {
			came = append(came, outcomes[n])
			continue
		}
		_, row, _ := strings.Cut(rows, f.head()) // "" for a fault that is new
		row, _, _ = strings.Cut(row, "\n")
		cells := strings.Split(strings.TrimSuffix(row, " |"), " | ")
		came = append(came, strings.ReplaceAll(cells[len(cells)-1], `\|`, "|"))
	}
	return os.WriteFile(path, []byte(head+beginMark+table(all, came)+endMark+tail), 0o644)
}
