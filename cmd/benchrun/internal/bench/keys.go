package bench

import (
	"hash/fnv"

	"bayesbench/backends/rng"
)

// purpose separates the uses of a job's seed; the order must not change.
type purpose uint32

const (
	forInit purpose = iota + 1
	forOrder
	forNoise
	forPrediction
	forScoring
	forGradients
	forRefresh
	forCurvature
)

// key is the root of one purpose's random numbers. Training noise of step t of
// stage s has the key key(seed, forNoise).Fold(s).Fold(t), posterior sample k
// the key key(seed, forPrediction).Fold(k), and the loader orders epoch e by
// key(seed, forOrder).
func key(seed uint32, p purpose) rng.Key { return rng.Key{seed, 0}.Fold(uint32(p)) }

// slotStream is the stream from which a slot's initial value is drawn: a hash
// of its name, so that methods which name a weight alike start it alike.
func slotStream(name string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return h.Sum32()
}
