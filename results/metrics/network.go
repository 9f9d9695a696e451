package metrics

func init() {
	register(Network,
		Metric{Unit: "parameters", Better: Lower, Short: "number of parameters of one network, all tensors"},
		Metric{Unit: "flops", Better: Lower, Short: "floating-point operations of one forward pass of one input, a multiply-add counted as two"},
		Metric{Unit: "sparsity", Better: Higher, Short: "share of zeros among the weights; biases and normalisation are not counted"},
		Metric{Unit: "compression", Better: Higher, Short: "|W| / |W≠0| over the weights"},
		Metric{Unit: "compression-storage", Better: Higher, Short: "32 |W| over the bits of values, indices and codebook"},
		Metric{Unit: "bits_per_weight", Better: Lower, Short: "bits of values, indices and codebook over |W|"},
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

// Encoding says how many bits store a pruned tensor.
type Encoding struct {
	ValueBits    int // of each nonzero value: 32, or log2 of the codebook's length
	IndexBits    int // of each nonzero value's position; 0 for a dense tensor
	CodebookBits int // once per tensor
}

// Bits is |W≠0|·(value + index bits) + codebook bits, or |W|·value bits +
// codebook bits where there are no indices (Han, Mao, Dally 2016, "Deep
// compression", section 3, without the padding of relative indices).
func (e Encoding) Bits(t Tensor) float64 {
	stored := t.Nonzero
	if e.IndexBits == 0 {
		stored = t.Weights
	}
	return float64(stored)*float64(e.ValueBits+e.IndexBits) + float64(e.CodebookBits)
}

// BitsPerWeight is the bits of all tensors over all their weights.
func (e Encoding) BitsPerWeight(tensors []Tensor) float64 {
	bits := 0.0
	for _, t := range tensors {
		bits += e.Bits(t)
	}
	return bits / float64(Total(tensors).Weights)
}

// StorageCompression is 32 / [Encoding.BitsPerWeight].
func (e Encoding) StorageCompression(tensors []Tensor) float64 {
	return 32 / e.BitsPerWeight(tensors)
}
