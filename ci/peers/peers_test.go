package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bayesbench/backends"
	"bayesbench/internal/alloctest"
)

func open(t *testing.T, name string) *ours {
	t.Helper()
	for i := range cases {
		if cases[i].name == name {
			o, err := openOurs(&cases[i])
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { o.close() })
			return o
		}
	}
	t.Fatalf("no case %s", name)
	return nil
}

// A training step allocates nothing.
func TestStepDoesNotAllocate(t *testing.T) {
	for _, name := range []string{"l300.det", "l300.drop", "l300.ffg", "l300.svd", "l5.ffg"} {
		o := open(t, name)
		if n := testing.AllocsPerRun(5, func() {
			if err := o.step(); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a step", name, n)
		}
	}
}

// The steps that are timed train: on one fixed batch the likelihood rises.
func TestStepsTrain(t *testing.T) {
	for _, name := range []string{"l300.det", "l300.ffg"} {
		o := open(t, name)
		nll := func() float64 {
			if err := o.step(); err != nil {
				t.Fatal(err)
			}
			var x [1]float32
			if err := o.train.Output("nll").Read(backends.Data{F32: x[:]}); err != nil {
				t.Fatal(err)
			}
			return float64(x[0])
		}
		first := nll()
		for range 60 {
			nll()
		}
		if last := nll(); !(math.Abs(first-math.Log(10)) < 1 && last < 0.8*first) {
			t.Errorf("%s: nll from %v to %v in 60 steps", name, first, last)
		}
	}
}

// Another K is another number of posterior samples in one predictive, in the
// memory of one.
func TestPredictionInConstantMemory(t *testing.T) {
	o := open(t, "l300.ffg")
	grown := func(k int) float64 {
		return alloctest.Count(func() {
			if err := o.average(k); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := grown(2), grown(100); many > few {
		t.Errorf("%v allocations for 2 samples, %v for 100", few, many)
	}
	if o.mean.Members() != 100 {
		t.Errorf("%d members", o.mean.Members())
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		x               []float64
		med, least, top float64
	}{
		{nil, 0, 0, 0},
		{[]float64{3}, 3, 3, 3},
		{[]float64{9, 1, 4}, 4, 1, 9},
		{[]float64{9, 1, 4, 2}, 3, 1, 9},
	} {
		if m, l, h := spread(c.x); m != c.med || l != c.least || h != c.top {
			t.Errorf("%v: %v %v %v", c.x, m, l, h)
		}
	}
}

// The faster PyTorch setting counts, and ratios are those of single rounds.
func TestRowSum(t *testing.T) {
	s := func(x ...float64) (out []speed) {
		for _, v := range x {
			out = append(out, speed{Median: v, Quiet: true})
		}
		return out
	}
	r := row{Target: 4, FLOPs: 200, Batch: 100, Ours: s(400, 200, 600), Peaks: []float64{1600, 1600, 1600},
		Peers: map[string][]speed{"torch": s(90, 90, 90), "torch tuned": s(100, 40, 200)}}
	r.sum()
	if r.Best != "torch tuned" || r.Ratio != (ratio{4, 3, 5}) || r.PeakShare != 0.5 || r.missed() {
		t.Errorf("%+v", r)
	}
	if r.Target = 4.1; !r.missed() {
		t.Error("4 reaches 4.1")
	}
}

// The clock is the test's, so every repetition takes what its calls sleep.
func TestMeasureCountsSamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := measure(t.Context(), func() error { time.Sleep(2 * time.Millisecond); return nil }, 10, 0.02)
		if err != nil || math.Abs(s.Median-5000) > 1e-6 || math.Abs(s.Min-5000) > 1e-6 || math.Abs(s.Max-5000) > 1e-6 {
			t.Errorf("10 samples in 2 ms: %+v, %v", s, err)
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if _, err := measure(ctx, func() error { time.Sleep(time.Millisecond); return nil }, 1, 0.001); err != context.Canceled {
			t.Errorf("after an interrupt: %v", err)
		}
	})
}

func TestForeign(t *testing.T) {
	before, after := ticks{100, 10, 2}, ticks{200, 70, 2}
	if f := before.foreign(after, 1); math.Abs(f-0.2) > 1e-9 {
		t.Errorf("0.4 s of 2 s are %v", f)
	}
}

// A script is run with its arguments and environment, and its last line read.
func TestPeer(t *testing.T) {
	dir := t.TempDir()
	python := filepath.Join(dir, "python")
	body := "#!/bin/sh\necho noise\nif [ \"$2 $3\" != '--case l300.svd' ]; then echo wanted a case >&2; exit 3; fi\necho \"{\\\"train\\\": {\\\"med\\\": $SPEED, \\\"quiet\\\": true}}\"\n"
	if err := os.WriteFile(python, []byte(body), 0o755); err != nil {
		t.Fatal(err)
	}
	p := peer{name: "torch", python: python, path: "script", env: []string{"SPEED=7.5"}}
	r, err := p.time(context.Background(), &testCase{name: "l300.svd"}, 1)
	if err != nil || r.Train.Median != 7.5 || !r.Train.Quiet {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := p.time(context.Background(), &testCase{name: "other"}, 1); err == nil || !strings.Contains(err.Error(), "wanted a case") {
		t.Errorf("a script that fails: %v", err)
	}
}

func TestPeerMissing(t *testing.T) {
	_, err := pythonWith("torch", filepath.Join(t.TempDir(), "python"), "install it")
	if err == nil || !strings.Contains(err.Error(), "install it") {
		t.Errorf("%v", err)
	}
	if _, err := torchPeers("", filepath.Join(t.TempDir(), "none.py"), 2); err == nil || !strings.Contains(err.Error(), "none.py") {
		t.Errorf("%v", err)
	}
}

func TestPeak(t *testing.T) {
	if fmaLoop == nil {
		t.Log("no loop for this processor")
	} else if p := peak(1); p < 1e9 || p > 1e12 {
		t.Errorf("%v FLOP/s", p)
	}
}

func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"-case zzz":        "matches none of l300.det",
		"-rounds 0":        "above 0",
		"-json -markdown":  "not both",
		"surplus":          "unexpected argument",
		"-case ( -rounds ": "invalid value",
	} {
		var out bytes.Buffer
		err := run(context.Background(), &out, &out, strings.Fields(args))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// Alone, the command prints a row for each measurement and no ratio.
func TestAlone(t *testing.T) {
	var out, progress bytes.Buffer
	if err := run(context.Background(), &out, &progress, strings.Fields("-alone -rounds 1 -secs 0.01 -case l300.ffg -markdown")); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Count(got, "| l300.ffg") != 2 || strings.Contains(got, "MISSED") {
		t.Errorf("%s", got)
	}
	if !strings.Contains(progress.String(), "[round 1/1, case 1/1] l300.ffg") {
		t.Errorf("%s", &progress)
	}
}
