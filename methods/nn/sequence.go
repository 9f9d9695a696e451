package nn

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bayesbench/backends/ir"
	"bayesbench/internal/nearest"
)

// Sequence is the network of a list of layers, from the inputs to the outputs, each as [LayerKinds]
// writes it. The last is "linear" without a width, which gives the outputs that the likelihood
// wants. A layer's parameters are named by a short form of its kind and its number among those of
// that form: the second convolution has the slots "conv2.w" and "conv2.b". The error is a
// [LayerError]; so is that of a program whose shapes a layer does not fit.
func Sequence(name string, layers []string) (Model, error) {
	steps := make([]step, len(layers))
	for i, text := range layers {
		parsed, err := parseLayer(text)
		if err == nil {
			steps[i], err = parsed.kind.make(parsed), parsed.err
		}
		if err == nil && parsed.outputs() != (i == len(layers)-1) {
			err = fmt.Errorf("the last layer is \"linear\" without a width, and no other")
		}
		if err != nil {
			return Model{}, &LayerError{Number: i + 1, Text: text, Err: err}
		}
	}
	if len(layers) == 0 {
		return Model{}, fmt.Errorf("want a list of layers, found none")
	}
	return Model{
		Name:        name,
		Description: strings.Join(layers, ", "),
		Apply: func(l Layers, x ir.Value, outputs int) ir.Value {
			s := &sequence{Layers: l, b: l.Builder(), outputs: outputs, counts: map[string]int{}}
			for i, step := range steps {
				meets := s.b.Shape(x)[1:]
				s.b.Explain(func(err error) error { return &LayerError{i + 1, layers[i], meets, err} }, func() { x = step(s, x) })
			}
			return x
		},
	}, nil
}

// LayerError says which layer of a list is wrong.
type LayerError struct {
	Number int // from 1
	Text   string
	Shape  []int // of one example that the layer meets; nil where its text alone is wrong
	Err    error
}

func (e *LayerError) Error() string {
	meets := ""
	if e.Shape != nil {
		meets = fmt.Sprintf(" on examples of the shape %v", e.Shape)
	}
	return fmt.Sprintf("layer %d, %q%s: %v", e.Number, e.Text, meets, e.Err)
}

func (e *LayerError) Unwrap() error { return e.Err }

// sequence is a program under construction from a list.
type sequence struct {
	Layers
	b       *ir.Builder
	outputs int
	counts  map[string]int // of layers by short name
}

// step builds one layer.
type step func(s *sequence, x ir.Value) ir.Value

// next is the name of the next layer of that short name.
func (s *sequence) next(short string) string {
	s.counts[short]++
	return short + strconv.Itoa(s.counts[short])
}

// images refuses what has no channels, height and width.
func (s *sequence) images(x ir.Value) {
	if s.b.Type(x).Rank() != 4 {
		s.b.Fail(fmt.Errorf("it wants images, [channels height width]; found %s", s.b.Type(x)))
	}
}

// numbers refuses what has more than one axis.
func (s *sequence) numbers(x ir.Value) {
	if s.b.Type(x).Rank() != 2 {
		s.b.Fail(fmt.Errorf("it wants numbers in a row; put \"flatten\" or \"globalavgpool\" before it"))
	}
}

// LayerKind is a layer that a list can have.
type LayerKind struct {
	// Form is how a list has it. A word in capitals stands for a value, and what is in brackets can
	// be left out.
	Form  string
	About string
	make  func(t *layerText) step
}

// Name is the first word of the form.
func (k LayerKind) Name() string {
	name, _, _ := strings.Cut(k.Form, " ")
	return name
}

// layerForm is a form taken apart.
type layerForm struct {
	required, optional []string // values by place
	options, flags     []string
}

// form takes the form apart.
func (k LayerKind) form() layerForm {
	var f layerForm
	_, rest, _ := strings.Cut(k.Form, " ")
	capitals := func(word string) bool { return strings.ToUpper(word) == word }
	for rest != "" {
		word := rest
		if rest[0] == '[' {
			word, rest, _ = strings.Cut(rest[1:], "]")
			rest = strings.TrimPrefix(rest, " ")
			switch name, _, valued := strings.Cut(word, " "); {
			case valued:
				f.options = append(f.options, name)
			case capitals(word):
				f.optional = append(f.optional, word)
			default:
				f.flags = append(f.flags, word)
			}
			continue
		}
		word, rest, _ = strings.Cut(rest, " ")
		f.required = append(f.required, word)
	}
	return f
}

