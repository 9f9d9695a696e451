package kernel

// Gemm describes a matrix product C = epilogue(op(A)·op(B)), or with
// Accumulate C = epilogue(C + op(A)·op(B)). op(A) is M×K, op(B) K×N, C M×N,
// row-major with leading dimensions LDA, LDB, LDC; 0 means densely packed.
type Gemm struct {
	M, N, K        int
	TransA, TransB bool // the operand is stored transposed
	LDA, LDB, LDC  int
	MapA, MapB     UnaryOp // applied to each element of A, B as it is packed
	Scale          float32 // multiplies the product; 0 means 1
	Accumulate     bool
	Relu           bool // C = max(C, 0), after the bias
}

// Bias is what the epilogue adds to C. A nil part adds nothing.
type Bias struct {
	Row []float32 // Row[j] is added to column j: a row vector added to each row
	Col []float32 // Col[i] is added to row i
}

const (
	// maxK bounds the length of one chain of multiply-adds: K is cut into
	// equal parts of at most this many, so that a packed panel stays in cache.
	maxK = 1024
	// maxPanel bounds the packed block of B that one worker holds, in floats:
	// half of a 1 MB second-level cache.
	maxPanel = 128 << 10
	// A product of more than sliceK terms and at most sliceMN results is cut
	// along K into up to maxSlices parts that are computed apart.
	sliceK    = 4096
	sliceMN   = 1 << 15
	maxSlices = 16
)

// tileFunc computes a tile of h rows and w columns, which are fixed for each
// function:
//
//	c[r·ldc+j] (+)= Σ a[r + …]·b[j + …]   for r < h, j < cols ≤ w
//
// over segments of k terms; each term lies astep floats of a and bstep of b
// after the one before, each segment askip and bskip further. It reads w
// columns of b whatever cols is.
type tileFunc = func(k, segments int, a, b, c []float32, astep, bstep, askip, bskip, ldc, cols, accumulate int)

// tile is the register tiles of one instruction set.
type tile struct {
	rows   int          // most rows of a tile
	cols   int          // most columns: the last width
	widths []int        // ascending
	run    [][]tileFunc // by index of the width and by rows
}

// size returns the least width that holds cols columns, and its index.
func (t *tile) size(cols int) (index, width int) {
	for index, width = range t.widths {
		if width >= cols {
			break
		}
	}
	return index, width
}

