package alloctest

import "testing"

// report is a test that notes whether it failed.
type report struct {
	testing.TB
	failed bool
}

func (*report) Helper()                 {}
func (r *report) Errorf(string, ...any) { r.failed = true }

var kept []byte // so that the compiler leaves the allocation in place

// What allocates too much each time is caught; what did so once, because something ran beside it,
// is not.
func TestAtMost(t *testing.T) {
	for name, c := range map[string]struct {
		sizes []int
		fails bool
	}{
		"never": {[]int{1 << 10}, false},
		"once":  {[]int{4 << 20, 1 << 10}, false},
		"twice": {[]int{4 << 20, 4 << 20, 1 << 10}, false},
		"each":  {[]int{4 << 20, 4 << 20, 4 << 20}, true},
	} {
		r, done := report{TB: t}, 0
		AtMost(&r, 1<<20, func() {
			kept = make([]byte, c.sizes[done])
			done++
		})
		if r.failed != c.fails || done != len(c.sizes) {
			t.Errorf("%s: failed %t after %d runs", name, r.failed, done)
		}
	}
}

// What is allocated in each run counts; what was allocated once beside one does not.
func TestCount(t *testing.T) {
	for name, c := range map[string]struct {
		at   func(run int) bool // AllocsPerRun does each run once more, to warm up
		want float64
	}{
		"never": {func(int) bool { return false }, 0},
		"once":  {func(run int) bool { return run == 1 }, 0},
		"each":  {func(int) bool { return true }, 1},
	} {
		run := 0
		if n := Count(func() {
			if c.at(run) {
				kept = make([]byte, 1<<10)
			}
			run++
		}); n != c.want {
			t.Errorf("%s: %v allocations, want %v", name, n, c.want)
		}
	}
}
