package data

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bayesbench/internal/alloctest"
)

// claiming is a tar whose one member says that it has so many bytes.
func claiming(t testing.TB, size int64) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	if err := w.WriteHeader(&tar.Header{Name: "train/a/1.JPEG", Typeflag: tar.TypeReg, Mode: 0o644, Size: size, Format: tar.FormatGNU}); err != nil {
		t.Fatal(err)
	}
	return append(buf.Bytes(), make([]byte, 2048)...) // it is not closed: its content is missing
}

// What a tar says of itself costs nothing, and none of its names leads out of it.
func TestHostileTars(t *testing.T) {
	image := []byte("no image")
	link := func(kind byte, name, to string) tar.Header {
		return tar.Header{Name: name, Typeflag: kind, Linkname: to}
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"a member above":     {tarOf(t, member("train/../../x.JPEG", image)), "leads out of the archive"},
		"an absolute member": {tarOf(t, member("/train/a/x.JPEG", image)), "leads out of the archive"},
		"a symbolic link":    {tarOf(t, link(tar.TypeSymlink, "train/a/x.JPEG", "/etc/passwd")), "is a link or a special file"},
		"a hard link":        {tarOf(t, link(tar.TypeLink, "train/a/x.JPEG", "/etc/passwd")), "is a link or a special file"},
		"a device":           {tarOf(t, link(tar.TypeChar, "train/a/x.JPEG", "")), "is a link or a special file"},
		"a named pipe":       {tarOf(t, link(tar.TypeFifo, "train/a/x.JPEG", "")), "is a link or a special file"},
		"a terabyte":         {claiming(t, 1<<40), "truncated: member"},
		"four exabytes":      {claiming(t, 1<<62), "truncated: member"},
		"all that fits":      {claiming(t, 1<<63-1), ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.tar")
			if err := os.WriteFile(path, c.file, 0o644); err != nil {
				t.Fatal(err)
			}
			alloctest.AtMost(t, 1<<20, func() {
				if _, err := openTree(path); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want %q", err, c.want)
				}
			})
		})
	}
	long := tree{root: "x"}
	if _, err := long.annotated(found{path: annotations, size: maxAnnotated + 1}); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("annotations of %d bytes: %v", maxAnnotated+1, err)
	}
}

// A picture in place of CIFAR-10's is measured before it is decoded.
func TestHostilePictures(t *testing.T) {
	// 1024 x 2^31-1 pixels, as the header of a PNG has them.
	head := "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x04\x00\x7f\xff\xff\xff\x08\x02\x00\x00\x00"
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(head[12:])))
	alloctest.AtMost(t, 1<<20, func() {
		_, err := cifarFromPNG(strings.NewReader(head+string(sum)), make([]uint8, 10))
		if err == nil || !strings.Contains(err.Error(), "want a picture of 1024x10, found 1024x2147483647") {
			t.Errorf("error %v", err)
		}
	})
}

// A folder costs memory with the number of its files, and their names give a terminal no orders.
func TestHostileFolders(t *testing.T) {
	const n = 2000
	files := sampleTree(t)
	for i := range n {
		files[fmt.Sprintf("train/n01/%04d.txt", i)] = []byte("x")
	}
	place := writeTree(t, files)
	alloctest.AtMost(t, 1<<20+n<<11, func() {
		if _, err := openTree(place); err != nil {
			t.Error(err)
		}
	})
	for _, c := range []struct{ path, want string }{
		{"val/n01/\x1b[31m.png", `\x1b[31m.png": is empty`},
		{"val/\x1b[31m/x.png", `\x1b[31m/x.png": is empty`},
		{"val/\x1b[31m/x.jpg", `class "\x1b[31m" has no images in train`},
	} {
		files := sampleTree(t)
		if files[c.path] = nil; strings.HasSuffix(c.path, ".jpg") {
			files[c.path] = files["val/n01/9.jpg"]
		}
		_, err := openFolder(t, writeTree(t, files))
		if err == nil || strings.Contains(err.Error(), "\x1b") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, want %q", err, c.want)
		}
	}
}
