package data

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// matArray is an array of a MATLAB file of level 5, as far as data sets have them: real numbers.
type matArray struct {
	dims []int
	of   uint32 // the type of the data
	data []byte // the first index is the fastest
}

// The types of elements of a MATLAB file.
const (
	matInt8       = 1
	matUint8      = 2
	matInt16      = 3
	matUint16     = 4
	matInt32      = 5
	matUint32     = 6
	matDouble     = 9
	matMatrix     = 14
	matCompressed = 15
)

// maxMAT bounds what a compressed element unpacks to.
const maxMAT = 1 << 30

// parseMAT reads the numeric arrays of a little-endian MATLAB file of level 5, by name (MathWorks,
// "MAT-File Format"): a header of 128 bytes, then elements, each a type and a size of 32 bits and
// the content, which may be compressed by zlib.
func parseMAT(b []byte) (map[string]*matArray, error) {
	if len(b) < 128 || string(b[126:128]) != "IM" || binary.LittleEndian.Uint16(b[124:]) != 0x0100 {
		return nil, errors.New("MATLAB: want a file of level 5, little-endian")
	}
	all := map[string]*matArray{}
	for rest := b[128:]; len(rest) > 0; {
		of, content, next, err := matElement(rest, false)
		if err != nil {
			return nil, err
		}
		rest = next
		if of == matCompressed {
			if content, err = unpackMAT(content); err != nil {
				return nil, err
			}
			if of, content, _, err = matElement(content, true); err != nil {
				return nil, err
			}
		}
		if of != matMatrix {
			continue
		}
		name, a, err := parseMatrix(content)
		if err != nil {
			return nil, err
		}
		all[name] = a
	}
	return all, nil
}

// unpackMAT unpacks an element. Deflate packs 1032 bytes into one at most.
func unpackMAT(packed []byte) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("MATLAB: %w", err)
	}
	var out bytes.Buffer
	n, err := io.Copy(&out, io.LimitReader(z, maxMAT+1))
	if err == nil && n > maxMAT {
		err = fmt.Errorf("an element has more than %d bytes", maxMAT)
	}
	if err != nil {
		return nil, fmt.Errorf("MATLAB: %w", err)
	}
	return out.Bytes(), nil
}

// matElement splits off the first element. Elements fill up to 8 bytes, but for compressed ones at
// the top.
func matElement(b []byte, inside bool) (of uint32, content, rest []byte, err error) {
	if len(b) < 8 {
		return 0, nil, nil, errors.New("MATLAB: an element is cut short")
	}
	of = binary.LittleEndian.Uint32(b)
	if small := of >> 16; small != 0 { // a size of 16 bits, with the content in the next 4 bytes
		if small > 4 {
			return 0, nil, nil, fmt.Errorf("MATLAB: a small element of %d bytes, want at most 4", small)
		}
		return of & 0xffff, b[4 : 4+small], b[8:], nil
	}
	size := uint64(binary.LittleEndian.Uint32(b[4:]))
	if size > uint64(len(b)-8) {
		return 0, nil, nil, fmt.Errorf("MATLAB: an element of %d bytes in %d", size, len(b)-8)
	}
	content, rest = b[8:8+size], b[8+size:]
	if pad := (8 - size%8) % 8; of != matCompressed || inside {
		rest = rest[min(pad, uint64(len(rest))):]
	}
	return of, content, rest, nil
}

// parseMatrix reads an array: flags, dimensions, name, numbers.
func parseMatrix(b []byte) (name string, a *matArray, err error) {
	var parts [4][]byte
	a = &matArray{}
	for i := range parts {
		var of uint32
		if of, parts[i], b, err = matElement(b, true); err != nil {
			return "", nil, err
		}
		a.of = of
	}
	n := uint64(1)
	for d := parts[1]; len(d) >= 4; d = d[4:] {
		v := binary.LittleEndian.Uint32(d)
		if n *= uint64(v); v > math.MaxInt32 || n > maxMAT {
			return "", nil, fmt.Errorf("MATLAB: %.100q: dimensions ask for more than %d numbers", parts[2], maxMAT)
		}
		a.dims = append(a.dims, int(v))
	}
	a.data = parts[3]
	return string(parts[2]), a, nil
}

// numbers are those of an array of at most as many bytes as its file.
func (a *matArray) numbers() ([]float64, error) {
	width := map[uint32]int{matInt8: 1, matUint8: 1, matInt16: 2, matUint16: 2, matInt32: 4, matUint32: 4, matDouble: 8}[a.of]
	if width == 0 {
		return nil, fmt.Errorf("numbers of type %d are not read", a.of)
	}
	out := make([]float64, len(a.data)/width)
	for i := range out {
		at := a.data[i*width:]
		switch a.of {
		case matInt8:
			out[i] = float64(int8(at[0]))
		case matUint8:
			out[i] = float64(at[0])
		case matInt16:
			out[i] = float64(int16(binary.LittleEndian.Uint16(at)))
		case matUint16:
			out[i] = float64(binary.LittleEndian.Uint16(at))
		case matInt32:
			out[i] = float64(int32(binary.LittleEndian.Uint32(at)))
		case matUint32:
			out[i] = float64(binary.LittleEndian.Uint32(at))
		default:
			out[i] = math.Float64frombits(binary.LittleEndian.Uint64(at))
		}
	}
	return out, nil
}
