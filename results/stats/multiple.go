package stats

import "slices"

// Holm returns adjusted p-values that control the chance of any false claim
// among them (family-wise error rate), by Holm's step-down rule: the i-th
// smallest of m is multiplied by m−i+1, and never below one before it. Use it
// for the claims of one table. Source: Holm (1979), "A simple sequentially
// rejective multiple test procedure".
func Holm(p []float64) []float64 {
	order := rising(p)
	adjusted := make([]float64, len(p))
	running := 0.0
	for i, at := range order {
		running = max(running, min(1, p[at]*float64(len(p)-i)))
		adjusted[at] = running
	}
	return adjusted
}

// BenjaminiHochberg returns adjusted p-values that control the share of false
// alarms among the alarms (false discovery rate): the i-th smallest of m is
// multiplied by m/i, and never above one after it. Use it for regression
// alarms. Source: Benjamini and Hochberg (1995), "Controlling the false
// discovery rate".
func BenjaminiHochberg(p []float64) []float64 {
	order := rising(p)
	adjusted := make([]float64, len(p))
	running := 1.0
	for i := len(order) - 1; i >= 0; i-- {
		at := order[i]
		running = min(running, p[at]*float64(len(p))/float64(i+1))
		adjusted[at] = running
	}
	return adjusted
}

func rising(p []float64) []int {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	return order
}
