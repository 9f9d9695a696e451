package score

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/x448/float16"
)

// typeName is what numpy calls the array's numbers.
func (a *array) typeName() string {
	switch a.kind {
	case 'V':
		return "bfloat16"
	case 'b':
		return "bool"
	case 'f':
		return fmt.Sprintf("float%d", 8*a.width)
	case 'i':
		return fmt.Sprintf("int%d", 8*a.width)
	}
	return fmt.Sprintf("uint%d", 8*a.width)
}

// rewind goes back to the first number.
func (a *array) rewind() error {
	if _, err := a.source.Seek(a.start, io.SeekStart); err != nil {
		return fmt.Errorf("%s: %w", a.path, err)
	}
	a.r = bufio.NewReaderSize(a.source, 1<<16)
	return nil
}

// numbers reads the next len(dst) numbers, in the order of the file. All but
// integers beyond 2^53 are exact.
func (a *array) numbers(dst []float64) error {
	if cap(a.bytes) < len(dst)*a.width {
		a.bytes = make([]byte, len(dst)*a.width)
	}
	a.bytes = a.bytes[:len(dst)*a.width]
	if _, err := io.ReadFull(a.r, a.bytes); err != nil {
		return fmt.Errorf("%s: %w", a.path, err)
	}
	switch {
	case a.kind == 'f' && a.width == 4:
		for i := range dst {
			dst[i] = float64(math.Float32frombits(a.order.Uint32(a.bytes[4*i:])))
		}
	case a.kind == 'f' && a.width == 8:
		for i := range dst {
			dst[i] = math.Float64frombits(a.order.Uint64(a.bytes[8*i:]))
		}
	case a.kind == 'f':
		for i := range dst {
			dst[i] = float64(float16.Frombits(a.order.Uint16(a.bytes[2*i:])).Float32())
		}
	case a.kind == 'V':
		for i := range dst {
			dst[i] = float64(math.Float32frombits(uint32(a.order.Uint16(a.bytes[2*i:])) << 16))
		}
	case a.kind == 'i':
		for i := range dst {
			dst[i] = float64(int64(a.word(i)))
		}
	case a.kind == 'b':
		for i := range dst {
			dst[i] = 0
			if a.bytes[i] != 0 {
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

// word returns integer i of those just read, sign-extended where signed.
func (a *array) word(i int) uint64 {
	var word [8]byte // little-endian
	for b := range a.width {
		from := i*a.width + b
		if a.order == binary.BigEndian {
			from = (i+1)*a.width - 1 - b
		}
		word[b] = a.bytes[from]
	}
	if a.kind == 'i' && word[a.width-1] >= 0x80 {
		for b := a.width; b < 8; b++ {
			word[b] = 0xff
		}
	}
	return binary.LittleEndian.Uint64(word[:])
}

// text is number i of those just read, x, as an error shows it.
func (a *array) text(i int, x float64) string {
	switch a.kind {
	case 'i':
		return strconv.FormatInt(int64(a.word(i)), 10)
	case 'u':
		return strconv.FormatUint(a.word(i), 10)
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}
