package data

import (
	"archive/tar"
	"bytes"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"
	"testing"

	"bayesbench/internal/alloctest"
)

func FuzzIDX(f *testing.F) {
	f.Add(idx([]byte("abcdef"), 2, 3))
	f.Add(idx([]byte("abcdefgh"), 2, 2, 2))
	f.Add(idx(nil, 0))
	f.Add(idx([]byte("a"), 1<<16, 1<<16, 1<<16, 1<<16))
	f.Add([]byte{0, 0, 8, 1, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0, 0, 13, 1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var dims []int
		var content []byte
		var err error
		alloctest.AtMost(t, 1<<20, func() { dims, content, err = parseIDX(b) }) // the content is b's own
		if err != nil {
			return
		}
		n := 1
		for _, d := range dims {
			n *= d
		}
		if n != len(content) || !bytes.HasSuffix(b, content) || !bytes.Equal(idx(content, dims...), b) {
			t.Errorf("dimensions %v, %d bytes of content", dims, len(content))
		}
	})
}

func FuzzIDXSplit(f *testing.F) {
	f.Add(idx([]byte("abcdefgh"), 2, 2, 2), idx([]byte{0, 2}, 2))
	f.Add(idx([]byte("abcdefgh"), 2, 2, 2), idx([]byte{0, 3}, 2))
	f.Add(idx([]byte("abcd"), 1, 4), idx([]byte{0}, 1))
	f.Fuzz(func(t *testing.T, images, labels []byte) {
		var m *memory
		var err error
		alloctest.AtMost(t, 1<<20, func() { m, err = idxSplit(images, labels, 3, [3]int{1, 2, 2}) })
		if err != nil {
			return
		}
		for i := range m.Len() {
			read(t, m, i)
			if l := label(m, i); l < 0 || l > 2 {
				t.Errorf("label %d", l)
			}
		}
	})
}

func FuzzCIFAR(f *testing.F) {
	good := bytes.Repeat([]byte{3}, 2*cifarRecord)
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(bytes.Repeat([]byte{10}, cifarRecord))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m *memory
		var err error
		alloctest.AtMost(t, 1<<20+8*len(b), func() {
			m = &memory{classes: 10, shape: [3]int{3, 32, 32}}
			err = m.appendCIFAR(b)
		})
		if err != nil {
			return
		}
		if m.Len() != len(b)/cifarRecord || len(m.pix) != m.Len()*cifarImage {
			t.Errorf("%d records and %d pixels of %d bytes", m.Len(), len(m.pix), len(b))
		}
		for i := range m.Len() {
			if l := label(m, i); l > 9 || !bytes.Equal(m.image(i), b[i*cifarRecord+1:(i+1)*cifarRecord]) {
				t.Errorf("record %d has label %d, or other pixels", i, l)
			}
		}
	})
}

