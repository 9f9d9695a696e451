package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// speed is the result of some repetitions of one measurement, in samples a
// second. The scripts print the same fields.
type speed struct {
	Median  float64 `json:"med"`
	Min     float64 `json:"min"`
	Max     float64 `json:"max"`
	Foreign float64 `json:"foreign"` // mean share of the CPUs that other processes used
	Cores   float64 `json:"cores"`   // mean number of CPUs that the process itself used
	Quiet   bool    `json:"quiet"`   // enough repetitions had less than foreignMost
}

const (
	warmUp      = 0.7  // seconds before the first repetition
	repetitions = 3    // of a measurement in a round
	foreignMost = 0.06 // a repetition with more is redone
)

// measure times f, which handles so many samples a call, over repetitions of
// about secs each. Those in which others used the CPUs are redone, up to six
// times as many; where too few are quiet all count, and the speed says so.
func measure(ctx context.Context, f func() error, samples int, secs float64) (speed, error) {
	start, calls := time.Now(), 0
	for ; calls < 3 || time.Since(start).Seconds() < warmUp; calls++ {
		if err := f(); err != nil {
			return speed{}, err
		}
	}
	calls = max(3, int(secs*float64(calls)/time.Since(start).Seconds()))
	type repetition struct{ rate, foreign, cores float64 }
	var quiet, noisy []repetition
	for len(quiet) < repetitions && len(quiet)+len(noisy) < 6*repetitions {
		before, start := readTicks(), time.Now()
		for range calls {
			if err := f(); err != nil {
				return speed{}, err
			}
		}
		wall := time.Since(start).Seconds()
		after := readTicks()
		r := repetition{float64(samples*calls) / wall, before.foreign(after, wall), (after.own - before.own) / 100 / wall}
		if r.foreign < foreignMost {
			quiet = append(quiet, r)
		} else {
			noisy = append(noisy, r)
			time.Sleep(time.Duration(min(0.5, secs) * float64(time.Second)))
		}
		if err := ctx.Err(); err != nil {
			return speed{}, err
		}
	}
	s := speed{Quiet: len(quiet) >= repetitions}
	if !s.Quiet {
		quiet = append(quiet, noisy...)
	}
	var rates []float64
	for _, r := range quiet {
		rates = append(rates, r.rate)
		s.Foreign += r.foreign / float64(len(quiet))
		s.Cores += r.cores / float64(len(quiet))
	}
	s.Median, s.Min, s.Max = spread(rates)
	return s, nil
}

// spread is median, least and greatest; zeros of nothing.
func spread(x []float64) (median, least, most float64) {
	if len(x) == 0 {
		return 0, 0, 0
	}
	x = slices.Sorted(slices.Values(x))
	n := len(x)
	return (x[n/2] + x[(n-1)/2]) / 2, x[0], x[n-1]
}

// ticks is CPU time since boot in hundredths of a second: of all processes
// (time that a hypervisor took included) and of this one.
type ticks struct {
	all, own float64
	cpus     int
}

// readTicks reads /proc; elsewhere all is 0, and nothing counts as foreign.
func readTicks() ticks {
	var t ticks
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return t
	}
	for line := range strings.Lines(string(stat)) {
		f := strings.Fields(line)
		if len(f) < 9 || !strings.HasPrefix(f[0], "cpu") {
			break
		}
		if f[0] != "cpu" {
			t.cpus++
			continue
		}
		for _, i := range []int{1, 2, 3, 6, 7, 8} { // user nice system irq softirq steal
			v, _ := strconv.ParseFloat(f[i], 64)
			t.all += v
		}
	}
	// The name of the command, in parentheses, may hold anything.
	if self, err := os.ReadFile("/proc/self/stat"); err == nil {
		if f := bytes.Fields(self[bytes.LastIndexByte(self, ')')+1:]); len(f) > 12 {
			for _, v := range f[11:13] { // utime stime
				n, _ := strconv.ParseFloat(string(v), 64)
				t.own += n
			}
		}
	}
	return t
}

// foreign is the share of the CPUs that others used in wall seconds.
func (t ticks) foreign(after ticks, wall float64) float64 {
	if t.cpus == 0 {
		return 0
	}
	return max(0, (after.all-t.all-(after.own-t.own))/100/(float64(t.cpus)*wall))
}

// duration prints seconds for people.
func duration(seconds float64) string {
	return fmt.Sprint(time.Duration(seconds * float64(time.Second)).Round(time.Second))
}
