package data

import (
	"context"
	"fmt"
	"io"
	"slices"
	"testing"

	"bayesbench/backends/rng"
)

// ofLetters is a kind that the program does not have: places in the alphabet, fed as shares of it.
const ofLetters Kind = "letters"

type letterFeeder struct{}

func (letterFeeder) schemes(Info) []Scheme { return []Scheme{None} }

func (letterFeeder) inputs(_ Scheme, set *Set) (inputs, error) {
	return letterInputs{set.Shape[0]}, nil
}

func (letterFeeder) notes(s *Set) ([]string, error) {
	return []string{fmt.Sprintf("%d words", s.Train.Len())}, nil
}

func (letterFeeder) store(ctx context.Context, to io.Writer, s Split) error {
	return storeRows(ctx, to, s, func(e Example) []int64 {
		places := make([]int64, len(e.Tokens))
		for i, place := range e.Tokens {
			places[i] = int64(place)
		}
		return places
	})
}

type letterInputs struct{ length int }

func (l letterInputs) String() string               { return fmt.Sprintf("words of %d letters", l.length) }
func (l letterInputs) fit(e Examples) bool          { return e.Kind == ofLetters && e.Shape[0] == l.length }
func (letterInputs) span(int) (least, most float32) { return 1. / 26, 1 }
func (l letterInputs) writer(*Loader) writer        { return l }
func (l letterInputs) write(dst []float32, e Example, _ int, _ rng.Key) error {
	for j, place := range e.Tokens {
		dst[j] = float32(place) / 26
	}
	return nil
}

// spelling is a split of words with the class 1 for those that begin with a vowel.
type spelling []string

func (s spelling) Len() int           { return len(s) }
func (s spelling) Examples() Examples { return Examples{ofLetters, []int{len(s[0])}} }
func (s spelling) Targets() Targets   { return Targets{Classes: 2} }

func (s spelling) Example(i int) (Example, error) {
	var e Example
	for _, c := range s[i] {
		e.Tokens = append(e.Tokens, uint32(c-'a'+1))
	}
	return e, nil
}

func (s spelling) Target(dst []float64, i int) {
	oneHot(dst, len(s[i])-len(trimVowel(s[i])))
}

func trimVowel(word string) string {
	if slices.Contains([]byte("aeiou"), word[0]) {
		return word[1:]
	}
	return word
}

// A kind that comes later is its own feeder: sets, options, normalisation and loader take it as
// they take the kinds that are there, and refuse of it what only images have.
func TestKindIsItsFeeder(t *testing.T) {
	feeders[ofLetters] = letterFeeder{}
	register(&source{
		Info: Info{Name: "spelling", Examples: Examples{ofLetters, []int{3}}, Targets: Targets{Classes: 2}},
		load: func(_ context.Context, info Info, _ string, _ Options) (*Set, error) {
			words := spelling{"ant", "bee", "cat", "dog", "elk", "fox"}
			return &Set{Info: info, Train: words, Validation: subset{words, nil}, Test: words[4:]}, nil
		},
	})
	t.Cleanup(func() {
		delete(feeders, ofLetters)
		delete(sources, "spelling")
	})
	set, err := Open(t.Context(), "spelling", Options{Validation: 2})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(set.Notes, []string{"4 words"}) {
		t.Errorf("notes %q", set.Notes)
	}
	n := norm(t, None, set)
	if least, most := n.Range(0); least != 1./26 || most != 1 {
		t.Errorf("range %v to %v", least, most)
	}
	l := newLoader(t, set.Test, LoaderConfig{Batch: 2, Order: Sequential, Norm: n})
	b, err := l.Next()
	if err != nil {
		t.Fatal(err)
	}
	x := []float32{5. / 26, 12. / 26, 11. / 26, 6. / 26, 15. / 26, 24. / 26}
	if y := []float32{0, 1, 1, 0}; !slices.Equal(b.X, x) || !slices.Equal(b.Y, y) {
		t.Errorf("batch %v %v, want %v %v", b.X, b.Y, x, y)
	}
	if err := WriteStored(t.Context(), io.Discard, set.Test); err != nil {
		t.Error(err)
	}
	if _, err := Open(t.Context(), "spelling+fog-3", Options{}); err == nil {
		t.Error("letters are corrupted as images are")
	}
	if _, err := Open(t.Context(), "spelling", Options{Size: 3}); err == nil {
		t.Error("letters have a size in pixels")
	}
	if _, err := set.Augmentations([]string{"flip"}); err == nil {
		t.Error("letters are augmented as images are")
	}
	if _, err := OpenAgainst(t.Context(), openLine(t, Options{}).Info, "spelling", Options{}); err == nil {
		t.Error("letters are judged against numbers")
	}
}
