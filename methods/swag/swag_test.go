package swag_test

import (
	"testing"

	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
)

func TestRefusals(t *testing.T) {
	for _, c := range []struct{ name, keys, key string }{
		{"swa", "collect = 0", "collect"},
		{"swa", "collect = 13", "collect"}, // 12 steps are left after start
		{"swa", "start = 12.0", "start"},
		{"swa", "lr = 0", "lr"},
		{"swa", "momentum = 1", "momentum"},
		{"swa", "prior_sigma = 0", "prior_sigma"},
		{"swag", "rank = 1", "rank"},
		{"swag", "rank = 5\ncollect = 4", "rank"},
	} {
		methodtest.Refused(t, c.name, c.keys, c.key)
	}
}
