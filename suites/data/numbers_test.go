package data

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"bayesbench/backends/rng"
	"bayesbench/suites/data/augment"
)

func openLine(t testing.TB, opt Options) *Set {
	t.Helper()
	set, err := Open(t.Context(), "line", opt)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// numbers are the inputs of example i and its target.
func numbers(t testing.TB, s Split, i int) (x, y []float64) {
	t.Helper()
	e, err := s.Example(i)
	if err != nil {
		t.Fatal(err)
	}
	y = make([]float64, s.Targets().Columns())
	s.Target(y, i)
	return e.Numbers, y
}

// The points are generated exactly, so their hash is the same on every machine. What is left of the
// target when the known line is taken away is noise of deviation 0.5: of 500 points, the deviation
// is within 4 standard errors, 4·0.5/√1000.
func TestLine(t *testing.T) {
	set := openLine(t, Options{})
	if want := "sha256:e8b72365db7744fd13bd40deb6acbfb644e36be7f5b812bae8f8dd62c26beadf"; set.Hash != want {
		t.Errorf("hash %s, want %s", set.Hash, want)
	}
	var sum, squares float64
	for _, s := range []Split{set.Train, set.Test} {
		for i := range s.Len() {
			x, y := numbers(t, s, i)
			rest := y[0] - lineIntercept
			for j, c := range lineColumns {
				rest -= c.weight * (x[j] - c.mean) / c.scale
			}
			sum += rest
			squares += rest * rest
		}
	}
	if mean, sd := sum/linePoints, math.Sqrt(squares/linePoints); math.Abs(mean) > 4*0.5/math.Sqrt(500) || math.Abs(sd-0.5) > 4*0.5/math.Sqrt(1000) {
		t.Errorf("noise of mean %.3f and deviation %.3f, want 0 and 0.5", mean, sd)
	}
}

// Each split divides all points, in its own way; the hash is of all of them.
func TestSplitsDivideTheSet(t *testing.T) {
	whole := func(split int) (train, test []float64, hash string) {
		set := openLine(t, Options{Split: split})
		for i := range set.Train.Len() {
			_, y := numbers(t, set.Train, i)
			train = append(train, y[0])
		}
		for i := range set.Test.Len() {
			_, y := numbers(t, set.Test, i)
			test = append(test, y[0])
		}
		return train, test, set.Hash
	}
	train, test, hash := whole(0)
	all := slices.Sorted(slices.Values(slices.Concat(train, test)))
	if len(train) != 450 || len(test) != 50 {
		t.Fatalf("%d + %d points", len(train), len(test))
	}
	for split := 1; split < 5; split++ {
		otherTrain, otherTest, otherHash := whole(split)
		if !slices.Equal(all, slices.Sorted(slices.Values(slices.Concat(otherTrain, otherTest)))) || hash != otherHash {
			t.Errorf("split %d: other points, or the hash %s", split, otherHash)
		}
		if slices.Equal(test, otherTest) {
			t.Errorf("split %d has the test points of split 0", split)
		}
	}
}

// moments are mean and deviation over a split by the textbook, of input column j, or of the target
// for j < 0.
func moments(t *testing.T, s Split, j int) (mean, sd float64) {
	t.Helper()
	var all []float64
	for i := range s.Len() {
		x, y := numbers(t, s, i)
		if j < 0 {
			all = append(all, y[0])
		} else {
			all = append(all, x[j])
		}
	}
	for _, v := range all {
		mean += v / float64(len(all))
	}
	for _, v := range all {
		sd += (v - mean) * (v - mean) / float64(len(all))
	}
	return mean, math.Sqrt(sd)
}

// Inputs and targets are standardised by the training split in use, whatever part of the set it is,
// and so are those of the test split. Predictions go back by the targets' scale.
func TestNumbersAreStandardisedByTheTrainingSplitInUse(t *testing.T) {
	seen := map[Scale]bool{}
	for _, opt := range []Options{{}, {Split: 3}, {Validation: 100}, {ValidationLast: 0.2}, {TrainLimit: 37, TestLimit: 20}} {
		set := openLine(t, opt)
		n := norm(t, Standard, set)
		seen[n.Targets()[0]] = true
		for _, s := range []Split{set.Train, set.Test} {
			l := newLoader(t, s, LoaderConfig{Batch: s.Len(), Norm: n, Key: rng.Key{1, 2}})
			b := take(t, l, 1)[0]
			for row, i := range b.Index {
				x, y := numbers(t, s, int(i))
				for j := range x {
					mean, sd := moments(t, set.Train, j)
					if got, want := float64(b.X[4*row+j]), (x[j]-mean)/sd; math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
						t.Fatalf("%+v: input %d of example %d is %v, want %v", opt, j, i, got, want)
					}
				}
				mean, sd := moments(t, set.Train, -1)
				if got, want := float64(b.Y[row]), (y[0]-mean)/sd; math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
					t.Fatalf("%+v: target of example %d is %v, want %v", opt, i, got, want)
				}
				back := n.Targets()[0]
				if got := back.Mean + back.SD*float64(b.Y[row]); math.Abs(got-y[0]) > 1e-5 {
					t.Fatalf("%+v: target of example %d goes back to %v, want %v", opt, i, got, y[0])
				}
				if row == 8 { // moments are slow
					break
				}
			}
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d different scales of five training splits", len(seen))
	}
}

