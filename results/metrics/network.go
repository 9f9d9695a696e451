package metrics

import mathbits "math/bits"

func init() {
	register(Network,
		Metric{Unit: "parameters", Better: Lower, Short: "number of parameters of one network, all tensors"},
		Metric{Unit: "flops", Better: Lower, Short: "floating-point operations of one forward pass of one input, a multiply-add counted as two; in batches of 500, which share what is computed once a batch"},
		Metric{Unit: "sparsity", Better: Higher, Short: "share of zeros among the weights; biases and normalisation are not counted"},
		Metric{Unit: "compression", Better: Higher, Short: "|W| / |W≠0| over the weights"},
		Metric{Unit: "compression-storage", Better: Higher, Short: "32 |W| over the bits that store them: dense, or nonzero values and their positions where that is less"},
		Metric{Unit: "bits_per_weight", Better: Lower, Short: "bits that store the weights over |W|: dense float32, or 32 bits and a position a nonzero value where that is less"},
	)
}

// Tensor is the count of one weight tensor of a pruned network. Only weights
// are counted: biases, batch normalisation's scale and shift and the posterior's
// variances are not.
type Tensor struct {
	Name    string
	Weights int // |W|
	Nonzero int // |W≠0|
}

// CountNonzero counts a weight tensor whose pruned weights are exactly zero.
func CountNonzero(name string, weights []float32) Tensor {
	t := Tensor{Name: name, Weights: len(weights)}
	for _, w := range weights {
		if w != 0 {
			t.Nonzero++
		}
	}
	return t
}

// Total adds tensors up.
func Total(tensors []Tensor) Tensor {
	total := Tensor{Name: "total"}
	for _, t := range tensors {
		total.Weights += t.Weights
		total.Nonzero += t.Nonzero
	}
	return total
}

// Sparsity is 1 − |W≠0| / |W|; NaN for an empty tensor.
func (t Tensor) Sparsity() float64 { return 1 - float64(t.Nonzero)/float64(t.Weights) }

// Compression is |W| / |W≠0|, +Inf where nothing is left. Source: Molchanov,
// Ashukha, Vetrov (2017), "Variational dropout sparsifies deep neural
// networks", table 1.
func (t Tensor) Compression() float64 { return float64(t.Weights) / float64(t.Nonzero) }

// StoredBits is what the tensors take in the smaller of two forms, each tensor in its own: dense, 32 bits a weight; or
// sparse, for each weight that is not zero 32 bits and the ⌈log₂|W|⌉ bits of its position. Han, Mao, Dally (2016), "Deep
// compression", store less by quantised values, relative positions and Huffman's code, which none of the methods here
// give.
func StoredBits(tensors []Tensor) float64 {
	bits := 0.0
	for _, t := range tensors {
		position := mathbits.Len(uint(max(0, t.Weights-1)))
		bits += 32 * min(float64(t.Weights), float64(t.Nonzero)*(1+float64(position)/32))
	}
	return bits
}

// BitsPerWeight is [StoredBits] over the number of weights.
func BitsPerWeight(tensors []Tensor) float64 {
	return StoredBits(tensors) / float64(Total(tensors).Weights)
}

// StorageCompression is 32 / [BitsPerWeight]: less than [Tensor.Compression], because positions are stored too.
func StorageCompression(tensors []Tensor) float64 { return 32 / BitsPerWeight(tensors) }
