package main

import (
	"archive/zip"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"bayesbench/internal/npy"
	"bayesbench/results"
)

// writePNG writes an image of one shade.
func writePNG(t *testing.T, path string, shade uint8) {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 32, 32))
	for i := range m.Pix {
		m.Pix[i] = shade + uint8(i%7)
	}
	m.SetGray(0, 0, color.Gray{shade})
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := results.WriteFile(path, func(w io.Writer) error { return png.Encode(w, m) }); err != nil {
		t.Fatal(err)
	}
}

// writeArray writes an array of the bytes 0, 1, 2, …, each to the power of two, modulo most.
func writeArray(t *testing.T, w io.Writer, most int, shape ...int) {
	t.Helper()
	n := 1
	for _, d := range shape {
		n *= d
	}
	x := make([]uint8, n)
	for i := range x {
		x[i] = uint8(i * i % most)
	}
	if err := npy.Write(w, x, shape...); err != nil {
		t.Fatal(err)
	}
}

// The suites with sets of the reader's own on the page about data are planned, on files as the page
// says, and the first of them is run.
func TestOwnSetsOfPage(t *testing.T) {
	text, err := os.ReadFile("../../docs/data.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	homes := "id,rooms,area,price\n"
	for i := range 60 {
		homes += fmt.Sprintf("%d,%d,%d,%v\n", i, i%5, 20+i, 3.5*float64(i%5)+0.5*float64(i))
	}
	write(t, dir, "houses.csv", homes)
	if err := results.WriteFile(filepath.Join(dir, "scans.npz"), func(w io.Writer) error {
		z := zip.NewWriter(w)
		for _, a := range []struct {
			name  string
			most  int
			shape []int
		}{{"x_train", 256, []int{100, 28, 28}}, {"y_train", 3, []int{100}}, {"x_test", 256, []int{10, 28, 28}}, {"y_test", 3, []int{10}}} {
			m, err := z.Create(a.name + ".npy")
			if err != nil {
				return err
			}
			writeArray(t, m, a.most, a.shape...)
		}
		return z.Close()
	}); err != nil {
		t.Fatal(err)
	}
	if err := results.WriteFile(filepath.Join(dir, "noise.npy"), func(w io.Writer) error {
		writeArray(t, w, 251, 8, 28, 28)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for i := range 140 {
		class := []string{"a", "b"}[i%2]
		writePNG(t, filepath.Join(dir, "birds", "train", class, fmt.Sprintf("%d.png", i)), uint8(i))
		writePNG(t, filepath.Join(dir, "insects", class, fmt.Sprintf("%d.png", i)), uint8(2*i))
	}
	for _, class := range []string{"a", "b"} {
		writePNG(t, filepath.Join(dir, "birds", "test", class, "1.png"), 9)
	}
	planned := 0
	for _, m := range regexp.MustCompile("(?s)```toml\n(.*?)```\n").FindAllStringSubmatch(string(text), -1) {
		if !strings.Contains(m[1], "[dataset.") {
			continue
		}
		suite := write(t, dir, fmt.Sprintf("page%d.toml", planned), m[1])
		if code, _, log := benchrun(t, "-plan", "-out", filepath.Join(dir, "runs"), suite); code != 0 {
			t.Errorf("exit %d\n%s\n%s", code, log, m[1])
		}
		if planned++; planned > 1 {
			continue
		}
		code, said, log := benchrun(t, "-out", filepath.Join(dir, "runs"), "-set", "train.epochs=1", suite)
		if code != 0 || !strings.Contains(said, "rmse") {
			t.Errorf("exit %d\n%s\n%s", code, said, log)
		}
	}
	if planned != 3 {
		t.Errorf("%d suites planned, want 3", planned)
	}
}
