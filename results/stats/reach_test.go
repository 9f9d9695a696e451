package stats

import (
	"math"
	"testing"
)

func TestReachOf(t *testing.T) {
	for _, c := range []struct {
		name           string
		mean, se, half float64
		p              Published
		want           Reach
	}{
		{"better", 1, 0, 0, Published{Mean: 2}, Reached},
		{"equal", 2, 0, 0, Published{Mean: 2}, Reached},
		{"within the published se", 2.19, 5, 0, Published{Mean: 2, Spread: 0.2, Kind: SE, N: 20}, Reached},
		{"beyond the published se", 2.21, 5, 0, Published{Mean: 2, Spread: 0.2, Kind: SE, N: 20}, Short},
		{"an sd is no se", 2.19, 0, 0, Published{Mean: 2, Spread: 0.2, Kind: SD, N: 4}, Short},
		{"an sd over 4 runs", 2.09, 0, 0, Published{Mean: 2, Spread: 0.2, Kind: SD, N: 4}, Reached},
		{"ours where there is none", 2.3, 0.31, 0, Published{Mean: 2}, Reached},
		{"ours of one run", 2.3, math.NaN(), 0, Published{Mean: 2}, Short},
		{"as rounded", 0.1049, 0, 0.005, Published{Mean: 0.1}, Reached},
		{"rounded away", 0.1051, 0, 0.005, Published{Mean: 0.1}, Short},
		{"negative numbers", -1.3, 0.01, 0, Published{Mean: -1.2}, Reached},
	} {
		if got := ReachOf(c.mean, c.se, c.p, c.half); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
