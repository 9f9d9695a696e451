package results

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// files are the names in dir.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// What a killed write left is gone after the next write of the same file. Files of others stay, and
// so does that of a write at work.
func TestWriteFileTidiesUp(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report.html")
	for _, name := range []string{".report.html6129484611666145821", ".report.html.bak1", ".report.html12", ".other.html6129484611666145821", ".report.html6129484611666145821x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write := func(text string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
	}
	err := WriteFile(path, func(w io.Writer) error { // another writer comes and goes meanwhile
		return errors.Join(write("outer")(w), WriteFile(path, write("inner")))
	})
	if text, _ := os.ReadFile(path); err != nil || string(text) != "outer" {
		t.Errorf("%q, %v", text, err)
	}
	if got, want := files(t, dir), []string{".other.html6129484611666145821", ".report.html.bak1", ".report.html12", ".report.html6129484611666145821x", "report.html"}; !slices.Equal(got, want) {
		t.Errorf("left are %q, want %q", got, want)
	}
}

// What is no file is not replaced by one: a device belongs to the machine, a pipe to who reads it.
func TestWriteFileKeepsDevices(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "socket")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for name, target := range map[string]string{"to-socket": socket, "to-folder": dir, "to-null": os.DevNull} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	before := files(t, dir)
	for _, name := range []string{"socket", "to-socket", "to-folder", "to-null"} {
		path := filepath.Join(dir, name)
		was, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		err = WriteFile(path, func(w io.Writer) error { _, err := io.WriteString(w, "text"); return err })
		if err == nil || !strings.Contains(err.Error(), path+" is not a regular file") {
			t.Errorf("%s: %v", name, err)
		}
		if is, err := os.Lstat(path); err != nil || is.Mode() != was.Mode() {
			t.Errorf("%s was %v, is %v, %v", name, was.Mode(), is.Mode(), err)
		}
	}
	if after := files(t, dir); !slices.Equal(before, after) {
		t.Errorf("there are %q, before %q", after, before)
	}
	// A link to a file, or to none, is replaced as a file is.
	target := filepath.Join(dir, "target")
	if err := os.Symlink(target, filepath.Join(dir, "to-none")); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "to-none"), func(io.Writer) error { return nil }); err != nil {
		t.Error(err)
	}
}

// Writers of one file at once all succeed, and one of them is seen.
func TestWriteFileTogether(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	done := make(chan error)
	const writers = 20
	for i := range writers {
		go func() {
			done <- WriteFile(path, func(w io.Writer) error { _, err := fmt.Fprint(w, "writer ", i); return err })
		}()
	}
	for range writers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(text), "writer ") || len(files(t, dir)) != 1 {
		t.Errorf("%q, %v, %q", text, err, files(t, dir))
	}
}

func TestDetailsFit(t *testing.T) {
	whole := Details{RiskCover: []RiskCover{{Coverage: []float64{1}, Risk: []float64{0}}},
		Histograms: []Histogram{{Edges: []float64{0, 1}, Counts: []int{3}}}}
	if err := whole.check(); err != nil {
		t.Error(err)
	}
	for want, d := range map[string]Details{
		"as many risks as coverages, found 0 and 1":              {RiskCover: []RiskCover{{Coverage: []float64{1}}}},
		"one edge more than counts, found 1 edges and 1 counts":  {Histograms: []Histogram{{Edges: []float64{0}, Counts: []int{3}}}},
		"one edge more than counts, found 0 edges and 0 counts":  {Histograms: []Histogram{{}}},
		"histogram of entropy on x: want one edge more than cou": {Histograms: []Histogram{{Quantity: "entropy", Data: "x", Edges: []float64{0, 1, 2}, Counts: []int{3}}}},
	} {
		if err := d.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		// They are as the manifest says, so its hash does not show it.
		d.Format = FormatVersion
		dir := filepath.Join(t.TempDir(), jobsDir, "x")
		var text bytes.Buffer
		if err := errors.Join(encodeJSON(&text, d), os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, detailsFile), text.Bytes(), 0o644)); err != nil {
			t.Fatal(err)
		}
		m := Manifest{Files: map[string]string{detailsFile: hexSum(text.Bytes())}}
		if _, err := m.readDetails(dir); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "delete "+dir) {
			t.Errorf("read: %v, want %s", err, want)
		}
	}
}
