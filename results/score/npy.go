package score

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"bayesbench/results"
)

// array is an open .npy file whose numbers are still to be read, in the
// order of the file.
//
// The header is parsed here because readers at hand trust it: they allocate
// what it claims and panic where it is cut. Nothing is allocated here that the
// size of the file does not cover.
type array struct {
	path    string
	file    *os.File // nil in tests that read from memory
	source  io.ReadSeeker
	r       *bufio.Reader // of source
	start   int64         // where the numbers start in source
	shape   []int
	fortran bool // the first index runs fastest, not the last
	kind    byte // 'f' float, 'i' signed, 'u' unsigned integer, 'b' bool, 'V' bfloat16
	width   int  // bytes of one number
	order   binary.ByteOrder
	bytes   []byte // read buffer
}

const (
	magic     = "\x93NUMPY"
	maxHeader = 64 << 10
)

// openArray opens a .npy file and reads its header. What is not a regular file
// is not opened: a named pipe would wait, and a device has no end. What a job
// saved must be as it saved it.
func openArray(path string) (*array, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file (%s): save the array with numpy.save", path, info.Mode().Type())
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err = results.CheckBeside(path, file); err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	var a *array
	if err == nil {
		a, err = newArray(path, file, info.Size())
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	a.file = file
	return a, nil
}

func (a *array) close() { a.file.Close() }

// newArray reads the header of an array of size bytes in all.
func newArray(path string, source io.ReadSeeker, size int64) (*array, error) {
	a := &array{path: path, source: source, r: bufio.NewReaderSize(source, 1<<16)}
	header, start, err := a.header()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	a.start = start
	if err := a.describe(header); err != nil {
		return nil, fmt.Errorf("%s: header %.200q: %w", path, header, err)
	}
	// Division, not multiplication: the claimed shape may overflow.
	room := (size - start) / int64(a.width)
	count := int64(1)
	for _, d := range a.shape {
		if int64(d) > room/count {
			return nil, fmt.Errorf("%s: shape %v of %d-byte numbers does not fit in the file's %d bytes: truncated, or not written by numpy.save", path, a.shape, a.width, size)
		}
		count *= int64(d)
	}
	if extra := size - start - count*int64(a.width); extra != 0 {
		return nil, fmt.Errorf("%s: %d bytes left over after an array of shape %v", path, extra, a.shape)
	}
	return a, nil
}

// header returns the header's text and where the numbers start.
func (a *array) header() (text string, start int64, err error) {
	var lead [12]byte
	if _, err := io.ReadFull(a.r, lead[:8]); err != nil || string(lead[:6]) != magic {
		if string(lead[:2]) == "PK" {
			return "", 0, fmt.Errorf("a zip archive (.npz, .pt), want one array: numpy.save(file, array)")
		}
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
func (a *array) describe(header string) error {
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
			if a.fortran = p.take("True"); !a.fortran {
				p.expect("False")
			}
		case "shape":
			a.shape = p.tuple()
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
	if slices.Contains(a.shape, 0) {
		return fmt.Errorf("array is empty")
	}
	return nil
}

// dtype takes a numpy type string such as <f4. numpy knows no bfloat16: that of
// ml_dtypes, of JAX and TensorFlow, is stored as two bytes of no type, V2.
func (a *array) dtype(s string) error {
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
		a.kind, a.width = s[1], int(s[2]-'0')
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
