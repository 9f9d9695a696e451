package metrics

import "testing"

func TestDEEBounds(t *testing.T) {
	c := EnsembleCurve{Sizes: []int{1, 2, 4}, LL: []float64{-3, -2, -1}, SD: []float64{.5, .5, .5}}
	d, err := c.Equivalent(-1.75)
	if err != nil {
		t.Fatal(err)
	}
	// against the curve itself, against -2.5 -1.5 -0.5, against -3.5 -2.5 -1.5
	if want := (DEE{Value: 2.5, Lo: 1.75, Hi: 3.5}); d != want {
		t.Errorf("%+v, want %+v", d, want)
	}
	// A curve that falls and rises again: the first crossing counts.
	bent := EnsembleCurve{Sizes: []int{1, 2, 3}, LL: []float64{-3, -1, -2}}
	if d, err := bent.Equivalent(-2); err != nil || d.Value != 1.5 {
		t.Errorf("%+v, %v, want 1.5", d, err)
	}
	for _, bad := range []EnsembleCurve{
		{}, {Sizes: []int{1, 2}, LL: []float64{-1}}, {Sizes: []int{2, 1}, LL: []float64{-1, -2}},
		{Sizes: []int{1, 1}, LL: []float64{-1, -2}}, {Sizes: []int{1}, LL: []float64{-1}, SD: []float64{1, 2}},
	} {
		if _, err := bad.Equivalent(-1); err == nil {
			t.Errorf("%+v gave no error", bad)
		}
	}
}
