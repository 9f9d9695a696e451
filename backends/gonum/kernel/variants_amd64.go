//go:build amd64 && !noasm

package kernel

import (
	"math"

	"golang.org/x/sys/cpu"
)

//go:generate sh -c "cd gen && go run . -out ../asm_amd64.s -stubs ../asm_amd64.go -pkg kernel"

// variants lists the sets that this CPU can run beyond the portable one.
func variants() []set {
	var v []set
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasBMI2 {
		v = append(v, setAVX2)
	}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && cpu.X86.HasBMI2 {
		v = append(v, setAVX512)
	}
	return v
}

var setAVX2 = set{
	name: "avx2",
	unary: [numUnary]func(dst, x []float32){
		Neg:      negAVX2,
		Abs:      absAVX2,
		Sqrt:     sqrtAVX2,
		Exp:      expAVX2,
		Log:      logAVX2,
		Log1p:    log1pAVX2,
		Sin:      patched(sinNearAVX2, math.Sin),
		Cos:      patched(cosNearAVX2, math.Cos),
		Tanh:     tanhAVX2,
		Floor:    floorAVX2,
		Sign:     signAVX2,
		Sigmoid:  sigmoidAVX2,
		Softplus: softplusAVX2,
		Relu:     reluAVX2,
		Square:   squareAVX2,
		Recip:    recipAVX2,
	},
	binary: [numBinary]func(dst, a, b []float32){
		Add:       addAVX2,
		Sub:       subAVX2,
		Mul:       mulAVX2,
		Div:       divAVX2,
		Max:       maxAVX2,
		Min:       minAVX2,
		Less:      lessAVX2,
		LessEqual: lessEqualAVX2,
		Equal:     equalAVX2,
	},
	binaryScalar: [numBinary]func(dst, a []float32, s float32){
		Add:       addScalarAVX2,
		Sub:       subScalarAVX2,
		Mul:       mulScalarAVX2,
		Div:       divScalarAVX2,
		Max:       maxScalarAVX2,
		Min:       minScalarAVX2,
		Less:      lessScalarAVX2,
		LessEqual: lessEqualScalarAVX2,
		Equal:     equalScalarAVX2,
	},
	scalarBinary: [numBinary]func(dst, b []float32, s float32){
		Add:       addScalarAVX2,
		Sub:       scalarSubAVX2,
		Mul:       mulScalarAVX2,
		Div:       scalarDivAVX2,
		Max:       maxScalarAVX2,
		Min:       minScalarAVX2,
		Less:      scalarLessAVX2,
		LessEqual: scalarLessEqualAVX2,
		Equal:     equalScalarAVX2,
	},
	fma:             fmaAVX2,
	fnma:            fnmaAVX2,
	fmaScalar:       fmaScalarAVX2,
	weighted:        weightedAVX2,
	weightedProduct: weightedProductAVX2,
	overRoot:        overRootAVX2,
	adam:            adamAVX2,
	sel:             selAVX2,
	uniform:         uniformAVX2,
	normal:          normalAVX2,
	sum:             sumAVX2,
	dot:             dotAVX2,
	maxOf:           maxOfAVX2,
	sumExp:          sumExpAVX2,
	maxPairs:        maxPairsAVX2,
	maxPairsGrad:    maxPairsGradAVX2,
	copyRows:        copyRowsOfAVX2,
	prefetch:        prefetchLines,
	transpose:       transposeAVX2,
	winograd: [numWinograd]winogradFunc{
		winogradInput:       winogradInputAVX2,
		winogradInputGrad:   winogradInputGradAVX2,
		winogradOutput4:     winogradOutput4AVX2,
		winogradOutput2:     winogradOutput2AVX2,
		winogradKernel3:     winogradKernel3AVX2,
		winogradKernel5:     winogradKernel5AVX2,
		winogradOutputGrad4: winogradOutputGrad4AVX2,
		winogradOutputGrad2: winogradOutputGrad2AVX2,
		winogradKernelGrad3: winogradKernelGrad3AVX2,
		winogradKernelGrad5: winogradKernelGrad5AVX2,
	},
	dots: &dots{lanes: 8, run: [mostTaps + 1][]dotsFunc{
		3: {nil, dotsAVX2_1x3, dotsAVX2_2x3, dotsAVX2_3x3, dotsAVX2_4x3},
		4: {nil, dotsAVX2_1x4, dotsAVX2_2x4},
		5: {nil, dotsAVX2_1x5, dotsAVX2_2x5},
	}},
	tile: &tile{rows: 6, cols: 16, widths: []int{8, 16}, run: [][]tileFunc{
		{nil, tileAVX2_1x8, tileAVX2_2x8, tileAVX2_3x8, tileAVX2_4x8, tileAVX2_5x8, tileAVX2_6x8},
		{nil, tileAVX2_1x16, tileAVX2_2x16, tileAVX2_3x16, tileAVX2_4x16, tileAVX2_5x16, tileAVX2_6x16},
	}},
}

