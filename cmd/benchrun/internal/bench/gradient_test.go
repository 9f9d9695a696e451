package bench

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat"
)

func TestMoments(t *testing.T) {
	const draws = 50
	m := newMoments(2)
	samples := make([][]float64, 2)
	for i := range draws {
		for k := range m.x {
			m.x[k] = float32(1000 + (i*7919+k*31)%97)
			samples[k] = append(samples[k], float64(m.x[k]))
		}
		m.add()
		if i == 0 && m.variance() != 0 {
			t.Errorf("the variance of one draw is %v", m.variance())
		}
	}
	want := (stat.Variance(samples[0], nil) + stat.Variance(samples[1], nil)) / 2
	if got := m.variance(); math.Abs(got-want) > 1e-12*want {
		t.Errorf("variance %v, want %v", got, want)
	}
}
