package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"bayesbench/backends/gonum/kernel"
	"bayesbench/backends/rng"
)

//go:embed gemm.py
var gemmScript string

// gemmSizes are M, K, N of the products; at the second, that of the first
// layer of LeNet-300-100, gonum's own is timed too.
var gemmSizes = [][3]int{{2048, 2048, 2048}, {100, 784, 300}}

const (
	gemmOfOpenBLAS = 0.85 // least ratio to OpenBLAS
	gemmOfGonum    = 10   // and to gonum's own at 100x784x300
)

// gemmRow is one product at one number of threads, GFLOP/s of each round.
type gemmRow struct {
	Size     [3]int    `json:"size"` // M K N
	Case     string    `json:"case"` // "NT": B is stored transposed
	Threads  int       `json:"threads"`
	Ours     []float64 `json:"ours"`
	OpenBLAS []float64 `json:"openblas"`
	Gonum    []float64 `json:"gonum"`
}

// compareGemm times the matrix product in alternation with OpenBLAS (through
// numpy) and gonum's own.
func (p *peers) compareGemm(ctx context.Context) ([]*gemmRow, error) {
	python, err := pythonWith("numpy", p.torchPython, "apt-get install python3-numpy libopenblas0-openmp")
	dir := library("openblas-openmp")
	if err == nil && dir == nil {
		err = fmt.Errorf("no OpenBLAS. To get it: apt-get install libopenblas0-openmp")
	}
	if err != nil {
		fmt.Fprintln(p.stderr, "peers: timing without OpenBLAS:", err)
	}
	var rows []*gemmRow
	done, begun := 0, time.Now()
	for round := range p.rounds {
		at := 0
		for _, size := range gemmSizes {
			for threads := 1; threads <= p.threads; threads++ {
				if round == 0 {
					for _, c := range []string{"NN", "NT", "TN", "TT"} {
						rows = append(rows, &gemmRow{Size: size, Case: c, Threads: threads})
					}
				}
				four := rows[at : at+4]
				at += 4
				if err := p.locked(ctx, func() error { return p.gemmRound(ctx, four, python, dir) }); err != nil {
					return rows, err
				}
				done++
				left := time.Since(begun).Seconds() / float64(done) * float64(p.rounds*len(gemmSizes)*p.threads-done)
				fmt.Fprintf(p.stderr, "[round %d/%d] %v, %d threads; %s left\n", round+1, p.rounds, size, threads, duration(left))
			}
		}
	}
	return rows, nil
}

func (p *peers) gemmRound(ctx context.Context, rows []*gemmRow, python string, env []string) error {
	m, k, n, threads := rows[0].Size[0], rows[0].Size[1], rows[0].Size[2], rows[0].Threads
	if python != "" && env != nil {
		numpy := peer{name: "numpy", python: python, script: gemmScript, env: append(env[:len(env):len(env)], "OMP_NUM_THREADS="+strconv.Itoa(threads))}
		out, err := numpy.run(ctx, strconv.Itoa(m), strconv.Itoa(k), strconv.Itoa(n), fmt.Sprint(p.secs/4))
		if err != nil {
			return fmt.Errorf("numpy: %w", err)
		}
		var rates map[string]float64
		if err := json.Unmarshal(lastLine(out), &rates); err != nil {
			return fmt.Errorf("numpy: %w", err)
		}
		for _, r := range rows {
			r.OpenBLAS = append(r.OpenBLAS, rates[r.Case])
		}
	}
	a, b, c := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
	rng.Uniform(a, rng.Key{}, 0)
	rng.Uniform(b, rng.Key{}, 1)
	pool := kernel.NewPool(threads)
	defer pool.Close()
	for _, r := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		g := kernel.Gemm{M: m, N: n, K: k, TransA: r.Case[0] == 'T', TransB: r.Case[1] == 'T'}
		r.Ours = append(r.Ours, p.rate(m, k, n, func() { pool.Gemm(&g, c, a, b, kernel.Bias{}) }))
		if r.Size != gemmSizes[1] {
			continue
		}
		// gonum takes as many threads as there are.
		before := runtime.GOMAXPROCS(threads)
		tA, lda, tB, ldb := blas.NoTrans, k, blas.NoTrans, n
		if g.TransA {
			tA, lda = blas.Trans, m
		}
		if g.TransB {
			tB, ldb = blas.Trans, k
		}
		r.Gonum = append(r.Gonum, p.rate(m, k, n, func() { gonum.Implementation{}.Sgemm(tA, tB, m, n, k, 1, a, lda, b, ldb, 0, c, n) }))
		runtime.GOMAXPROCS(before)
	}
	return nil
}

// rate is the best of three repetitions, in GFLOP/s, as in gemm.py.
func (p *peers) rate(m, k, n int, f func()) float64 {
	start, calls := time.Now(), 0
	for calls < 1 || time.Since(start).Seconds() < p.secs/4 {
		f()
		calls++
	}
	calls = max(1, int(float64(calls)*p.secs/4/time.Since(start).Seconds()))
	best := 0.0
	for range 3 {
		start := time.Now()
		for range calls {
			f()
		}
		best = max(best, 2e-9*float64(m)*float64(k)*float64(n)*float64(calls)/time.Since(start).Seconds())
	}
	return best
}

func over(a, b []float64) ratio {
	var x []float64
	for i := range min(len(a), len(b)) {
		x = append(x, a[i]/b[i])
	}
	var r ratio
	r.Median, r.Min, r.Max = spread(x)
	return r
}

// missed says whether the row is below one of its targets.
func (r *gemmRow) missed() bool {
	o, g := over(r.Ours, r.OpenBLAS).Median, over(r.Ours, r.Gonum).Median
	return o > 0 && o < gemmOfOpenBLAS || g > 0 && g < gemmOfGonum
}

func renderGemm(rows []*gemmRow, markdown bool) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(table.Row{"M x K x N", "case", "threads", "ours, GFLOP/s", "OpenBLAS", "ratio", "gonum", "ratio to gonum", ""})
	for _, r := range rows {
		ours, _, _ := spread(r.Ours)
		open, _, _ := spread(r.OpenBLAS)
		own, _, _ := spread(r.Gonum)
		verdict := ""
		if r.missed() {
			verdict = "MISSED"
		}
		t.AppendRow(table.Row{fmt.Sprintf("%dx%dx%d", r.Size[0], r.Size[1], r.Size[2]), r.Case, r.Threads,
			fmt.Sprintf("%.1f", ours), fmt.Sprintf("%.1f", open), over(r.Ours, r.OpenBLAS), fmt.Sprintf("%.1f", own), over(r.Ours, r.Gonum), verdict})
	}
	legend := fmt.Sprintf("Medians over rounds; at least %g of OpenBLAS and, where it is timed, %d of gonum's own are wanted.", gemmOfOpenBLAS, gemmOfGonum)
	if markdown {
		return t.RenderMarkdown() + "\n\n" + legend + "\n"
	}
	return t.Render() + "\n" + legend + "\n"
}
