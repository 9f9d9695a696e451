package npy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Array is an open array whose numbers are still to be read, in the order of the file.
//
// The header is parsed here because readers at hand trust it: they allocate what it claims and
// panic where it is cut. Nothing is allocated here that the size of the file does not cover.
type Array struct {
	Path    string // for errors
	Type    Type
	Shape   []int // no dimension is 0
	Fortran bool  // the first index runs fastest, not the last

	source io.ReadSeeker
	r      *bufio.Reader // of source
	start  int64         // where the numbers start in source
	left   int64         // numbers that have not been read
	order  binary.ByteOrder
	buf    []byte // read buffer
}

// Type is the type of an array's numbers.
type Type struct {
	Kind  byte // 'f' float, 'i' signed, 'u' unsigned integer, 'b' bool, 'V' bfloat16
	Width int  // bytes of one number
}

// Uint8 is the type of bytes: of pixels.
var Uint8 = Type{'u', 1}

// String is what numpy calls the type: float32, int64, uint8, bool; ml_dtypes' bfloat16.
func (t Type) String() string {
	switch t.Kind {
	case 'V':
		return "bfloat16"
	case 'b':
		return "bool"
	case 'f':
		return fmt.Sprintf("float%d", 8*t.Width)
	case 'i':
		return fmt.Sprintf("int%d", 8*t.Width)
	}
	return fmt.Sprintf("uint%d", 8*t.Width)
}

// Float tells whether the numbers have a fraction.
func (t Type) Float() bool { return t.Kind == 'f' || t.Kind == 'V' }

const (
	magic     = "\x93NUMPY"
	maxHeader = 64 << 10
)

// Len is how many numbers the array has.
func (a *Array) Len() int {
	n := 1
	for _, d := range a.Shape {
		n *= d // checked against the size of the file
	}
	return n
}

// Open opens a .npy file and reads its header. The caller closes the array.
func Open(path string) (*Array, error) {
	file, size, err := OpenFile(path)
	if err != nil {
		return nil, err
	}
	a, err := New(path, file, size)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return a, nil
}

// Bytes is an array of uint8 in C order that is in memory. Its shape has as many numbers.
func Bytes(path string, x []uint8, shape ...int) *Array {
	source := bytes.NewReader(x)
	return &Array{
		Path: path, Type: Uint8, Shape: shape, source: source, r: bufio.NewReader(source), left: int64(len(x)), order: binary.LittleEndian,
	}
}

// OpenFile opens a file that holds an array, and says how many bytes it has. What is not a regular
// file is refused: reading a named pipe would wait, and a device has no end.
func OpenFile(path string) (*os.File, int64, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: not a regular file (%s): save the array with numpy.save", path, info.Mode().Type())
	}
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

// Close closes what the array is read from, if that can be closed.
func (a *Array) Close() error {
	if c, ok := a.source.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// New reads the header of an array of size bytes in all, from the start of source. The path is for
// errors.
func New(path string, source io.ReadSeeker, size int64) (*Array, error) {
	a := &Array{Path: path, source: source, r: bufio.NewReaderSize(source, 1<<16)}
	header, start, err := a.header()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	a.start = start
	if err := a.describe(header); err != nil {
		return nil, fmt.Errorf("%s: header %.200q: %w", path, header, err)
	}
	// Division, not multiplication: the claimed shape may overflow.
	room := (size - start) / int64(a.Type.Width)
	count := int64(1)
	for _, d := range a.Shape {
		if int64(d) > room/count {
			return nil, fmt.Errorf("%s: shape %v of %d-byte numbers does not fit in the file's %d bytes: truncated, or not written by numpy.save", path, a.Shape, a.Type.Width, size)
		}
		count *= int64(d)
	}
	if extra := size - start - count*int64(a.Type.Width); extra != 0 {
		return nil, fmt.Errorf("%s: %d bytes left over after an array of shape %v", path, extra, a.Shape)
	}
	a.left = count
	return a, nil
}

// header returns the header's text and where the numbers start.
func (a *Array) header() (text string, start int64, err error) {
	var lead [12]byte
	_, err = io.ReadFull(a.r, lead[:8])
	switch cut := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF); {
	case err != nil && !cut:
		return "", 0, err
	case string(lead[:2]) == "PK":
		return "", 0, fmt.Errorf("a zip archive (.npz, .pt), want one array: numpy.save(file, array)")
	case cut || string(lead[:6]) != magic:
		return "", 0, fmt.Errorf("not a .npy file (no \\x93NUMPY at its start)")
	}
	width := 2
	switch lead[6] {
	case 1:
	case 2, 3:
		width = 4
	default:
		return "", 0, fmt.Errorf("version %d.%d of the .npy format, want 1, 2 or 3", lead[6], lead[7])
	}
	if _, err := io.ReadFull(a.r, lead[8:8+width]); err != nil {
		return "", 0, fmt.Errorf("header is cut short")
	}
	length := binary.LittleEndian.Uint32(lead[8:12]) // the unread half of a 2-byte length is zero
	if length > maxHeader {
		return "", 0, fmt.Errorf("header of %d bytes, want at most %d", length, maxHeader)
	}
	buf := make([]byte, length)
	if _, err := io.ReadFull(a.r, buf); err != nil {
		return "", 0, fmt.Errorf("header is cut short")
	}
	return strings.TrimRight(string(buf), " \n\x00"), int64(8 + width + len(buf)), nil
}

