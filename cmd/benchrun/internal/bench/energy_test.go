package bench

import "testing"

func TestJoules(t *testing.T) {
	if j, ok := joules([]uint64{1e6, 5}, []uint64{3e6, 500_005}); !ok || j != 2.5 {
		t.Errorf("%g J, %v; want 2.5", j, ok)
	}
	for _, c := range [][2][]uint64{{nil, nil}, {{1}, nil}, {{5}, {4}}} {
		if j, ok := joules(c[0], c[1]); ok {
			t.Errorf("%v: %g J, want not known", c, j)
		}
	}
}
