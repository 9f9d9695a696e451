package npy

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/x448/float16"
)

// Rewind goes back to the first number.
func (a *Array) Rewind() error {
	if _, err := a.source.Seek(a.start, io.SeekStart); err != nil {
		return fmt.Errorf("%s: %w", a.Path, err)
	}
	a.r = bufio.NewReaderSize(a.source, 1<<16)
	a.left = int64(a.Len())
	return nil
}

// Read reads the next len(dst) numbers, in the order of the file. All but integers beyond 2^53 are
// exact.
func (a *Array) Read(dst []float64) error {
	if cap(a.buf) < len(dst)*a.Type.Width {
		a.buf = make([]byte, len(dst)*a.Type.Width)
	}
	a.buf = a.buf[:len(dst)*a.Type.Width]
	if err := a.next(a.buf); err != nil {
		return err
	}
	switch {
	case a.Type.Kind == 'f' && a.Type.Width == 4:
		for i := range dst {
			dst[i] = float64(math.Float32frombits(a.order.Uint32(a.buf[4*i:])))
		}
	case a.Type.Kind == 'f' && a.Type.Width == 8:
		for i := range dst {
			dst[i] = math.Float64frombits(a.order.Uint64(a.buf[8*i:]))
		}
	case a.Type.Kind == 'f':
		for i := range dst {
			dst[i] = float64(float16.Frombits(a.order.Uint16(a.buf[2*i:])).Float32())
		}
	case a.Type.Kind == 'V':
		for i := range dst {
			dst[i] = float64(math.Float32frombits(uint32(a.order.Uint16(a.buf[2*i:])) << 16))
		}
	case a.Type.Kind == 'i':
		for i := range dst {
			dst[i] = float64(int64(a.word(i)))
		}
	case a.Type.Kind == 'b':
		for i := range dst {
			dst[i] = 0
			if a.buf[i] != 0 {
				dst[i] = 1
			}
		}
	default:
		for i := range dst {
			dst[i] = float64(a.word(i))
		}
	}
	return nil
}

// next reads the bytes of the next numbers. With the last of them it reads the end of the file:
// that of an archive's member carries its checksum.
func (a *Array) next(dst []byte) error {
	if _, err := io.ReadFull(a.r, dst); err != nil {
		return fmt.Errorf("%s: %w", a.Path, err)
	}
	if a.left -= int64(len(dst) / a.Type.Width); a.left > 0 {
		return nil
	}
	switch _, err := a.r.ReadByte(); {
	case err == nil:
		return fmt.Errorf("%s: goes on behind the array, which it did not when it was opened", a.Path)
	case err != io.EOF:
		return fmt.Errorf("%s: %w", a.Path, err)
	}
	return nil
}

// chunk is about how many numbers are read at a time.
const chunk = 1 << 14

// Float64s reads the whole of an array of which nothing has been read, in C order whatever the
// order of the file.
func (a *Array) Float64s() ([]float64, error) { return whole[float64](a) }

// Float32s is Float64s, rounded.
func (a *Array) Float32s() ([]float32, error) { return whole[float32](a) }

func whole[T float32 | float64](a *Array) ([]T, error) {
	out := make([]T, a.Len())
	part := make([]float64, min(chunk, len(out)))
	place := a.places()
	for at := 0; at < len(out); at += len(part) {
		part = part[:min(chunk, len(out)-at)]
		if err := a.Read(part); err != nil {
			return nil, err
		}
		for i, x := range part {
			to := at + i
			if a.Fortran {
				to = place.next()
			}
			out[to] = T(x)
		}
	}
	return out, nil
}

// Uint8s is Float64s of an array of uint8.
func (a *Array) Uint8s() ([]uint8, error) {
	if a.Type != Uint8 {
		return nil, fmt.Errorf("%s: %s, want uint8", a.Path, a.Type)
	}
	out := make([]uint8, a.Len())
	if err := a.next(out); err != nil || !a.Fortran {
		return out, err
	}
	ordered := make([]uint8, len(out))
	place := a.places()
	for _, x := range out {
		ordered[place.next()] = x
	}
	return ordered, nil
}

// places visits the numbers of an array in Fortran order: it says where each stands in C order.
type places struct {
	shape, index, stride []int
	at                   int
}

func (a *Array) places() *places {
	p := &places{shape: a.Shape, index: make([]int, len(a.Shape)), stride: make([]int, len(a.Shape))}
	n := 1
	for d := len(a.Shape) - 1; d >= 0; d-- {
		p.stride[d] = n
		n *= a.Shape[d]
	}
	return p
}

func (p *places) next() int {
	at := p.at
	for d := range p.shape {
		p.index[d]++
		p.at += p.stride[d]
		if p.index[d] < p.shape[d] {
			break
		}
		p.at -= p.index[d] * p.stride[d]
		p.index[d] = 0
	}
	return at
}

// word returns integer i of those just read, sign-extended where signed.
func (a *Array) word(i int) uint64 {
	var word [8]byte // little-endian
	for b := range a.Type.Width {
		from := i*a.Type.Width + b
		if a.order == binary.BigEndian {
			from = (i+1)*a.Type.Width - 1 - b
		}
		word[b] = a.buf[from]
	}
	if a.Type.Kind == 'i' && word[a.Type.Width-1] >= 0x80 {
		for b := a.Type.Width; b < 8; b++ {
			word[b] = 0xff
		}
	}
	return binary.LittleEndian.Uint64(word[:])
}

// Text is number i of those just read, x, as an error shows it.
func (a *Array) Text(i int, x float64) string {
	switch a.Type.Kind {
	case 'i':
		return strconv.FormatInt(int64(a.word(i)), 10)
	case 'u':
		return strconv.FormatUint(a.word(i), 10)
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}