// width is the number of lanes that cols columns take in panels.
func (t *tile) width(cols int) int {
	whole := cols / t.cols * t.cols
	if whole == cols {
		return whole
	}
	_, w := t.size(cols - whole)
	return whole + w
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

func roundUp(a, b int) int { return ceilDiv(a, b) * b }

// panels cuts n rows into equal parts of at most most, and returns how many.
func panels(n, most int) int { return ceilDiv(n, most) }

// part returns the half-open range of part i of n cut into parts equal parts.
func part(n, parts, i int) (lo, hi int) { return i * n / parts, (i + 1) * n / parts }

// kParts is the number of parts that a chain of k terms is cut into.
func kParts(k int) int { return max(1, ceilDiv(k, maxK)) }

// slices is the number of parts along K that are computed apart, a function of
// the shape alone.
func (g *Gemm) slices() int {
	if g.K < sliceK || g.M*g.N > sliceMN {
		return 1
	}
	return min(maxSlices, g.K/(sliceK/2))
}

// defaults returns g with leading dimensions filled in.
func (g *Gemm) defaults() Gemm {
	d := *g
	fill := func(ld *int, trans bool, rows, cols int) {
		if trans {
			rows, cols = cols, rows
		}
		if *ld == 0 {
			*ld = cols
		}
		if *ld < cols {
			panic("kernel: leading dimension below the length of a row")
		}
	}
	fill(&d.LDA, d.TransA, d.M, d.K)
	fill(&d.LDB, d.TransB, d.K, d.N)
	fill(&d.LDC, false, d.M, d.N)
	return d
}

// split is how a product is cut into tasks. None of it changes a result.
type split struct {
	kc               int // longest part of K
	rowParts, panels int // tasks along M; panels of A
	colParts, width  int // tasks along N, each this wide
	byRows           bool
}

// minRows is the least M of a product that is cut by rows.
const minRows = 64

// ByRows reports whether the product is best cut along M alone, as [Bands] are.
// It is where B is a batch and A has a row for each of many neurons.
func (g *Gemm) ByRows() bool {
	return g.M >= minRows && g.K > 0 && g.slices() == 1 && g.K*roundUp(g.N, 16) <= maxPanel
}

func (g *Gemm) split(workers int) split {
	t := active.tile
	s := split{kc: ceilDiv(g.K, kParts(g.K)), panels: panels(g.M, t.rows)}
	if g.ByRows() && s.panels >= 2*workers {
		s.byRows, s.width = true, g.N
		return s
	}
	s.width = max(t.cols, maxPanel/max(1, s.kc)/t.cols*t.cols)
	if g.TransA && s.panels >= 2*workers {
		// The gradient of weights: rows of it go to the worker that holds the
		// rows of the weights in the forward pass and in the update.
		s.width = min(s.width, roundUp(g.N, t.cols))
		s.colParts, s.rowParts = ceilDiv(g.N, s.width), workers
		return s
	}
	s.width = min(s.width, roundUp(ceilDiv(g.N, workers), t.cols))
	s.colParts = ceilDiv(g.N, s.width)
	s.rowParts = 1
	if s.colParts < workers {
		s.rowParts = min(s.panels, ceilDiv(2*workers, s.colParts))
	}
	return s
}

// GemmScratch returns how many floats of scratch Pool.Gemm needs for g.
func (p *Pool) GemmScratch(g *Gemm) int {
	if n := g.slices(); n > 1 {
		return n*g.M*g.N + p.workers*soloScratch(g.M, g.N, ceilDiv(g.K, n))
	}
	s := g.split(p.workers)
	if s.byRows {
		return p.workers * g.bandScratch()
	}
	return g.M*s.kc + p.workers*s.kc*roundUp(s.width, active.tile.cols)
}

// gemmRun is the product that the pool is working on.
type gemmRun struct {
	pool                 *Pool
	g                    Gemm
	split                split
	c, a, b              []float32
	bias                 Bias
	packedA              []float32
	private              []float32 // a part for every worker
	perWorker            int
	slices               int
	partial              []float32 // slices × M × N
	k0, k1               int
	bands                Bands
	packTask, multiply   func(task, worker int)
	sliceTask, joinSlice func(task, worker int)
	band                 func(band, worker int)
}

func (r *gemmRun) init(p *Pool) {
	r.pool = p
	r.packTask, r.multiply, r.sliceTask, r.joinSlice = r.doPack, r.doMultiply, r.doSlice, r.doJoin
	r.bands.has = make([]bool, p.workers)
	r.band = r.bands.Do
}

// Gemm computes the product that g describes.
func (p *Pool) Gemm(g *Gemm, c, a, b []float32, bias Bias) {
	r := &p.gemm
	r.g, r.c, r.a, r.b, r.bias = g.defaults(), c, a, b, bias
	if g.M == 0 || g.N == 0 {
		return
	}
	if g.K == 0 {
		r.withoutTerms()
		return
	}
	p.Reserve(p.GemmScratch(g))
	if r.slices = g.slices(); r.slices > 1 {
		r.perWorker = soloScratch(g.M, g.N, ceilDiv(g.K, r.slices))
		r.partial = p.scratch[:r.slices*g.M*g.N]
		r.private = p.scratch[len(r.partial):]
		p.Run(r.slices, r.sliceTask)
		p.Run(r.joinTasks(), r.joinSlice)
	} else if r.split = g.split(p.workers); r.split.byRows {
		r.bands.g = r.g
		r.bands.Begin(c, a, b, bias, p.scratch)
		p.Run(r.bands.Count(), r.band)
		r.bands.End()
	} else {
		r.perWorker = r.split.kc * roundUp(r.split.width, active.tile.cols)
		r.packedA = p.scratch[:g.M*r.split.kc]
		r.private = p.scratch[len(r.packedA):]
		parts := kParts(g.K)
		for i := range parts {
			r.k0, r.k1 = part(g.K, parts, i)
			p.Run(r.split.panels, r.packTask)
			p.Run(r.split.rowParts*r.split.colParts, r.multiply)
		}
	}
	r.c, r.a, r.b, r.bias = nil, nil, nil, Bias{}
}

// withoutTerms is the product with K = 0.
func (r *gemmRun) withoutTerms() {
	g := &r.g
	for i := range g.M {
		if row := r.c[i*g.LDC : i*g.LDC+g.N]; !g.Accumulate {
			Fill(row, 0)
		}
	}
	epilogue(g, r.c, &r.bias, 0, g.M, 0, g.N)
}

// doPack packs one panel of A.
func (r *gemmRun) doPack(task, _ int) {
	lo, hi := part(r.g.M, r.split.panels, task)
	kc := r.k1 - r.k0
	packA(&r.g, r.packedA[lo*kc:hi*kc], r.a, lo, hi, r.k0, r.k1)
}

// doMultiply packs a block of B and multiplies its part of A with it.
func (r *gemmRun) doMultiply(task, worker int) {
	g, s := &r.g, &r.split
	j0 := task % s.colParts * s.width
	j1 := min(g.N, j0+s.width)
	kc := r.k1 - r.k0
	packed := r.private[worker*r.perWorker : (worker+1)*r.perWorker]
	packB(g, packed, r.b, r.k0, r.k1, j0, j1)

	p0, p1 := part(s.panels, s.rowParts, task/s.colParts)
	accumulate := g.Accumulate || r.k0 > 0
	for p := p0; p < p1; p++ {
		lo, hi := part(g.M, s.panels, p)
		multiplyPanel(g, r.c[lo*g.LDC+j0:], r.packedA[lo*kc:hi*kc], packed, hi-lo, j1-j0, kc, accumulate)
	}
	if r.k1 == g.K {
		lo, _ := part(g.M, s.panels, p0)
		_, hi := part(g.M, s.panels, p1-1)
		epilogue(g, r.c, &r.bias, lo, hi, j0, j1)
	}
}

// multiplyPanel multiplies one panel of A, h high, with all panels of a block
// of B, n wide.
func multiplyPanel(g *Gemm, c, a, b []float32, h, n, kc int, accumulate bool) {
	t := active.tile
	for j := 0; j < n; j += t.cols {
		cols := min(t.cols, n-j)
		i, w := t.size(cols)
		t.run[i][h](kc, 1, a, b[j*kc:], c[j:], h, w, 0, 0, g.LDC, cols, int(mask(accumulate)))
	}
}

// packA writes rows lo..hi of op(A), k from k0 to k1, as one panel.
func packA(g *Gemm, dst, a []float32, lo, hi, k0, k1 int) {
	h, kc := hi-lo, k1-k0
	if g.TransA {
		active.copyRows(dst, h, a[k0*g.LDA+lo:], g.LDA, kc, h)
	} else {
		transpose(dst, h, a[lo*g.LDA+k0:], g.LDA, h, kc)
	}
	if g.MapA != Identity {
		active.unary[g.MapA](dst, dst)
	}
	if g.Scale != 0 && g.Scale != 1 {
		active.binaryScalar[Mul](dst, dst, g.Scale)
	}
}

// packB writes columns j0..j1 of op(B), k from k0 to k1, as panels. The lanes
// that fill the last panel up to a tile's width are left as they
// are: no result is computed from them.
func packB(g *Gemm, dst, b []float32, k0, k1, j0, j1 int) {
	t, kc := active.tile, k1-k0
	for j := j0; j < j1; j += t.cols {
		cols := min(t.cols, j1-j)
		_, w := t.size(cols)
		panel := dst[(j-j0)*kc : (j-j0+w)*kc]
		if g.TransB {
			transpose(panel, w, b[j*g.LDB+k0:], g.LDB, cols, kc)
		} else {
			active.copyRows(panel, w, b[k0*g.LDB+j:], g.LDB, kc, cols)
		}
		if g.MapB != Identity {
			active.unary[g.MapB](panel, panel)
		}
	}
}

// copyRowsGo copies rows of cols floats between matrices of different strides.
func copyRowsGo(dst []float32, ldd int, x []float32, ldx, rows, cols int) {
	for i := range rows {
		copy(dst[i*ldd:i*ldd+cols], x[i*ldx:i*ldx+cols])
	}
}

// epilogue adds the bias to a block of C and applies the activation.
func epilogue(g *Gemm, c []float32, bias *Bias, i0, i1, j0, j1 int) {
	if bias.Row == nil && bias.Col == nil && !g.Relu {
		return
	}
	for i := i0; i < i1; i++ {
		row := c[i*g.LDC+j0 : i*g.LDC+j1]
		if bias.Row != nil {
			active.binary[Add](row, row, bias.Row[j0:j1])
		}
		if bias.Col != nil {
			active.binaryScalar[Add](row, row, bias.Col[i])
		}
		if g.Relu {
			active.unary[Relu](row, row)
		}
	}
}

// soloScratch is the scratch of a product that one worker computes alone.
func soloScratch(m, n, k int) int {
	kc := ceilDiv(k, kParts(k))
	return m*kc + kc*soloWidth(n, kc)
}

// soloWidth is how many columns of B a worker on its own packs at a time.
func soloWidth(n, kc int) int {
	t := active.tile
	return min(roundUp(n, t.cols), max(t.cols, maxPanel/max(1, kc)/t.cols*t.cols))
}

// solo computes the product of g over k from k0 to k1 on the calling worker,
// with soloScratch floats of scratch, and without an epilogue.
func solo(g *Gemm, c, a, b []float32, k0, k1 int, scratch []float32) {
	t := active.tile
	parts := kParts(k1 - k0)
	rows := panels(g.M, t.rows)
	for i := range parts {
		lo, hi := part(k1-k0, parts, i)
		lo, hi = lo+k0, hi+k0
		kc := hi - lo
		packedA, packedB := scratch[:g.M*kc], scratch[g.M*kc:]
		for p := range rows {
			r0, r1 := part(g.M, rows, p)
			packA(g, packedA[r0*kc:r1*kc], a, r0, r1, lo, hi)
		}
		width := soloWidth(g.N, kc)
		for j0 := 0; j0 < g.N; j0 += width {
			j1 := min(g.N, j0+width)
			packB(g, packedB, b, lo, hi, j0, j1)
			for p := range rows {
				r0, r1 := part(g.M, rows, p)
				multiplyPanel(g, c[r0*g.LDC+j0:], packedA[r0*kc:r1*kc], packedB, r1-r0, j1-j0, kc, g.Accumulate || lo > k0)
			}
		}
	}
}

// doSlice computes one slice of K into its own partial result.
func (r *gemmRun) doSlice(task, worker int) {
	g := r.g
	g.LDC, g.Accumulate = g.N, false
	k0, k1 := part(g.K, r.slices, task)
	scratch := r.private[worker*r.perWorker : (worker+1)*r.perWorker]
	solo(&g, r.partial[task*g.M*g.N:(task+1)*g.M*g.N], r.a, r.b, k0, k1, scratch)
}

func (r *gemmRun) joinTasks() int { return min(r.g.M, 4*r.pool.workers) }

// doJoin adds the partial results of a range of rows in the order of slices.
func (r *gemmRun) doJoin(task, _ int) {
	g := &r.g
	lo, hi := part(g.M, r.joinTasks(), task)
	for i := lo; i < hi; i++ {
		row := r.c[i*g.LDC : i*g.LDC+g.N]
		s := 0
		if !g.Accumulate {
			copy(row, r.partial[i*g.N:(i+1)*g.N])
			s = 1
		}
		for ; s < r.slices; s++ {
			at := (s*g.M + i) * g.N
			active.binary[Add](row, row, r.partial[at:at+g.N])
		}
	}
	epilogue(g, r.c, &r.bias, lo, hi, 0, g.N)
}

// tileGo is the portable tiles, of up to 4 rows and 8 columns.
var tileGo = tile{rows: 4, cols: 8, widths: []int{8}, run: [][]tileFunc{{nil, portableTile(1), portableTile(2), portableTile(3), portableTile(4)}}}

func portableTile(h int) tileFunc {
	return func(k, segments int, a, b, c []float32, astep, bstep, askip, bskip, ldc, cols, accumulate int) {
		var acc [4][8]float32
		atA, atB := 0, 0
		for range segments {
			for range k {
				bv := (*[8]float32)(b[atB:])
				for i, av := range a[atA : atA+h] {
					row := &acc[i]
					for j, v := range bv {
						row[j] += av * v
					}
				}
				atA += astep
				atB += bstep
			}
			atA += askip
			atB += bskip
		}
		for i := range h {
			row := c[i*ldc : i*ldc+cols]
			for j := range row {
				if accumulate != 0 {
					row[j] += acc[i][j]
				} else {
					row[j] = acc[i][j]
				}
			}
		}
	}
}