var setAVX512 = set{
	name: "avx512",
	unary: [numUnary]func(dst, x []float32){
		Neg:      negAVX512,
		Abs:      absAVX512,
		Sqrt:     sqrtAVX512,
		Exp:      expAVX512,
		Log:      logAVX512,
		Log1p:    log1pAVX512,
		Sin:      patched(sinNearAVX512, math.Sin),
		Cos:      patched(cosNearAVX512, math.Cos),
		Tanh:     tanhAVX512,
		Floor:    floorAVX512,
		Sign:     signAVX512,
		Sigmoid:  sigmoidAVX512,
		Softplus: softplusAVX512,
		Relu:     reluAVX512,
		Square:   squareAVX512,
		Recip:    recipAVX512,
	},
	binary: [numBinary]func(dst, a, b []float32){
		Add:       addAVX512,
		Sub:       subAVX512,
		Mul:       mulAVX512,
		Div:       divAVX512,
		Max:       maxAVX512,
		Min:       minAVX512,
		Less:      lessAVX512,
		LessEqual: lessEqualAVX512,
		Equal:     equalAVX512,
	},
	binaryScalar: [numBinary]func(dst, a []float32, s float32){
		Add:       addScalarAVX512,
		Sub:       subScalarAVX512,
		Mul:       mulScalarAVX512,
		Div:       divScalarAVX512,
		Max:       maxScalarAVX512,
		Min:       minScalarAVX512,
		Less:      lessScalarAVX512,
		LessEqual: lessEqualScalarAVX512,
		Equal:     equalScalarAVX512,
	},
	scalarBinary: [numBinary]func(dst, b []float32, s float32){
		Add:       addScalarAVX512,
		Sub:       scalarSubAVX512,
		Mul:       mulScalarAVX512,
		Div:       scalarDivAVX512,
		Max:       maxScalarAVX512,
		Min:       minScalarAVX512,
		Less:      scalarLessAVX512,
		LessEqual: scalarLessEqualAVX512,
		Equal:     equalScalarAVX512,
	},
	fma:             fmaAVX512,
	fnma:            fnmaAVX512,
	fmaScalar:       fmaScalarAVX512,
	weighted:        weightedAVX512,
	weightedProduct: weightedProductAVX512,
	overRoot:        overRootAVX512,
	adam:            adamAVX512,
	sel:             selAVX512,
	uniform:         uniformAVX512,
	normal:          normalAVX512,
	copyRows:        copyRowsOfAVX512,
	transpose:       transposeAVX512,
	winograd: [numWinograd]winogradFunc{
		winogradInput:       winogradInputAVX512,
		winogradInputGrad:   winogradInputGradAVX512,
		winogradOutput4:     winogradOutput4AVX512,
		winogradOutput2:     winogradOutput2AVX512,
		winogradKernel3:     winogradKernel3AVX512,
		winogradKernel5:     winogradKernel5AVX512,
		winogradOutputGrad4: winogradOutputGrad4AVX512,
		winogradOutputGrad2: winogradOutputGrad2AVX512,
		winogradKernelGrad3: winogradKernelGrad3AVX512,
		winogradKernelGrad5: winogradKernelGrad5AVX512,
	},
	dots: &dots{lanes: 16, run: [mostTaps + 1][]dotsFunc{
		3: {nil, dotsAVX512_1x3, dotsAVX512_2x3, dotsAVX512_3x3, dotsAVX512_4x3, dotsAVX512_5x3, dotsAVX512_6x3, dotsAVX512_7x3, dotsAVX512_8x3},
		4: {nil, dotsAVX512_1x4, dotsAVX512_2x4, dotsAVX512_3x4, dotsAVX512_4x4, dotsAVX512_5x4, dotsAVX512_6x4},
		5: {nil, dotsAVX512_1x5, dotsAVX512_2x5, dotsAVX512_3x5, dotsAVX512_4x5, dotsAVX512_5x5},
	}},
	tile: &tile{rows: 14, cols: 32, widths: []int{8, 16, 32}, run: [][]tileFunc{
		{nil, tileAVX512_1x8, tileAVX512_2x8, tileAVX512_3x8, tileAVX512_4x8, tileAVX512_5x8, tileAVX512_6x8, tileAVX512_7x8, tileAVX512_8x8, tileAVX512_9x8, tileAVX512_10x8, tileAVX512_11x8, tileAVX512_12x8, tileAVX512_13x8, tileAVX512_14x8},
		{nil, tileAVX512_1x16, tileAVX512_2x16, tileAVX512_3x16, tileAVX512_4x16, tileAVX512_5x16, tileAVX512_6x16, tileAVX512_7x16, tileAVX512_8x16, tileAVX512_9x16, tileAVX512_10x16, tileAVX512_11x16, tileAVX512_12x16, tileAVX512_13x16, tileAVX512_14x16},
		{nil, tileAVX512_1x32, tileAVX512_2x32, tileAVX512_3x32, tileAVX512_4x32, tileAVX512_5x32, tileAVX512_6x32, tileAVX512_7x32, tileAVX512_8x32, tileAVX512_9x32, tileAVX512_10x32, tileAVX512_11x32, tileAVX512_12x32, tileAVX512_13x32, tileAVX512_14x32},
	}},
}

