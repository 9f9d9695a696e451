package metrics

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"bayesbench/backends/rng"
	"bayesbench/internal/neartest"
)

// sample is one drawn evaluation: members of some form with labels, and
// members of the same form on other inputs.
type sample struct {
	form         Form
	members, out [][][]float64
	labels       []int
}

// draw returns a sample of shape [k,n,c] of a kind that makes rankings hard:
//
//	0  ordinary logits
//	1  probabilities of few values: most confidences tie
//	2  one-hot probabilities: all confidences are 1
//	3  logits with every second row a copy of another, its classes turned round
//	4  log-probabilities so near 0 that every confidence is 1 in float64
//	5  logits of some thousands, where the other classes are 0 in float64
func draw(kind, k, n, c int, seed uint32) sample {
	s := sample{form: [...]Form{Logits, Probabilities, Probabilities, Logits, LogProbs, Logits}[kind]}
	var words [3]uint32
	side := func(stream uint32, n int) [][][]float64 {
		members, labels := randomMembers(k, n, c, 2*seed+stream)
		if s.labels == nil {
			s.labels = labels
		}
		for m, rows := range members {
			for i, row := range rows {
				rng.Bits(words[:], rng.Key{seed, stream}, uint32(m*n+i))
				switch kind {
				case 1:
					shares := make([]float64, c)
					for _, w := range words {
						shares[int(w)%min(c, 3)] += 5
						shares[int(w>>8)%c] += 5. / 3
					}
					for j := range row {
						row[j] = math.Round(3*shares[j]) / 60
					}
				case 2:
					for j := range row {
						row[j] = 0
					}
					row[int(words[0])%c] = 1
				case 3:
					if i%2 == 1 {
						copy(row, rows[i-1])
						slices.Reverse(row)
					}
				case 4, 5:
					best := int(words[0]) % c
					for j := range row {
						row[j] = -50 + row[j]
						if kind == 5 {
							row[j] *= 40
						}
					}
					row[best] = 0
					if kind == 4 {
						rest := 0.0
						for j, l := range row {
							if j != best {
								rest += math.Exp(l)
							}
						}
						row[best] = -rest
					}
				}
			}
		}
		return members
	}
	s.members, s.out = side(0, n), side(1, n/2+1)
	return s
}

