package neartest

import (
	"math"
	"testing"
)

// report is a test that notes whether it failed.
type report struct {
	testing.TB
	failed bool
}

func (*report) Helper()                 {}
func (r *report) Errorf(string, ...any) { r.failed = true }

func TestWithin(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		found, want, tolerance float64
		fails                  bool
	}{
		{1, 1, 0, false}, {1.25, 1, 0.25, false}, {0.75, 1, 0.25, false}, {1.2501, 1, 0.25, true}, {0.7499, 1, 0.25, true},
		{inf, inf, 0, false}, {-inf, inf, 1, true}, {1, inf, 1, true}, {inf, 1, 1, true},
		{nan, 1, 1, true}, {1, nan, 1, true}, {nan, nan, inf, true}, {1, 1.5, nan, true},
	} {
		r := &report{TB: t}
		if Within(r, "x", c.found, c.want, c.tolerance); r.failed != c.fails {
			t.Errorf("%v of %v within %v: failed %t", c.found, c.want, c.tolerance, r.failed)
		}
	}
}