func transposeAVX2(dst []float32, ldd int, x []float32, ldx, rows, cols int) {
	whole := cols &^ 7
	i := 0
	if whole > 0 {
		for ; i+8 <= rows; i += 8 {
			transpose8AVX2(&dst[i], ldd, &x[i*ldx], ldx, 8, whole)
		}
	}
	if i > 0 && whole < cols {
		transposeGo(dst[whole*ldd:], ldd, x[whole:], ldx, i, cols-whole)
	}
	if i == rows {
		return
	}
	// What the kernel stores beyond a column's end is the beginning of the
	// next columns where there are no other rows and no gaps.
	done := 0
	if i == 0 && ldd == rows && whole > 8 {
		done = whole - 8
		transpose8AVX2(&dst[0], ldd, &x[0], ldx, rows, done)
	}
	transposeGo(dst[done*ldd+i:], ldd, x[i*ldx+done:], ldx, rows-i, cols-done)
}

func transposeAVX512(dst []float32, ldd int, x []float32, ldx, rows, cols int) {
	for i := 0; i < rows; i += 16 {
		n, done := min(16, rows-i), 0
		if n <= 8 && cols >= 8 {
			done = cols &^ 7
			transpose8AVX512(&dst[i], ldd, &x[i*ldx], ldx, n, done)
		}
		if done < cols {
			transpose16AVX512(&dst[done*ldd+i], ldd, &x[i*ldx+done], ldx, n, cols-done)
		}
	}
}

func copyRowsOfAVX2(dst []float32, ldd int, x []float32, ldx, rows, cols int) {
	if rows > 0 && (cols == 8 || cols == 16) {
		copyRowsAVX2(&dst[0], ldd, &x[0], ldx, rows, cols)
	} else {
		copyRowsGo(dst, ldd, x, ldx, rows, cols)
	}
}

func copyRowsOfAVX512(dst []float32, ldd int, x []float32, ldx, rows, cols int) {
	if rows > 0 && cols > 0 && cols <= 32 {
		copyRowsAVX512(&dst[0], ldd, &x[0], ldx, rows, cols)
	} else {
		copyRowsGo(dst, ldd, x, ldx, rows, cols)
	}
}

// patched makes a function of all x from f, which holds for |x| ≤ 2¹⁴ only, and
// far, one element at a time.
func patched(f func(dst, x []float32), far func(float64) float64) func(dst, x []float32) {
	return func(dst, x []float32) {
		for len(x) > 0 {
			var kept [64]float32
			n := copy(kept[:], x)
			outside := false
			for _, v := range kept[:n] {
				outside = outside || !(v <= 1<<14 && v >= -1<<14)
			}
			f(dst[:n], x[:n])
			if outside {
				for i, v := range kept[:n] {
					if !(v <= 1<<14 && v >= -1<<14) {
						dst[i] = float32(far(float64(v)))
					}
				}
			}
			dst, x = dst[n:], x[n:]
		}
	}
}