// small is a split of numbers for tests.
func small(inputs, targets int, x, y []float64) *Set {
	all := &table{inputs, targets, x, y}
	info := Info{Name: "small", Examples: all.Examples(), Targets: all.Targets()}
	return &Set{Info: info, Train: all, Validation: subset{all, nil}, Test: all}
}

func TestScales(t *testing.T) {
	far := small(1, 2, []float64{1e9 + 1, 1e9 + 2, 1e9 + 3}, []float64{0.1, 5, 0.1, 7, 0.1, 9})
	n := norm(t, Standard, far)
	if got, want := n.inputs.(numberInputs)[0].Scale, (Scale{1e9 + 2, math.Sqrt(2.0 / 3)}); math.Abs(got.Mean-want.Mean) > 1e-6 || math.Abs(got.SD-want.SD) > 1e-9 {
		t.Errorf("inputs far from 0: %v, want %v", got, want)
	}
	// A target of one value has its value for its mean, and the deviation 1: it becomes 0, not what
	// rounding makes of it.
	if got := n.Targets(); got[0] != (Scale{0.1, 1}) || math.Abs(got[1].SD-math.Sqrt(8.0/3)) > 1e-15 || got[1].Mean != 7 {
		t.Errorf("targets: %v", got)
	}
	if least, greatest := n.Range(0); math.Abs(float64(least)+math.Sqrt(1.5)) > 1e-6 || math.Abs(float64(greatest)-math.Sqrt(1.5)) > 1e-6 {
		t.Errorf("range %v to %v, want ∓√1.5", least, greatest)
	}
	n = norm(t, None, far)
	if n.inputs.(numberInputs)[0].Scale != asStored || !slices.Equal(n.Targets(), []Scale{asStored, asStored}) {
		t.Errorf("scheme none: %v, %v", n.inputs, n.Targets())
	}
	l := newLoader(t, far.Train, LoaderConfig{Batch: 2, Order: Sequential, Norm: n})
	for _, want := range []Batch{
		{X: []float32{1e9 + 1, 1e9 + 2}, Y: []float32{0.1, 5, 0.1, 7}},
		{X: []float32{1e9 + 3, 0}, Y: []float32{0.1, 9, 0, 0}}, // the rest of a last batch is 0
	} {
		if got, err := l.Next(); err != nil || !slices.Equal(got.X, want.X) || !slices.Equal(got.Y, want.Y) {
			t.Errorf("batch %v %v, %v, want %v %v", got.X, got.Y, err, want.X, want.Y)
		}
	}
	if got := norm(t, Unit255, openBlobs(t, Options{})).Targets(); got != nil {
		t.Errorf("targets of classes have the scales %v", got)
	}
}

func TestConstantInputsAreNoted(t *testing.T) {
	set := small(3, 1, []float64{1, 2, 3, 1, 5, 3, 1, 7, 3}, []float64{1, 2, 3})
	if err := set.note(); err != nil {
		t.Fatal(err)
	}
	if len(set.Notes) != 1 || !strings.Contains(set.Notes[0], ": 0, 2 of 0 to 2") {
		t.Errorf("notes %q", set.Notes)
	}
	if notes := openLine(t, Options{}).Notes; notes != nil {
		t.Errorf("line has the notes %q", notes)
	}
}

