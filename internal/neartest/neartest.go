package neartest

import (
	"math"
	"testing"
)

// Within fails the test unless |found − want| ≤ tolerance. An infinity is near itself alone, and
// NaN near nothing.
func Within(t testing.TB, what string, found, want, tolerance float64) {
	t.Helper()
	if off := math.Abs(found - want); found != want && !(off <= tolerance) {
		t.Errorf("%s = %.15g, want %.15g within %.2g (off by %.2g)", what, found, want, tolerance, off)
	}
}