// fill adds members in batches of up to `batch` rows, whatever member they
// belong to, as float32 or float64.
func fill(t *testing.T, form Form, members [][][]float64, batch int, narrow bool) *Predictive {
	t.Helper()
	n, c := len(members[0]), len(members[0][0])
	var rows []float64
	for _, m := range members {
		rows = append(rows, slices.Concat(m...)...)
	}
	p := NewPredictive(n, c)
	for at := 0; len(rows) > 0; at++ {
		size := min(c*(1+(at*7)%batch), len(rows))
		var err error
		if narrow {
			short := make([]float32, size)
			for i, x := range rows[:size] {
				short[i] = float32(x)
			}
			err = p.Add(form, short)
		} else {
			err = p.Add64(form, rows[:size])
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = rows[size:]
	}
	return p
}

// scoresOf returns the metrics of every family that predictions have: those of
// the sample, of telling its other inputs from it, of an attack that moves each
// row by one, and with the first member as the reference.
func scoresOf(t *testing.T, s sample, batch int, narrow bool) map[string]float64 {
	t.Helper()
	e, err := fill(t, s.form, s.members, batch, narrow).Evaluate(s.labels)
	if err != nil {
		t.Fatal(err)
	}
	out, err := fill(t, s.form, s.out, batch, narrow).Evaluate(nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := e.Score()
	if err != nil {
		t.Fatal(err)
	}
	ood, err := ScoreOOD(e, out)
	if err != nil {
		t.Fatal(err)
	}
	var attacked [][][]float64
	for _, m := range s.members {
		var rows [][]float64
		for _, row := range m {
			rows = append(rows, slices.Concat(row[1:], row[:1]))
		}
		attacked = append(attacked, rows)
	}
	a, err := fill(t, s.form, attacked, batch, narrow).Evaluate(s.labels)
	if err != nil {
		t.Fatal(err)
	}
	adversarial, err := ScoreAdversarial(e, a)
	if err != nil {
		t.Fatal(err)
	}
	reference, err := ScoreReference(e, a)
	if err != nil {
		t.Fatal(err)
	}
	return values(slices.Concat(all, ood, adversarial, reference))
}

// permuted returns the sample with its inputs, other inputs and members in
// another order.
func (s sample) permuted(seed uint32) sample {
	shuffle := func(members [][][]float64, order []int32) (moved [][][]float64) {
		for _, m := range rng.Perm(len(members), rng.Key{seed, 1}, 0) {
			var rows [][]float64
			for _, i := range order {
				rows = append(rows, members[m][i])
			}
			moved = append(moved, rows)
		}
		return moved
	}
	order := rng.Perm(len(s.labels), rng.Key{seed, 2}, 0)
	moved := sample{form: s.form, members: shuffle(s.members, order)}
	moved.out = shuffle(s.out, rng.Perm(len(s.out[0]), rng.Key{seed, 3}, 0))
	for _, i := range order {
		moved.labels = append(moved.labels, s.labels[i])
	}
	return moved
}

func closeTo(t *testing.T, what string, got, want map[string]float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d metrics, want %d", what, len(got), len(want))
	}
	for unit, w := range want {
		if g, ok := got[unit]; !ok || !(math.Abs(g-w) <= tolerance*max(1, math.Abs(w))) {
			t.Errorf("%s: %s = %.12g, want %.12g", what, unit, g, w)
		}
	}
}

// checkOrder holds the scores of a sample against those of the same numbers in
// another order of inputs and members, in other batches, and as float32.
func checkOrder(t *testing.T, kind, k, n, c int, seed uint32) {
	t.Helper()
	s := draw(kind, k, n, c, seed)
	what := fmt.Sprintf("kind %d, [%d %d %d], seed %d", kind, k, n, c, seed)
	want := scoresOf(t, s, n, false)
	closeTo(t, what+", in batches", scoresOf(t, s, 3, false), want, 0)
	closeTo(t, what+", permuted", scoresOf(t, s.permuted(seed), 5, false), want, 1e-9)

	// Numbers that float32 holds are the same in float64.
	for _, rows := range slices.Concat(s.members, s.out) {
		for _, row := range rows {
			for i, x := range row {
				row[i] = float64(float32(x))
			}
		}
	}
	short := scoresOf(t, s, n, true)
	closeTo(t, what+", float32 as float64", short, scoresOf(t, s, n, false), 0)
	// Others are rounded, which moves no metric by much: no tie is made or
	// broken, and no bin is changed. Where 6e-8 of a logit of thousands is in
	// the rounding, or an average breaks a tie, one input may change places.
	if kind != 5 && (kind != 1 || k == 1) {
		closeTo(t, what+", rounded to float32", short, want, 2e-4)
	}
}

func TestScoresIgnoreOrder(t *testing.T) {
	for kind := range 6 {
		for seed := range uint32(4) {
			checkOrder(t, kind, 1+int(seed)%4, 61, 3+int(seed), seed)
		}
	}
}

func FuzzScoresIgnoreOrder(f *testing.F) {
	f.Add(uint8(1), uint8(3), uint8(20), uint8(4), uint32(9))
	f.Add(uint8(4), uint8(2), uint8(9), uint8(2), uint32(1))
	f.Fuzz(func(t *testing.T, kind, k, n, c uint8, seed uint32) {
		checkOrder(t, int(kind%6), 1+int(k%5), 2+int(n%64), 2+int(c%9), seed%1e6)
	})
}

// Every metric that sorts is the mean over all orders of the inputs that tie,
// each order taken as the tie's resolution.
func TestTiesByBruteForce(t *testing.T) {
	for _, v := range []struct {
		confidence []float64
		right      []bool
	}{
		{[]float64{.8, .8, .8, .8, .8}, []bool{true, false, false, true, false}},
		{[]float64{.9, .7, .9, .7, .7, .6}, []bool{true, false, false, true, true, false}},
		{[]float64{.6, .6, 1, 1, 1, .9, .9}, []bool{false, true, true, true, false, false, true}},
	} {
		n := len(v.right)
		e := twoClass(t, v.confidence, v.right)
		var area, trapezoid, generalised, whole float64
		kept := make([]float64, n)    // accuracy of the first i+1
		correct := make([]float64, 3) // in each of three bins, least confident first
		orders := 0.0
		permute(n, func(order []int) {
			if !slices.IsSortedFunc(order, func(a, b int) int {
				return int(math.Copysign(1, v.confidence[b]-v.confidence[a])) * btoi(v.confidence[a] != v.confidence[b])
			}) {
				return
			}
			orders++
			errs, before := 0.0, 0.0
			for i, at := range order {
				errs += 1 - float64(btoi(v.right[at]))
				r := errs / float64(i+1)
				area += r / float64(n)
				whole += (r*float64(i+1) + before*float64(i)) / 2 / float64(n) / float64(n)
				if i > 0 {
					trapezoid += (r + before) / 2 / float64(n-1)
					generalised += (r*float64(i+1) + before*float64(i)) / 2 / float64(n) / float64(n-1)
				}
				before = r
				kept[i] += 1 - r
				from := n - 1 - i // place from the least confident
				sizes := []int{(n + 2) / 3, (n + 1) / 3, n / 3}
				bin := 0
				for from >= sizes[bin] {
					from -= sizes[bin]
					bin++
				}
				correct[bin] += float64(btoi(v.right[at])) / float64(sizes[bin])
			}
		})
		risks := Risks(e)
		neartest.Within(t, "AURC", risks.Area(), area/orders, 1e-9)
		neartest.Within(t, "AURC by trapezoids", risks.Trapezoid(), trapezoid/orders, 1e-9)
		neartest.Within(t, "AUGRC by torch-uncertainty", risks.GeneralisedTrapezoid(), generalised/orders, 1e-9)
		neartest.Within(t, "AUGRC", risks.Generalised(), whole/orders, 1e-9)
		for i := range n {
			neartest.Within(t, fmt.Sprintf("accuracy of the first %d", i+1), risks.AccuracyAtRejection(float64(n-i-1)/float64(n)), kept[i]/orders, 1e-9)
		}
		for i, b := range AdaptiveReliability(e, 3) {
			neartest.Within(t, fmt.Sprintf("accuracy of bin %d", i), b.Accuracy, correct[i]/orders, 1e-9)
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// permute calls f with every order of 0…n−1.
func permute(n int, f func(order []int)) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	var place func(at int)
	place = func(at int) {
		if at == n {
			f(order)
			return
		}
		for i := at; i < n; i++ {
			order[at], order[i] = order[i], order[at]
			place(at + 1)
			order[at], order[i] = order[i], order[at]
		}
	}
	place(0)
}

// Class-wise calibration with ties, by numpy:
//
//	p = np.array([.2, .2, .2, .2, .7, .7]); y = np.array([0, 1, 0, 0, 0, 1])
//	gap = np.mean  # of p - [y=c] within equal p: .2-.75, .7-.5 for class 0
//	# two bins of three: |3*(.2-.75)| + |(.2-.75) + 2*(.7-.5)|, the same for
//	# class 1 in the opposite order of p; over N*C = 12:
//	((3*.55) + abs(-.55 + .4))*2 / 12
func TestClassWiseTies(t *testing.T) {
	rows := [][]float64{{.2, .8}, {.2, .8}, {.2, .8}, {.2, .8}, {.7, .3}, {.7, .3}}
	labels := []int{0, 1, 0, 0, 0, 1}
	want := ((3 * .55) + math.Abs(-.55+.4)) / 12
	// Class 1: p is .3 .3 .8 .8 .8 .8, its gaps −.2 −.2 and .55 four times.
	want += (math.Abs(-.2*2+.55) + 3*.55) / 12
	neartest.Within(t, "ACE", classWise(evaluate(t, Probabilities, labels, rows), 2, -1)[0], want, 1e-9)
	slices.Reverse(rows)
	slices.Reverse(labels)
	neartest.Within(t, "ACE reversed", classWise(evaluate(t, Probabilities, labels, rows), 2, -1)[0], want, 1e-9)
}