// Gal and Ghahramani hold out the last fifth of a training split as it is stored: of n examples,
// int(0.8·n) stay.
func TestLastExamplesAreHeldOut(t *testing.T) {
	for _, n := range []int{277, 450, 1} {
		all := openLine(t, Options{Split: 2, TrainLimit: n})
		set := &Set{Info: all.Info, Train: all.Train, Validation: subset{all.Train, nil}, Test: all.Test}
		err := set.choose(Options{ValidationLast: 0.2})
		if n == 1 {
			if err == nil || !strings.Contains(err.Error(), "at least one must be held out and one stay") {
				t.Errorf("of one example: %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		stay := int(0.8 * float64(n))
		if set.Train.Len() != stay || set.Validation.Len() != n-stay {
			t.Fatalf("%d + %d of %d, want %d to stay", set.Train.Len(), set.Validation.Len(), n, stay)
		}
		for i := range n {
			from, at := set.Train, i
			if i >= stay {
				from, at = set.Validation, i-stay
			}
			_, got := numbers(t, from, at)
			if _, want := numbers(t, all.Train, i); got[0] != want[0] {
				t.Fatalf("example %d of %d has moved", i, n)
			}
		}
	}
}

func TestBatchesOfNumbersDoNotDependOnWorkers(t *testing.T) {
	set := openLine(t, Options{})
	for _, mixup := range []float64{0, 0.4} {
		var want []Batch
		for _, workers := range []int{1, 5} {
			l := newLoader(t, set.Train, LoaderConfig{Batch: 64, Key: rng.Key{3, 4}, Workers: workers, Mixup: mixup})
			got := take(t, l, 20)
			if want == nil {
				want = got
			}
			if err := l.Seek(1, 2); err != nil {
				t.Fatal(err)
			}
			got = append(got, take(t, l, 1)...)
			for i, b := range got {
				w := want[min(i, 19)]
				if i == 20 {
					w = want[l.Steps()+2]
				}
				if !sameBatch(w, b) {
					t.Fatalf("workers %d, mixup %v: batch %d differs", workers, mixup, i)
				}
			}
		}
	}
}

// Whatever asks of numbers what only images have, or of a number what only classes have, is refused
// and says so.
func TestKindsAreRefusedByName(t *testing.T) {
	isolate(t)
	open := func(name string, opt Options) func() error {
		return func() error { _, err := Open(t.Context(), name, opt); return err }
	}
	against := func(in, name string) func() error {
		return func() error {
			info, err := Describe(in)
			if err != nil {
				return err
			}
			_, err = OpenAgainst(t.Context(), info, name, Options{})
			return err
		}
	}
	scheme := func(s Scheme, set *Set) func() error {
		return func() error { _, err := NewNormalisation(s, set); return err }
	}
	line, blobs := openLine(t, Options{}), openBlobs(t, Options{})
	loader := func(split Split, cfg LoaderConfig) func() error {
		cfg.Batch = 10
		return func() error {
			l, err := NewLoader(t.Context(), split, cfg)
			if err == nil {
				l.Close()
			}
			return err
		}
	}
	for name, c := range map[string]struct {
		do   func() error
		want string
	}{
		"a corruption":          {open("line+fog-3", Options{}), `data set "line+fog-3": corruption "fog-3": only images are corrupted, and its examples are numbers 4`},
		"random labels":         {open("line", Options{RandomLabels: RandomTrainLabels}), `random labels "train": its targets are 1 number, not classes`},
		"a size":                {open("line", Options{Size: 32}), "size 32: only images have a size, and its examples are numbers 4"},
		"a split too many":      {open("line", Options{Split: 5}), "split 5: it has 5 splits, 0 to 4"},
		"a split before all":    {open("line", Options{Split: -1}), "split -1: it has 5 splits, 0 to 4"},
		"a split of images":     {open("blobs", Options{Split: 1}), "split 1: it has one split, 0"},
		"two validation parts":  {open("line", Options{Validation: 5, ValidationLast: 0.2}), "say one of the two"},
		"all for validation":    {open("line", Options{ValidationLast: 1}), "want a share between 0 and 1"},
		"NaN for validation":    {open("line", Options{ValidationLast: math.NaN()}), "want a share between 0 and 1"},
		"images against lines":  {against("line", "blobs"), `the examples of data set "blobs" are pixels, and those of "line" are numbers`},
		"lines against images":  {against("blobs", "line"), `the examples of data set "line" are numbers, and those of "blobs" are pixels`},
		"pixels' scheme":        {scheme(Unit255, line), `normalisation "unit255": data set "line" has numbers; want standard or none`},
		"numbers' scheme":       {scheme(None, blobs), `normalisation "none": data set "blobs" has pixels; want unit255 or unit256 or standard`},
		"tokens":                {scheme(Standard, &Set{Info: Info{Name: "text", Examples: Examples{Tokens, []int{128}}}}), "which are not normalised"},
		"augmented numbers":     {loader(line.Train, LoaderConfig{Augment: []augment.Transform{augment.Flip{}}}), "augmentation flip: only images are augmented, and examples are numbers 4"},
		"pixels' normalisation": {loader(line.Train, LoaderConfig{Norm: norm(t, Unit255, blobs)}), "normalisation of 1 channels of pixels, examples are numbers 4"},
		"lines' normalisation":  {loader(blobs.Train, LoaderConfig{Norm: norm(t, Standard, line)}), "normalisation of 4 columns of numbers, examples are pixels 1x8x8"},
		"tokens in a loader":    {loader(words{line.Train}, LoaderConfig{Norm: norm(t, Standard, line)}), "examples are tokens 128: only fields, numbers and pixels are fed"},
		"no normalisation":      {loader(line.Train, LoaderConfig{}), "want a normalisation of examples that are numbers 4, found none"},
		"other targets":         {loader(blobs.Train, LoaderConfig{Norm: Normalisation{inputs: norm(t, Unit255, blobs).inputs, targets: []Scale{asStored}}}), "normalisation of 1 targets, the target is 4 classes"},
	} {
		if err := c.do(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if err := against("line", "line")(); err != nil {
		t.Errorf("numbers against numbers: %v", err)
	}
}

// words is a split that says it has tokens.
type words struct{ Split }

func (words) Examples() Examples { return Examples{Tokens, []int{128}} }

func TestKindsInWords(t *testing.T) {
	for got, want := range map[string]string{
		Examples{Pixels, []int{3, 0, 0}}.String(): "pixels 3xanyxany",
		Examples{Numbers, []int{13}}.String():     "numbers 13",
		Targets{}.String():                        "any classes",
		Targets{Classes: 10}.String():             "10 classes",
		Targets{Width: 1}.String():                "1 number",
		Targets{Width: 2}.String():                "2 numbers",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, info := range List() {
		if schemes := Normalisations(info); len(schemes) == 0 {
			t.Errorf("%s knows no normalisation", info.Name)
		}
		again, err := Describe(info.Name + "+fog-3")
		if err != nil || again.Name != info.Name {
			t.Errorf("%s: described as %q, %v", info.Name, again.Name, err)
		}
		again.Shape[0] = -1 // a copy
		if now, _ := Describe(info.Name); now.Shape[0] != info.Shape[0] {
			t.Errorf("%s: its description was written to", info.Name)
		}
	}
	if _, err := Describe("lin"); err == nil || !strings.Contains(err.Error(), `did you mean "line"?`) {
		t.Errorf("lin: %v", err)
	}
}

// A caller learns which option does not fit.
func TestOptionErrors(t *testing.T) {
	for option, c := range map[string]struct {
		set string
		opt Options
	}{
		"split":           {"line", Options{Split: 5}},
		"size":            {"blobs", Options{Size: 9}},
		"validation":      {"blobs", Options{Validation: 2000}},
		"validation_last": {"line", Options{ValidationLast: 0.999}},
		"random_labels":   {"line", Options{RandomLabels: RandomAllLabels}},
		"train":           {"line", Options{TrainLimit: 451}},
		"test":            {"line", Options{TestLimit: -1}},
	} {
		var unfit *OptionError
		if _, err := Open(t.Context(), c.set, c.opt); !errors.As(err, &unfit) || unfit.Option != option {
			t.Errorf("%+v: %v, want an error of %s", c.opt, err, option)
		}
	}
}
