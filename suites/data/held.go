package data

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math"

	"bayesbench/suites/data/pixel"
)

// held is a split in memory, of examples and targets of any kind.
type held struct {
	rows
	targets Targets
	known   *answers // nil where nothing is known of the examples
}

func (h *held) Len() int                       { return h.len() }
func (h *held) Examples() Examples             { return h.examples() }
func (h *held) Targets() Targets               { return h.targets }
func (h *held) Example(i int) (Example, error) { return h.example(i), nil }

func (h *held) Target(dst []float64, i int) {
	switch {
	case h.known == nil:
		clear(dst)
	case h.known.classes != nil:
		oneHot(dst, int(h.known.classes[i]))
	default:
		copy(dst, h.known.numbers[i*h.known.width:])
	}
}

// rows are examples in memory.
type rows interface {
	len() int
	examples() Examples
	example(i int) Example
	bytes() int64
	write(to io.Writer) // all of them, in a form that has one way to be written
}

// answers are the targets of a split: classes, or numbers.
type answers struct {
	classes []int32
	numbers []float64 // row by row
	width   int       // of a row of numbers; 0 for classes
}

// len is for how many examples they are.
func (a *answers) len() int {
	if a.width > 0 {
		return len(a.numbers) / a.width
	}
	return len(a.classes)
}

// pixelRows are images of bytes of one shape.
type pixelRows struct {
	pix   []uint8
	shape [3]int
}

func (r pixelRows) size() int          { return r.shape[0] * r.shape[1] * r.shape[2] }
func (r pixelRows) len() int           { return len(r.pix) / r.size() }
func (r pixelRows) examples() Examples { return Examples{Pixels, r.shape[:]} }
func (r pixelRows) bytes() int64       { return int64(len(r.pix)) }
func (r pixelRows) write(to io.Writer) { to.Write(r.pix) }
func (r pixelRows) example(i int) Example {
	n := r.size()
	image := pixel.Image{C: r.shape[0], H: r.shape[1], W: r.shape[2], Pix: r.pix[i*n : (i+1)*n : (i+1)*n]}
	return Example{Picture: image.Picture()}
}

// numberRows are rows of a table.
type numberRows struct {
	x     []float64
	width int
}

func (r numberRows) len() int           { return len(r.x) / r.width }
func (r numberRows) examples() Examples { return Examples{Numbers, []int{r.width}} }
func (r numberRows) bytes() int64       { return 8 * int64(len(r.x)) }
func (r numberRows) write(to io.Writer) { binary.Write(to, binary.LittleEndian, r.x) }
func (r numberRows) example(i int) Example {
	return Example{Numbers: r.x[i*r.width : (i+1)*r.width : (i+1)*r.width]}
}

// fieldRows are images of float32 of one shape.
type fieldRows struct {
	x     []float32
	shape [3]int
}

func (r fieldRows) size() int          { return r.shape[0] * r.shape[1] * r.shape[2] }
func (r fieldRows) len() int           { return len(r.x) / r.size() }
func (r fieldRows) examples() Examples { return Examples{Fields, r.shape[:]} }
func (r fieldRows) bytes() int64       { return 4 * int64(len(r.x)) }
func (r fieldRows) write(to io.Writer) { binary.Write(to, binary.LittleEndian, r.x) }
func (r fieldRows) example(i int) Example {
	n := r.size()
	return Example{Field: r.x[i*n : (i+1)*n : (i+1)*n]}
}

// emptied are no rows of the same kind.
func emptied(r rows) rows {
	switch r := r.(type) {
	case pixelRows:
		return pixelRows{nil, r.shape}
	case fieldRows:
		return fieldRows{nil, r.shape}
	case numberRows:
		return numberRows{nil, r.width}
	}
	panic(fmt.Sprintf("data: rows of type %T", r))
}

// identify is the canonical hash of a set of the user's own: what an example and a target is, how
// the whole set is divided, and for each split the number of examples, their targets, and they
// themselves. No name and no path is in it: two files of one content are one set.
func (o *Own) identify(c *content) string {
	h := sha256.New()
	fmt.Fprintf(h, "own 1\n%s\n%s\n%q\n%v %d\n", c.Examples, c.Targets, c.classNames, o.TestShare, max(o.Splits, 1))
	for _, s := range []*held{c.whole, c.train, c.validation, c.test} {
		if s == nil {
			fmt.Fprintln(h, "none")
			continue
		}
		fmt.Fprintln(h, s.Len())
		if s.known != nil {
			hashClasses(h, s.known.classes)
			hashNumbers(h, s.known.numbers)
		}
		s.write(h)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

func hashClasses(h hash.Hash, classes []int32) {
	for _, class := range classes {
		var b [4]byte
		binary.LittleEndian.PutUint32(b[:], uint32(class))
		h.Write(b[:])
	}
}

// pixelMoments are the mean and the deviation of each channel of a split of images of one size, of
// pixels scaled to [0,1]. A channel of one value has the deviation 1.
func pixelMoments(s Split) (mean, std []float64) {
	shape := s.Examples().image()
	var counts [][256]int64
	for range shape[0] {
		counts = append(counts, [256]int64{})
	}
	var scratch pixel.Image
	for i := range s.Len() {
		e, err := s.Example(i)
		if err != nil {
			panic(err) // it is in memory
		}
		m := e.Picture.Image(&scratch)
		for c := range m.C {
			for _, x := range m.Plane(c) {
				counts[c][x]++
			}
		}
	}
	n := float64(s.Len()) * float64(shape[1]*shape[2])
	for _, count := range counts {
		sum, squares := 0., 0.
		for x, k := range count {
			sum += float64(k) * float64(x)
		}
		m := sum / n
		for x, k := range count {
			d := float64(x) - m
			squares += float64(float64(k) * float64(d*d))
		}
		sd := math.Sqrt(squares/n) / 255
		if sd == 0 {
			sd = 1
		}
		mean, std = append(mean, m/255), append(std, sd)
	}
	return mean, std
}
