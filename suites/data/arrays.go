package data

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"bayesbench/internal/npy"
	"bayesbench/suites/data/fetch"
)

// readArrays reads the splits that arrays hold.
func (o *Own) readArrays() (p parts, err error) {
	names := o.arrays()
	find := func(name string) (*npy.Array, error) { return openArray(name) }
	if o.NPZ != "" {
		z, err := npy.OpenArchive(o.NPZ)
		if err != nil {
			return p, &FileError{"npz", err}
		}
		defer z.Close()
		if err := o.defaults(z, names); err != nil {
			return p, err
		}
		find = z.Open
	}
	for i := range p {
		inputs, targets := names[2*i], names[2*i+1]
		if inputs.name == "" && targets.name == "" {
			continue
		}
		if inputs.name == "" {
			return p, misfit(targets.key, "%s without %s", targets.key, inputs.key)
		}
		if targets.name == "" && i != ofTest {
			return p, misfit(inputs.key, "%s without %s: test inputs alone may have none, in a set for eval.ood", inputs.key, targets.key)
		}
		s := &part{key: inputs.key}
		if err := readArray(inputs, find, func(a *npy.Array) error {
			s.examples, err = o.readInputs(inputs.key, a)
			return err
		}); err != nil {
			return p, err
		}
		if targets.name != "" {
			if err := readArray(targets, find, func(a *npy.Array) error {
				s.targets, err = o.readTargets(targets.key, a, s.examples.len())
				return err
			}); err != nil {
				return p, err
			}
		}
		p[i] = s
	}
	return p, nil
}

// readArray opens an array, reads it and closes it.
func readArray(n named, find func(name string) (*npy.Array, error), do func(a *npy.Array) error) error {
	a, err := find(n.name)
	if err == nil {
		err = errors.Join(do(a), a.Close())
	}
	return keyed(n.key, err)
}

// archived are the names by which archives of arrays call inputs and targets, in order of
// preference: numpy's users, Keras, MedMNIST.
var archived = [splitsHeld][][2]string{
	ofWhole:      {{"inputs", "targets"}, {"x", "y"}, {"X", "y"}},
	ofTrain:      {{"train_inputs", "train_targets"}, {"x_train", "y_train"}, {"X_train", "y_train"}, {"train_images", "train_labels"}},
	ofValidation: {{"validation_inputs", "validation_targets"}, {"x_val", "y_val"}, {"X_val", "y_val"}, {"val_images", "val_labels"}},
	ofTest:       {{"test_inputs", "test_targets"}, {"x_test", "y_test"}, {"X_test", "y_test"}, {"test_images", "test_labels"}},
}

// defaults finds the arrays of an archive that no key names.
func (o *Own) defaults(z *npy.Archive, names []named) error {
	for _, n := range names {
		if n.name != "" {
			return nil
		}
	}
	from := []int{ofTrain, ofValidation, ofTest}
	if o.TestShare > 0 {
		from = []int{ofWhole}
	}
	found := false
	for _, i := range from {
		for _, pair := range archived[i] {
			if z.Has(pair[0]) && (z.Has(pair[1]) || i == ofTest) {
				names[2*i].name = pair[0]
				if z.Has(pair[1]) {
					names[2*i+1].name = pair[1]
				}
				found = true
				break
			}
		}
	}
	if !found {
		want := "x_train, y_train, x_test and y_test, or test_share for x and y"
		if o.TestShare > 0 {
			want = "x and y"
		}
		return misfit("npz", "%s: want arrays of known names, such as %s; found %s: say which is which by inputs and targets, or train_inputs and so on",
			o.NPZ, want, strings.Join(z.Names(), ", "))
	}
	return nil
}