// Whatever a tar says, members lie inside it, below train or val, and lead nowhere else.
func FuzzTar(f *testing.F) {
	image := photograph(f, 8, 8, 1, false)
	f.Add(tarOf(f, member("x/train/a/1.JPEG", image), member("x/val/a/2.JPEG", image)))
	f.Add(tarOf(f, member("train/../../etc/passwd", image)))
	f.Add(tarOf(f, member("/train/a/1.JPEG", image)))
	f.Add(tarOf(f, tar.Header{Name: "train/a/1.JPEG", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}))
	f.Add(tarOf(f, member("train/"+strings.Repeat("a", 200)+"/1.JPEG", image)))
	f.Add(tarOf(f, member("val/images/1.JPEG", image), member(annotations, []byte("1.JPEG a\n"))))
	f.Add(claiming(f, 1<<40))
	f.Add(claiming(f, 1<<62))
	f.Fuzz(func(t *testing.T, b []byte) {
		var all []found
		var err error
		alloctest.AtMost(t, 1<<20+32*len(b), func() { all, err = listTar(bytes.NewReader(b)) })
		if err != nil {
			return
		}
		for _, e := range all {
			if e.size < 0 || e.offset < 0 || e.offset+e.size > int64(len(b)) {
				t.Errorf("%s: bytes %d to %d of %d", e.path, e.offset, e.offset+e.size, len(b))
			}
			if strings.HasPrefix(e.path, "/") || strings.HasPrefix(e.path+"/", "../") || e.path != path.Clean(e.path) {
				t.Errorf("path %q", e.path)
			}
		}
		var tr tree
		for _, e := range all { // these would be read from a file
			if e.path != annotations {
				continue
			}
			text := b[e.offset : e.offset+e.size]
			alloctest.AtMost(t, 1<<20+64*len(text), func() {
				if class, err := parseAnnotations(text); err == nil && len(class) > bytes.Count(text, []byte("\n"))+1 {
					t.Errorf("%d classes in %q", len(class), text)
				}
			})
			return
		}
		if err := tr.sort(all); err != nil {
			return
		}
		for _, e := range append(tr.train, tr.val...) {
			if !strings.HasPrefix(e.path, "train/") && !strings.HasPrefix(e.path, "val/") {
				t.Errorf("path %q", e.path)
			}
			if len(tr.faults) > 0 { // then there are no labels
				continue
			}
			if int(e.label) >= len(tr.classes) || tr.classes[e.label] != e.class || e.size > maxImageBytes {
				t.Errorf("%s: label %d, class %q, %d bytes", e.path, e.label, e.class, e.size)
			}
		}
	})
}

// Whatever a table says, its rows have one length and its numbers are finite. Printed again they
// are the same.
func FuzzNumbers(f *testing.F) {
	f.Add([]byte("1 2.5\t-3e2\n4 5 6\n\n"))
	f.Add([]byte("1 2\n\n3 4\n"))
	f.Add([]byte("nan inf\n"))
	f.Add([]byte("1e39"))
	f.Add([]byte("0x1p-2 1_0\r\n"))
	f.Add(bytes.Repeat([]byte("1 "), 1<<10))
	f.Fuzz(func(t *testing.T, text []byte) {
		var columns int
		var values []float64
		var err error
		alloctest.AtMost(t, 1<<20+64*len(text), func() { columns, values, err = parseNumbers(text) })
		if err != nil {
			return
		}
		if columns < 1 || len(values) == 0 || len(values)%columns != 0 || len(values) > len(text) {
			t.Fatalf("%d values in %d columns", len(values), columns)
		}
		var again bytes.Buffer
		for i, v := range values {
			if math.IsNaN(v) || math.Abs(v) > math.MaxFloat32 {
				t.Fatalf("value %d is %v", i, v)
			}
			end := " "
			if i%columns == columns-1 {
				end = "\n"
			}
			fmt.Fprint(&again, v, end)
		}
		sameColumns, same, err := parseNumbers(again.Bytes())
		if err != nil || sameColumns != columns || !slices.Equal(same, values) {
			t.Errorf("printed again: %d columns, %v, %v", sameColumns, same, err)
		}
	})
}

// Whatever a file of places says, each is below the bound and there once.
func FuzzPlaces(f *testing.F) {
	f.Add([]byte("3\n1\n0\n\n"), 4)
	f.Add([]byte("3\n3\n"), 4)
	f.Add([]byte("-1\n"), 4)
	f.Add([]byte("99999999999999999999"), 4)
	f.Fuzz(func(t *testing.T, text []byte, n int) {
		n = min(max(n, 1), 1<<10) // the rows of a table, which was read before
		places, err := parsePlaces(text, n)
		if err != nil {
			return
		}
		sorted := slices.Sorted(slices.Values(places))
		if len(sorted) == 0 || sorted[0] < 0 || int(sorted[len(sorted)-1]) >= n || len(slices.Compact(sorted)) != len(places) {
			t.Errorf("places %v of %d", places, n)
		}
	})
}
