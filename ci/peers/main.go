package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

const help = `peers times training steps and predictions of this program and of PyTorch, and of
JAX where it is installed, in alternation on this machine, and prints the ratios.

Each round runs PyTorch as everybody does, PyTorch with all that is known to help
(another BLAS, fused Adam, malloc settings) and this program, one after the other;
the faster PyTorch setting counts. Ratios are taken round by round.

Examples:
  go run ./ci/peers                                 all cases, five rounds: about an hour
  go run ./ci/peers -case 'l300|l5' -rounds 3       the LeNets
  go run ./ci/peers -case svd -jax-python DIR/bin/python
  go run ./ci/peers -alone -case l300.svd -cpuprofile cpu.out
  go run ./ci/peers -gemm                           the matrix product alone
  go run ./ci/peers -loader imagenette2-160         the input pipeline alone
  go run ./ci/peers -markdown >> report.md

An interrupt ends it and prints what is done. Exit code: 0 all targets reached,
1 some missed, 2 bad usage or a failure, 130 interrupted.

Flags:
`

// peers is one run of the command.
type peers struct {
	stdout, stderr io.Writer

	filter        *regexp.Regexp
	rounds        int
	secs          float64
	threads       int
	torchScript   string
	torchPython   string
	jaxPython     string
	alone, gemm   bool
	photographs   string
	json, inMD    bool
	lock, profile string
}

var errMissed = errors.New("targets were missed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt kills
	err := run(ctx, os.Stdout, os.Stderr, os.Args[1:])
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "peers: interrupted")
		os.Exit(130)
	case errors.Is(err, errMissed):
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, "peers:", err)
	os.Exit(2)
}