// openArray opens a .npy file, or an IDX file, also gzipped, as an array.
func openArray(path string) (*npy.Array, error) {
	f, err := fetch.OpenRegular(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	lead, err := bufio.NewReader(io.NewSectionReader(f, 0, st.Size())).Peek(4)
	zipped := err == nil && lead[0] == 0x1f && lead[1] == 0x8b
	if idx := err == nil && lead[0] == 0 && lead[1] == 0; !zipped && !idx {
		a, err := npy.New(path, f, st.Size())
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return a, nil
	}
	content, err := readIDX(f, zipped)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	dims, numbers, err := parseIDX(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if slices.Contains(dims, 0) {
		return nil, fmt.Errorf("%s: IDX: dimensions %v, the array is empty", path, dims)
	}
	return npy.Bytes(path, numbers, dims...), nil
}

// readIDX is the content of an IDX file: a header and less than 2^31 bytes.
func readIDX(r io.Reader, zipped bool) ([]byte, error) {
	const most = 1<<31 + 64
	if zipped {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		r = z
	}
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(r, most+1))
	if err == nil && n > most {
		err = fmt.Errorf("IDX: more than %d bytes", most)
	}
	return b.Bytes(), err
}

// fits refuses an array that memory is not taken for.
func fits(key string, a *npy.Array, width int) error {
	if int64(a.Len()) > maxHeld/int64(width) {
		return misfit(key, "%s: shape %v of %s, at most %d bytes are held in memory", a.Path, a.Shape, a.Type, int64(maxHeld))
	}
	return nil
}

// readInputs reads examples: rows of numbers, or images of bytes or of float32 by the shape and the
// type.
func (o *Own) readInputs(key string, a *npy.Array) (rows, error) {
	shape := a.Shape
	switch {
	case len(shape) == 1 || len(shape) == 2:
		if o.Layout != "" {
			return nil, misfit("layout", "layout: is of images, and %s has shape %v, which is rows of numbers", a.Path, shape)
		}
		if err := fits(key, a, 8); err != nil {
			return nil, err
		}
		x, err := a.Float64s()
		if err != nil {
			return nil, err
		}
		if i, bad := notFinite(x); bad {
			return nil, fmt.Errorf("%s[%s]: %v, want a number that float32 holds", a.Path, place(shape, i), x[i])
		}
		width := 1
		if len(shape) == 2 {
			width = shape[1]
		}
		return numberRows{x, width}, nil
	case len(shape) != 3 && len(shape) != 4:
		return nil, fmt.Errorf("%s: shape %v of %s, want inputs [examples, columns], or images [examples, height, width], "+
			"[examples, channels, height, width] or [examples, height, width, channels]", a.Path, shape, a.Type)
	case a.Type != npy.Uint8 && !a.Type.Float():
		return nil, fmt.Errorf("%s: shape %v of %s, want images as uint8, or of float32 numbers: save a.astype(\"uint8\") or a.astype(\"float32\")", a.Path, shape, a.Type)
	}
	image, last, err := o.image(a)
	if err != nil {
		return nil, err
	}
	if a.Type == npy.Uint8 {
		if err := fits(key, a, 1); err != nil {
			return nil, err
		}
		pix, err := a.Uint8s()
		if last {
			pix = planes(pix, image)
		}
		return pixelRows{pix, image}, err
	}
	if err := fits(key, a, 4); err != nil {
		return nil, err
	}
	x, err := a.Float32s()
	if err != nil {
		return nil, err
	}
	if i, bad := notFinite(x); bad {
		return nil, fmt.Errorf("%s[%s]: %v, want a number that float32 holds", a.Path, place(shape, i), x[i])
	}
	if last {
		x = planes(x, image)
	}
	return fieldRows{x, image}, nil
}

// image is the shape of the images in an array: channels, height, width; last tells that its
// channels run fastest.
func (o *Own) image(a *npy.Array) (image [3]int, last bool, err error) {
	s := a.Shape
	if len(s) == 3 {
		if o.Layout != "" {
			return image, false, misfit("layout", "layout: is of images with channels, and %s has shape %v", a.Path, s)
		}
		return [3]int{1, s[1], s[2]}, false, nil
	}
	channels := func(n int) bool { return n == 1 || n == 3 }
	first, last := channels(s[1]), channels(s[3])
	switch {
	case o.Layout == channelsFirst:
		first, last = true, false
	case o.Layout == channelsLast:
		first, last = false, true
	case first && last:
		return image, false, misfit("layout", "%s: shape %v may be channels first or last: say layout = %q or %q", a.Path, s, channelsFirst, channelsLast)
	case !first && !last:
		return image, false, misfit("layout", "%s: shape %v of %s, want images of 1 or 3 channels; if these are images of other channels, say layout = %q or %q",
			a.Path, s, a.Type, channelsFirst, channelsLast)
	}
	image = [3]int{s[1], s[2], s[3]}
	if last {
		image = [3]int{s[3], s[1], s[2]}
	}
	if a.Type == npy.Uint8 && !channels(image[0]) {
		return image, last, fmt.Errorf("%s: shape %v: images of uint8 have 1 or 3 channels, found %d: save a.astype(\"float32\")/255 for other ones", a.Path, s, image[0])
	}
	return image, last, nil
}

// planes brings images whose channels run fastest to planes, one channel after the other.
func planes[T uint8 | float32](x []T, image [3]int) []T {
	channels, plane := image[0], image[1]*image[2]
	out := make([]T, len(x))
	for i := 0; i < len(x); i += channels * plane {
		for p := range plane {
			for c := range channels {
				out[i+c*plane+p] = x[i+p*channels+c]
			}
		}
	}
	return out
}

// notFinite is the place of the first number that is NaN or that float32 does not hold.
func notFinite[T float32 | float64](x []T) (int, bool) {
	for i, v := range x {
		if !(math.Abs(float64(v)) <= math.MaxFloat32) {
			return i, true
		}
	}
	return 0, false
}

// place is number i of an array in C order as numpy indexes it: "17,3".
func place(shape []int, i int) string {
	at := make([]string, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		at[d] = fmt.Sprint(i % shape[d])
		i /= shape[d]
	}
	return strings.Join(at, ",")
}

// maxOwnClasses bounds the classes of a set of arrays or tables.
const maxOwnClasses = 1 << 16

// readTargets reads what is known of n examples: classes from integers, numbers from floats, unless
// Files.Task says otherwise.
func (o *Own) readTargets(key string, a *npy.Array, n int) (*answers, error) {
	shape := a.Shape
	if len(shape) != 1 && len(shape) != 2 {
		return nil, fmt.Errorf("%s: shape %v of %s, want classes [examples], or numbers [examples] or [examples, targets]", a.Path, shape, a.Type)
	}
	if shape[0] != n {
		return nil, fmt.Errorf("%s: shape %v is of %d examples, and there are %d inputs", a.Path, shape, shape[0], n)
	}
	if err := fits(key, a, 8); err != nil {
		return nil, err
	}
	y, err := a.Float64s()
	if err != nil {
		return nil, err
	}
	width := len(y) / n
	if o.Task == regression || o.Task == "" && a.Type.Float() {
		if i, bad := notFinite(y); bad {
			return nil, fmt.Errorf("%s[%s]: target %v, want a number that float32 holds", a.Path, place(shape, i), y[i])
		}
		return &answers{numbers: y, width: width}, nil
	}
	if width != 1 {
		return nil, fmt.Errorf("%s: shape %v of %s, want class numbers [examples]: of one-hot rows save a.argmax(1); if they are numbers to be predicted, say task = %q",
			a.Path, shape, a.Type, regression)
	}
	classes := make([]int32, n)
	for i, v := range y {
		if !(v >= 0 && v < maxOwnClasses) || v != math.Trunc(v) {
			hint := ""
			if o.Task == "" {
				hint = fmt.Sprintf("; if they are numbers to be predicted, say task = %q", regression)
			}
			return nil, fmt.Errorf("%s[%s]: class %v, want a whole number from 0 to %d%s", a.Path, place(shape, i), v, maxOwnClasses-1, hint)
		}
		classes[i] = int32(v)
	}
	return &answers{classes: classes}, nil
}

// alike says what the targets of a set are, of splits that must agree. Classes are counted from 0
// to the largest of any split.
func alike(p parts, task string) (Targets, error) {
	var first *part
	classes, most := 0, 0
	for _, s := range p {
		if s == nil || s.targets == nil {
			continue
		}
		if first == nil {
			first = s
		}
		if s.targets.width != first.targets.width {
			return Targets{}, misfit(s.key, "%s: its targets are %s, those of %s are %s", s.key, kindOfTargets(s.targets), first.key, kindOfTargets(first.targets))
		}
		for _, class := range s.targets.classes {
			classes = max(classes, int(class)+1)
		}
		most = max(most, s.targets.len())
	}
	switch {
	case first == nil:
		return Targets{}, nil
	case first.targets.width > 0:
		return Targets{Width: first.targets.width}, nil
	case classes == 1:
		return Targets{}, misfit(first.key, "all examples are of class 0, want at least two classes")
	case classes > most && task == "":
		return Targets{}, misfit(first.key, "classes from 0 to %d of at most %d examples: if they are numbers to be predicted, say task = %q, else task = %q",
			classes-1, most, regression, classification)
	}
	return Targets{Classes: classes}, nil
}

func kindOfTargets(a *answers) string {
	if a.width == 0 {
		return "classes"
	}
	return Targets{Width: a.width}.String()
}