// describe parses the header, the text of a Python dictionary with the keys
// descr, fortran_order and shape.
func (a *Array) describe(header string) error {
	p := &literal{rest: header}
	seen := map[string]bool{}
	p.expect("{")
	for p.err == nil && !p.take("}") {
		key := p.quoted()
		if p.expect(":"); p.err != nil {
			break
		}
		if seen[key] {
			return fmt.Errorf("%q stands twice", key)
		}
		seen[key] = true
		switch key {
		case "descr":
			if p.next("[") {
				return fmt.Errorf("structured dtype, want plain numbers")
			}
			if err := a.dtype(p.quoted()); err != nil && p.err == nil {
				return err
			}
		case "fortran_order":
			if a.Fortran = p.take("True"); !a.Fortran {
				p.expect("False")
			}
		case "shape":
			a.Shape = p.tuple()
		default:
			return fmt.Errorf("unknown key %q", key)
		}
		if !p.take(",") && !p.next("}") {
			p.fail("a comma or }")
		}
	}
	if p.err != nil {
		return p.err
	}
	if p.rest != "" {
		return fmt.Errorf("%.20q after the end", p.rest)
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if !seen[key] {
			return fmt.Errorf("no %q", key)
		}
	}
	if slices.Contains(a.Shape, 0) {
		return fmt.Errorf("array is empty")
	}
	return nil
}

// dtype takes a numpy type string such as <f4. numpy knows no bfloat16: that of
// ml_dtypes, of JAX and TensorFlow, is stored as two bytes of no type, V2.
func (a *Array) dtype(s string) error {
	if strings.HasPrefix(s, "|O") || s == "O" {
		return fmt.Errorf("array of Python objects (pickled), which is not read; save an array of numbers")
	}
	if len(s) < 3 {
		return fmt.Errorf("dtype %q", s)
	}
	switch s[0] {
	case '<', '|', '=':
		a.order = binary.LittleEndian
	case '>':
		a.order = binary.BigEndian
	default:
		return fmt.Errorf("dtype %q", s)
	}
	switch s[1:] {
	case "f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1", "V2":
		a.Type = Type{s[1], int(s[2] - '0')}
		return nil
	}
	if s[1] == 'U' || s[1] == 'S' {
		return fmt.Errorf("text (dtype %q), want numbers: number the classes from 0, numpy.unique(a, return_inverse=True)[1]", s)
	}
	return fmt.Errorf("dtype %q, want float16, bfloat16, float32, float64, an integer or bool: save a.astype(\"float32\")", s)
}

// literal scans the Python literals that occur in a header.
type literal struct {
	rest string
	err  error
}

func (p *literal) fail(want string) {
	if p.err == nil {
		p.err = fmt.Errorf("want %s at %.20q", want, p.rest)
	}
}

func (p *literal) next(token string) bool {
	p.rest = strings.TrimLeft(p.rest, " ")
	return p.err == nil && strings.HasPrefix(p.rest, token)
}

func (p *literal) take(token string) bool {
	if !p.next(token) {
		return false
	}
	p.rest = p.rest[len(token):]
	return true
}

func (p *literal) expect(token string) {
	if !p.take(token) {
		p.fail(token)
	}
}

func (p *literal) quoted() string {
	quote := "'"
	if p.next(`"`) {
		quote = `"`
	}
	p.expect(quote)
	text, rest, ok := strings.Cut(p.rest, quote)
	if !ok {
		p.fail("the end of a string")
		return ""
	}
	p.rest = rest
	return text
}

func (p *literal) tuple() []int {
	var shape []int
	p.expect("(")
	for p.err == nil && !p.take(")") {
		p.next("") // skip blanks
		end := strings.IndexFunc(p.rest, func(r rune) bool { return r < '0' || r > '9' })
		if end <= 0 {
			p.fail("a dimension")
			return nil
		}
		d, err := strconv.ParseInt(p.rest[:end], 10, 64)
		if err != nil {
			p.fail("a dimension below 2^63")
			return nil
		}
		shape = append(shape, int(d))
		p.rest = p.rest[end:]
		p.take("L") // Python 2 wrote long integers so
		if !p.take(",") && !p.next(")") {
			p.fail("a comma or )")
		}
	}
	return shape
}