func run(ctx context.Context, stdout, stderr io.Writer, args []string) error {
	p := &peers{stdout: stdout, stderr: stderr, filter: regexp.MustCompile("")}
	fs := flag.NewFlagSet("peers", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, help); fs.PrintDefaults() }
	fs.Func("case", "time only the cases that match `regexp`", func(s string) (err error) {
		p.filter, err = regexp.Compile(s)
		return err
	})
	fs.IntVar(&p.rounds, "rounds", 5, "`rounds` of alternation")
	fs.Float64Var(&p.secs, "secs", 0.5, "`seconds` of each of a measurement's three repetitions")
	fs.IntVar(&p.threads, "threads", 2, "`threads` of every program")
	fs.StringVar(&p.torchScript, "torch", "", "the PyTorch `script`; default torch_steps.py in ../shared/peers beside the repository")
	fs.StringVar(&p.torchPython, "torch-python", "", "`python` that has PyTorch; default python3, then /usr/bin/python3")
	fs.StringVar(&p.jaxPython, "jax-python", "", "`python` that has JAX; default python3")
	fs.BoolVar(&p.alone, "alone", false, "time this program alone")
	fs.BoolVar(&p.gemm, "gemm", false, "compare the matrix product with OpenBLAS (through numpy) and gonum's own instead")
	fs.StringVar(&p.photographs, "loader", "", "compare the input pipeline with torchvision's instead, on the photographs of `folder`/train/CLASS/*.JPEG")
	fs.BoolVar(&p.json, "json", false, "print every round as JSON")
	fs.BoolVar(&p.inMD, "markdown", false, "print a Markdown table")
	fs.StringVar(&p.lock, "lock", "", "hold a lock on `file` while something is timed, for machines that share one")
	fs.StringVar(&p.profile, "cpuprofile", "", "write a CPU profile of this program to `file`")
	if err := fs.Parse(args); err != nil {
		return err
	}
	switch {
	case fs.NArg() > 0:
		return fmt.Errorf("unexpected argument %q (-h for help)", fs.Arg(0))
	case p.rounds < 1 || p.threads < 1 || !(p.secs > 0):
		return errors.New("-rounds, -threads and -secs must be above 0")
	case p.json && p.inMD:
		return errors.New("-json or -markdown, not both")
	}
	runtime.GOMAXPROCS(p.threads)
	if p.profile != "" {
		f, err := os.Create(p.profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if p.gemm {
		rows, err := p.compareGemm(ctx)
		missed := false
		for _, r := range rows {
			missed = missed || r.missed()
		}
		return p.print(len(rows), rows, renderGemm(rows, p.inMD), missed, err)
	}
	if p.photographs != "" {
		rows, err := p.compareLoader(ctx)
		return p.print(len(rows), rows, renderLoader(rows, p.inMD), false, err)
	}
	rows, err := p.compareSteps(ctx)
	missed := false
	for _, r := range rows {
		missed = missed || r.missed()
	}
	return p.print(len(rows), rows, render(rows, p.inMD), missed, err)
}

// print writes the n rows that there are, whether or not the run came to its
// end.
func (p *peers) print(n int, rows any, text string, missed bool, err error) error {
	if n == 0 {
		return err
	}
	if p.json {
		enc := json.NewEncoder(p.stdout)
		enc.SetIndent("", "\t")
		if e := enc.Encode(rows); e != nil {
			return e
		}
	} else if _, e := io.WriteString(p.stdout, text); e != nil {
		return e
	}
	if err == nil && missed {
		err = errMissed
	}
	return err
}

// compareSteps runs the rounds over all cases that match. After an interrupt
// the rows are those of the rounds that are whole.
func (p *peers) compareSteps(ctx context.Context) ([]*row, error) {
	var chosen []*testCase
	var names []string
	for i := range cases {
		names = append(names, cases[i].name)
		if p.filter.MatchString(cases[i].name) {
			chosen = append(chosen, &cases[i])
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("-case %s matches none of %s", p.filter, strings.Join(names, ", "))
	}
	var torch []peer
	var jax *peer
	if !p.alone {
		var err error
		if torch, err = torchPeers(p.torchPython, p.torchScript, p.threads); err != nil {
			fmt.Fprintln(p.stderr, "peers: timing without PyTorch:", err)
		}
		if j, err := jaxPeer(p.jaxPython); err == nil {
			jax = &j
		} else {
			fmt.Fprintln(p.stderr, "peers: timing without JAX:", err)
		}
	}
	train, predict := map[*testCase]*row{}, map[*testCase]*row{}
	var rows []*row
	took := make([]float64, len(chosen)) // seconds of a case in the round before
	for _, c := range chosen {
		train[c] = &row{Name: c.name, Target: c.target, Batch: c.batch, Peers: map[string][]speed{}}
		rows = append(rows, train[c])
		if c.predict > 0 {
			predict[c] = &row{Name: fmt.Sprintf("%s, predict K=%d", c.name, predictSamples), Target: c.predict, Batch: c.batch, Peers: map[string][]speed{}}
			rows = append(rows, predict[c])
		}
	}
	sum := func() []*row {
		var out []*row
		for _, r := range rows {
			if len(r.Ours) > 0 {
				r.sum()
				out = append(out, r)
			}
		}
		return out
	}
	for round := range p.rounds {
		for i, c := range chosen {
			others := torch
			if jax != nil && c.jax {
				others = append(torch[:len(torch):len(torch)], *jax)
			}
			err := p.locked(ctx, func() error {
				start := time.Now()
				defer func() { took[i] = time.Since(start).Seconds() }()
				return p.round(ctx, c, others, train[c], predict[c])
			})
			if err != nil {
				return sum(), err
			}
			train[c].sum()
			fmt.Fprintf(p.stderr, "[round %d/%d, case %d/%d] %s: %s samples/s, %s x PyTorch; %s left\n",
				round+1, p.rounds, i+1, len(chosen), c.name, speeds(train[c].Ours), train[c].Ratio, p.left(took, round, i))
		}
	}
	return sum(), nil
}

// left estimates the time to the end from what each case last took.
func (p *peers) left(took []float64, round, at int) string {
	seen, known := 0.0, 0.0
	for _, t := range took {
		if t > 0 {
			seen, known = seen+t, known+1
		}
	}
	total := 0.0
	for i, t := range took {
		if t == 0 {
			t = seen / known
		}
		n := p.rounds - round - 1
		if i > at {
			n++
		}
		total += t * float64(n)
	}
	return duration(total)
}

// round times one case on everyone in turn and adds to its rows.
func (p *peers) round(ctx context.Context, c *testCase, others []peer, train, predict *row) error {
	top := peak(p.threads)
	reports := make([]report, len(others))
	for i := range others {
		var err error
		if reports[i], err = others[i].time(ctx, c, p.secs); err != nil {
			return err
		}
	}
	step, pred, flops, err := c.time(ctx, p.secs)
	if err != nil {
		return err
	}
	for i, o := range others {
		train.Peers[o.name] = append(train.Peers[o.name], reports[i].Train)
		if predict != nil {
			predict.Peers[o.name] = append(predict.Peers[o.name], reports[i].Predict)
		}
	}
	train.FLOPs = flops
	train.Ours, train.Peaks = append(train.Ours, step), append(train.Peaks, top)
	if predict != nil {
		predict.Ours = append(predict.Ours, pred)
	}
	return nil
}

// locked runs f under the lock, where there is one.
func (p *peers) locked(ctx context.Context, f func() error) error {
	if p.lock != "" {
		l := flock.New(p.lock)
		held := make(chan error, 1)
		go func() { held <- l.Lock() }() // waits in line, which polling does not
		select {
		case err := <-held:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
		defer l.Unlock()
	}
	return f()
}
