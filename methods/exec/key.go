package exec

import (
	"hash/fnv"

	"bayesbench/backends/rng"
)

// Purpose separates the uses of a job's seed.
type Purpose uint32

// The purposes. Their order must not change: it decides every random number.
const (
	ForInit       Purpose = iota + 1 // the first values of slots
	ForOrder                         // the order of training examples, augmentation, mixup
	ForNoise                         // the noise of training steps
	ForPrediction                    // the noise of posterior samples
	ForScoring
	ForGradients // the noise of the estimators of a gradient
	ForRefresh   // the order of the batches that refresh batch normalisation
	ForCurvature // the vector from which the largest curvature is sought
)

// Key is the root of one purpose's random numbers. The noise of step t of stage s
// has the key Key(seed, ForNoise).Fold(s).Fold(t), posterior sample k the key
// Key(seed, ForPrediction).Fold(k), and a loader orders epoch e by
// Key(seed, ForOrder).
func Key(seed uint32, p Purpose) rng.Key { return rng.Key{seed, 0}.Fold(uint32(p)) }

// SlotStream is the stream from which a slot's first value is drawn: a hash of
// its name, so that methods which name a weight alike start it alike.
func SlotStream(name string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return h.Sum32()
}
