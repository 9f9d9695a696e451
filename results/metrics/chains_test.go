package metrics

import (
	"math"
	"testing"
)

// autoregressive returns M chains x_t = φ x_{t−1} + u_t + shift·m with u from a
// 64-bit congruential generator, so that another language can rebuild them.
func autoregressive(m, draws int, phi, shift float64) [][]float64 {
	chains := make([][]float64, m)
	for i := range chains {
		s, x := uint64(i+1), 0.0
		for range draws {
			s = s*6364136223846793005 + 1442695040888963407
			x = phi*x + (float64(s>>11)/(1<<53) - 0.5)
			chains[i] = append(chains[i], x+shift*float64(i))
		}
	}
	return chains
}

// The values are those of arviz-stats 0.8.0 (rhat rank, ess bulk, ess tail with
// prob 0.05) for the same chains rebuilt in Python.
func TestChainsAgainstArviz(t *testing.T) {
	for _, v := range []struct {
		m, draws               int
		phi, shift             float64
		rhat, essBulk, essTail float64
	}{
		{4, 100, 0, 0, 1.00490299389312, 394.408207577731, 413.130311187452},
		{4, 101, 0.8, 0, 1.03979472962251, 63.811795173509, 139.068699575137},
		{4, 200, -0.5, 0, 0.999651038698593, 2322.47198959356, 804.245922667938},
		{4, 100, 0.3, 0.4, 1.79101151153722, 6.49556266338848, 35.7370075400467},
		{2, 50, 0.95, 0, 1.14899153248095, 9.04792029175185, 15.0814397747838},
		{4, 11, 0.9, 0, 1.34174426282142, 17.9100392066254, 17.4927113702624},
		{3, 8, 0.2, 0, 1.19150575769496, 33.1250698010785, 33.1250698010785},
	} {
		chains := autoregressive(v.m, v.draws, v.phi, v.shift)
		rhat, err := RHat(chains)
		if err != nil {
			t.Fatal(err)
		}
		bulk, err := ESSBulk(chains)
		if err != nil {
			t.Fatal(err)
		}
		tail, err := ESSTail(chains)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name      string
			got, want float64
		}{{"R-hat", rhat, v.rhat}, {"bulk ESS", bulk, v.essBulk}, {"tail ESS", tail, v.essTail}} {
			if math.Abs(c.got-c.want) > 1e-9*c.want {
				t.Errorf("%d chains of %d, φ=%g, shift=%g: %s = %.12g, want %.12g", v.m, v.draws, v.phi, v.shift, c.name, c.got, c.want)
			}
		}
	}
}

func TestChainsEdges(t *testing.T) {
	if r, err := RHat([][]float64{{1, 1, 1, 1}, {1, 1, 1, 1}}); err != nil || r != 1 {
		t.Errorf("R-hat of constant chains = %v, %v, want 1", r, err)
	}
	if r, err := RHat([][]float64{{1, 1, 1, 1}, {2, 2, 2, 2}}); err != nil || !math.IsInf(r, 1) {
		t.Errorf("R-hat of chains stuck apart = %v, %v, want +Inf", r, err)
	}
	if n, err := ESSBulk([][]float64{{3, 3, 3, 3, 3}}); err != nil || n != 4 {
		t.Errorf("bulk ESS of a constant chain = %v, %v, want 4", n, err)
	}
	for _, bad := range [][][]float64{nil, {{1, 2, 3}}, {{1, 2, 3, 4}, {1, 2, 3}}, {{1, 2, math.NaN(), 4}}} {
		if _, err := RHat(bad); err == nil {
			t.Errorf("RHat(%v) gave no error", bad)
		}
	}
}