// layerText is a layer of a list with the values that its text gives. The first error sticks.
type layerText struct {
	kind   LayerKind
	values map[string]string // by the word in capitals, or by the option
	flags  []string
	err    error
}

// parseLayer takes a layer's text apart.
func parseLayer(text string) (*layerText, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return nil, fmt.Errorf("want a layer, found an empty text")
	}
	kinds := LayerKinds()
	at := slices.IndexFunc(kinds, func(k LayerKind) bool { return k.Name() == words[0] })
	if at < 0 {
		names := make([]string, len(kinds))
		for i, k := range kinds {
			names[i] = k.Name()
		}
		return nil, fmt.Errorf("no layer %q; did you mean %q?", words[0], nearest.Name(words[0], names))
	}
	t := &layerText{kind: kinds[at], values: map[string]string{}}
	f := t.kind.form()
	places := slices.Concat(f.required, f.optional)
	for i := 1; i < len(words); i++ {
		word, key, value := words[i], words[i], ""
		switch {
		case slices.Contains(f.flags, word) && !slices.Contains(t.flags, word):
			t.flags = append(t.flags, word)
			continue
		case slices.Contains(f.options, word):
			if i++; i == len(words) {
				return nil, fmt.Errorf("want a value behind %q, as in %q", word, t.kind.Form)
			}
			value = words[i]
		case len(places) > 0 && !letters(word):
			key, value, places = places[0], word, places[1:]
		default:
			return nil, fmt.Errorf("%q does not fit here; want %q%s", word, t.kind.Form, hint(word, slices.Concat(f.options, f.flags)))
		}
		if _, twice := t.values[key]; twice {
			return nil, fmt.Errorf("want %s once, found it twice", key)
		}
		t.values[key] = value
	}
	for _, place := range f.required {
		if _, ok := t.values[place]; !ok {
			return nil, fmt.Errorf("want %q, and %s is missing", t.kind.Form, place)
		}
	}
	return t, nil
}

// letters reports whether a word begins with one, as no number does.
func letters(word string) bool { return word[0] >= 'A' }

// hint names the word that was meant, if one looks like it.
func hint(word string, names []string) string {
	if n := nearest.Close(word, names); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}

// outputs reports whether the layer is the last one of a list.
func (t *layerText) outputs() bool { return t.kind.Name() == "linear" && !t.has("N") }

func (t *layerText) has(key string) bool {
	_, ok := t.values[key]
	return ok
}

func (t *layerText) flag(name string) bool { return slices.Contains(t.flags, name) }

// fail keeps the first error.
func (t *layerText) fail(key, want string) {
	if t.err == nil {
		t.err = fmt.Errorf("%s: want %s, found %q", key, want, t.values[key])
	}
}

// maxWidth bounds the outputs of a layer, and maxSpan what is along an axis of a window: more is a
// mistake.
const (
	maxWidth = 1 << 20
	maxSpan  = 1 << 10
)

// whole is a whole number from min to max, or otherwise where the text has none.
func (t *layerText) whole(key string, otherwise, min, max int) int {
	if !t.has(key) {
		return otherwise
	}
	n, err := strconv.Atoi(t.values[key])
	if err != nil || n < min || n > max {
		t.fail(key, fmt.Sprintf("a whole number from %d to %d", min, max))
		return otherwise
	}
	return n
}

// pair is a number of both axes, "3", or one of each, "3x5": height by width.
func (t *layerText) pair(key string, otherwise [2]int, min int) [2]int {
	if !t.has(key) {
		return otherwise
	}
	high, wide, two := strings.Cut(t.values[key], "x")
	if !two {
		wide = high
	}
	h, err := strconv.Atoi(high)
	w, err2 := strconv.Atoi(wide)
	if err != nil || err2 != nil || h < min || w < min || h > maxSpan || w > maxSpan {
		t.fail(key, fmt.Sprintf("a whole number from %d to %d, or two as in 3x3", min, maxSpan))
		return otherwise
	}
	return [2]int{h, w}
}

// real is a number from min to below max.
func (t *layerText) real(key string, otherwise, min, max float64) float64 {
	if !t.has(key) {
		return otherwise
	}
	x, err := strconv.ParseFloat(t.values[key], 64)
	if err != nil || !(x >= min && x < max) {
		t.fail(key, fmt.Sprintf("a number from %v to below %v", min, max))
		return otherwise
	}
	return x
}
