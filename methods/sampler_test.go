package methods_test

import (
	"maps"
	"math"
	"slices"
	"testing"

	"bayesbench/methods"
)

func TestStepSizes(t *testing.T) {
	state := map[string][]float32{"w": {1, 2}, "b": {3}, "w/v": {2.25, 12.25}, "b/v": {0.25}, "log": {-1}}
	slots := []string{"w", "b"}
	eps := math.Exp(-1) * 1.2
	for _, c := range []struct {
		name string
		size methods.StepSize
		want map[string][]float64
	}{
		{"constant", methods.StepSize{Factor: 0.1}, map[string][]float64{"w": {0.1}, "b": {0.1}}},
		{"leapfrog", methods.StepSize{Factor: 50, Log: "log", Stretch: 1.2}, map[string][]float64{"w": {eps * eps * 50}, "b": {eps * eps * 50}}},
		{"preconditioned", methods.StepSize{Factor: 0.25, Second: "/v", Lambda: 0.5}, map[string][]float64{"w": {0.125, 0.0625}, "b": {0.25}}},
	} {
		s := methods.Sampler{Slots: slots, Size: c.size}
		if got := s.Steps(state); !maps.EqualFunc(got, c.want, slices.Equal) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
