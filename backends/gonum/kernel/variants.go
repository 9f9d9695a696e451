package kernel

// set is the kernels of one instruction set. A nil entry is left to the set
// before it; the portable set has them all.
type set struct {
	name            string
	unary           [numUnary]func(dst, x []float32)
	binary          [numBinary]func(dst, a, b []float32)
	binaryScalar    [numBinary]func(dst, a []float32, s float32)
	scalarBinary    [numBinary]func(dst, b []float32, s float32)
	fma             func(dst, a, b, c []float32)
	fnma            func(dst, a, b, c []float32)
	fmaScalar       func(dst, a, c []float32, s float32)
	weighted        func(dst, a, b []float32, s, t float32)
	weightedProduct func(dst, a, b, c []float32, s, t float32)
	overRoot        func(dst, a, b []float32, s float32)
	adam            func(w1, m1, v1, w, m, v, g []float32, k *[6]float32)
	sel             func(dst, cond, a, b []float32)
	transpose       func(dst []float32, ldd int, x []float32, ldx, rows, cols int)

	// c0 is the counter of dst[0].
	uniform, normal func(dst []float32, k0, k1, c0, c1 uint32)

	sum, maxOf   func(x []float32) float32
	dot          func(a, b []float32) float32
	sumExp       func(x []float32) float32 // Σ exp(x)
	maxPairs     func(dst, a, b []float32) // of 2×2 pooling, see window.go
	maxPairsGrad func(da, db, a, b, g []float32)
	copyRows     func(dst []float32, ldd int, x []float32, ldx, rows, cols int)
	prefetch     func(x []float32) // nil where the CPU does as well on its own
	winograd     [numWinograd]winogradFunc
	tile         *tile // of the matrix product
	dots         *dots // of gradients of weights
}

// portable is the Go twins.
var portable = func() set {
	s := set{
		name:            Portable,
		unary:           unaryGo,
		fma:             fmaGo,
		fnma:            fnmaGo,
		fmaScalar:       fmaScalarGo,
		weighted:        weightedGo,
		weightedProduct: weightedProductGo,
		overRoot:        overRootGo,
		adam:            adamGo,
		sel:             selGo,
		transpose:       transposeGo,
		uniform:         uniformGo,
		normal:          normalGo,
		sum:             sumGo,
		maxOf:           maxOfGo,
		dot:             dotGo,
		sumExp:          sumExpGo,
		maxPairs:        maxPairsGo,
		maxPairsGrad:    maxPairsGradGo,
		copyRows:        copyRowsGo,
		winograd:        winogradGo,
		tile:            &tileGo,
		dots:            &dotsGo,
	}
	for op := range numBinary {
		s.binary[op] = binaryGo(op)
		s.binaryScalar[op] = binaryScalarGo(op)
		s.scalarBinary[op] = scalarBinaryGo(op)
	}
	return s
}()

// active is what the exported functions run: the portable set, with every set
// that this CPU can run laid over it in order.
var active = func() set {
	s := portable
	for _, v := range variants() {
		s = s.overlaid(v)
	}
	return s
}()

// overlaid returns s with the non-nil entries of v in place of its own.
func (s set) overlaid(v set) set {
	s.name = v.name
	overlay(s.unary[:], v.unary[:], func(f func(dst, x []float32)) bool { return f != nil })
	overlay(s.binary[:], v.binary[:], func(f func(dst, a, b []float32)) bool { return f != nil })
	overlay(s.binaryScalar[:], v.binaryScalar[:], func(f func(dst, a []float32, s float32)) bool { return f != nil })
	overlay(s.scalarBinary[:], v.scalarBinary[:], func(f func(dst, b []float32, s float32)) bool { return f != nil })
	overlay(s.winograd[:], v.winograd[:], func(f winogradFunc) bool { return f != nil })
	if v.fma != nil {
		s.fma = v.fma
	}
	if v.fnma != nil {
		s.fnma = v.fnma
	}
	if v.fmaScalar != nil {
		s.fmaScalar = v.fmaScalar
	}
	if v.weighted != nil {
		s.weighted = v.weighted
	}
	if v.weightedProduct != nil {
		s.weightedProduct = v.weightedProduct
	}
	if v.overRoot != nil {
		s.overRoot = v.overRoot
	}
	if v.adam != nil {
		s.adam = v.adam
	}
	if v.sel != nil {
		s.sel = v.sel
	}
	if v.transpose != nil {
		s.transpose = v.transpose
	}
	if v.uniform != nil {
		s.uniform = v.uniform
	}
	if v.normal != nil {
		s.normal = v.normal
	}
	if v.sum != nil {
		s.sum = v.sum
	}
	if v.maxOf != nil {
		s.maxOf = v.maxOf
	}
	if v.dot != nil {
		s.dot = v.dot
	}
	if v.sumExp != nil {
		s.sumExp = v.sumExp
	}
	if v.maxPairs != nil {
		s.maxPairs = v.maxPairs
	}
	if v.maxPairsGrad != nil {
		s.maxPairsGrad = v.maxPairsGrad
	}
	if v.copyRows != nil {
		s.copyRows = v.copyRows
	}
	s.prefetch = v.prefetch // what helps one CPU may hinder another
	if v.tile != nil {
		s.tile = v.tile
	}
	if v.dots != nil {
		s.dots = v.dots
	}
	return s
}

func overlay[F any](dst, src []F, set func(F) bool) {
	for i, f := range src {
		if set(f) {
			dst[i] = f
		}
	}
}

// Portable is the name of the variant in Go, for every processor.
const Portable = "portable"

// Variant names the instruction set whose kernels run.
func Variant() string { return active.name }
