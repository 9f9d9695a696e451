package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bayesbench/internal/alloctest"
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

// servedSet is fakeSet, with a mirror that serves it gzipped.
func servedSet(t *testing.T) (set *Set, s *server) {
	s = newServer(t, map[string][]byte{})
	set, content := fakeSet(Mirror{s.URL, ".gz"})
	for f, b := range content {
		s.content[f+".gz"] = zipped(b)
	}
	return set, s
}

func TestMirror(t *testing.T) {
	cache := isolate(t)
	set, s := servedSet(t)
	var told []string
	opt := Options{Progress: func(what string, done, total int64) { told = append(told, fmt.Sprint(what, done, total)) }}
	dir, err := open(t.Context(), set, opt)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(cache, "bayesbench", set.Name); dir != want {
		t.Errorf("read from %s, want %s", dir, want)
	}
	if len(told) < 4 {
		t.Errorf("progress was told %q", told)
	}
	requests := len(s.requests)
	if _, err := open(t.Context(), set, Options{}); err != nil || len(s.requests) != requests {
		t.Errorf("the second time: %v, %d more requests", err, len(s.requests)-requests)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.partial")); left != nil {
		t.Errorf("%v were left behind", left)
	}
}

func TestBrokenDownloadIsResumed(t *testing.T) {
	isolate(t)
	set, s := servedSet(t)
	s.cut = 20
	var missing *NotFoundError
	if _, err := open(t.Context(), set, Options{}); !errors.As(err, &missing) {
		t.Fatalf("broken connection: %v", err)
	}
	s.cut, s.requests = 0, nil
	if _, err := open(t.Context(), set, Options{}); err != nil {
		t.Fatal(err)
	}
	if want := "train-images.gz bytes=20-"; s.requests[0] != want {
		t.Errorf("first request %q, want %q", s.requests[0], want)
	}
}

func TestDamagedDownloadIsRefusedAndForgotten(t *testing.T) {
	cache := isolate(t)
	set, s := servedSet(t)
	good := s.content["test-labels.gz"]
	for what, b := range map[string][]byte{
		"other content": zipped([]byte("00")),
		"no gzip":       []byte("<html>moved</html>"),
		"endless":       make([]byte, 1<<20),
	} {
		s.content["test-labels.gz"] = b
		_, err := open(t.Context(), set, Options{})
		if err == nil || !strings.Contains(err.Error(), s.URL+"/test-labels.gz") {
			t.Errorf("%s: got %v, want an error that names the address", what, err)
		}
		var hash *HashError
		if what == "other content" && !errors.As(err, &hash) {
			t.Errorf("%s: got %v, want a *HashError", what, err)
		}
		left, _ := filepath.Glob(filepath.Join(cache, "bayesbench", set.Name, "test-labels*"))
		if left != nil {
			t.Errorf("%s: %v were left behind", what, left)
		}
	}
	s.content["test-labels.gz"] = good
	if _, err := open(t.Context(), set, Options{}); err != nil {
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
	set, _ := fakeSet(Mirror{hang.URL, ""})
	if _, err := open(ctx, set, Options{}); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
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

// Whatever a mirror answers, the set is the published one or an error, no more is stored than it
// has bytes, and nothing is read but over HTTP.
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
		"an endless answer":      {func(w http.ResponseWriter, r *http.Request) { endless(w, false) }, "bytes, found more"},
		"an endless gzip answer": {func(w http.ResponseWriter, r *http.Request) { endless(w, true) }, "bytes, found more"},
		"an offer of exabytes": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(int64(1<<62)))
		}, "the server offers 4611686018427387904"},
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
			set, content := fakeSet(Mirror{s.URL, ""})
			alloctest.AtMost(t, 16<<20, func() { // of which the server is the larger part
				if _, err := open(t.Context(), set, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
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

// A link in the cache is not followed to a file outside it, neither by a download nor by what is
// unpacked.
func TestLinksInTheCache(t *testing.T) {
	cache := isolate(t)
	set, s := servedSet(t)
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "bayesbench", set.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for f := range s.content {
		if err := os.Symlink(victim, filepath.Join(dir, f+".partial")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := open(t.Context(), set, Options{}); err == nil || !strings.Contains(err.Error(), "escapes from parent") {
		t.Errorf("error %v", err)
	}
	content := []byte("content")
	f := File{Name: "x", Size: int64(len(content)), SHA256: sha256Of(content)}
	if err := os.Symlink(victim, filepath.Join(dir, f.Name)); err != nil {
		t.Fatal(err)
	}
	if err := f.Write(dir, content, "here"); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, f.Name)); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%q %v", got, err)
	}
	// The folder for intermediate files is emptied first: a link goes, what it leads to stays.
	if err := os.Symlink(filepath.Dir(victim), filepath.Join(dir, "work")); err != nil {
		t.Fatal(err)
	}
	_, remove, err := Request{Cache: dir}.Workspace()
	if err != nil {
		t.Fatal(err)
	}
	remove()
	if got, err := os.ReadFile(victim); err != nil || string(got) != "precious" {
		t.Errorf("the file that the links lead to has %q: %v", got, err)
	}
}
