package metrics

import (
	mathbits "math/bits"

	"bayesbench/results"
)

func init() {
	register(Network,
		Metric{Unit: "parameters", Better: results.Lower, Short: "number of parameters of one network, all tensors"},
		Metric{Unit: "flops", Better: results.Lower, Short: "floating-point operations of one forward pass of one input, a multiply-add counted as two; in batches of 500, which share what is computed once a batch"},
		Metric{Unit: "sparsity", Better: results.Higher, Short: "share of zeros among the weights; biases and normalisation are not counted"},
		Metric{Unit: "compression", Better: results.Higher, Short: "|W| / |W≠0| over the weights"},
		Metric{Unit: "compression-storage", Better: results.Higher, Short: "32 |W| over the bits that store them: dense, or nonzero values and their positions where that is less"},
		Metric{Unit: "bits_per_weight", Better: results.Lower, Short: "bits that store the weights over |W|: dense float32, or 32 bits and a position a nonzero value where that is less"},
	)
}

// Total adds layers up.
func Total(layers []results.Layer) results.Layer {
	total := results.Layer{Name: "total"}
	for _, l := range layers {
		total.Weights += l.Weights
		total.NonZero += l.NonZero
	}
	return total
}

// Sparsity is 1 − |W≠0| / |W|; NaN for an empty layer.
func Sparsity(l results.Layer) float64 { return 1 - float64(l.NonZero)/float64(l.Weights) }

// Compression is |W| / |W≠0|, +Inf where nothing is left. Source: Molchanov, Ashukha, Vetrov
// (2017), "Variational dropout sparsifies deep neural networks", table 1.
func Compression(l results.Layer) float64 { return float64(l.Weights) / float64(l.NonZero) }

// StoredBits is what the layers take in the smaller of two forms, each layer in its own: dense, 32
// bits a weight; or sparse, for each weight that is not zero 32 bits and the ⌈log₂|W|⌉ bits of its
// position. Han, Mao, Dally (2016), "Deep compression", store less by quantised values, relative
// positions and Huffman's code, which none of the methods here give.
func StoredBits(layers []results.Layer) float64 {
	bits := 0.0
	for _, l := range layers {
		position := mathbits.Len(uint(max(0, l.Weights-1)))
		bits += 32 * min(float64(l.Weights), float64(l.NonZero)*(1+float64(position)/32))
	}
	return bits
}

// BitsPerWeight is [StoredBits] over the number of weights.
func BitsPerWeight(layers []results.Layer) float64 {
	return StoredBits(layers) / float64(Total(layers).Weights)
}

// StorageCompression is 32 / [BitsPerWeight]: less than [Compression], because positions are stored
// too.
func StorageCompression(layers []results.Layer) float64 { return 32 / BitsPerWeight(layers) }
