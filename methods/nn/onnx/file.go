package onnx

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// The opsets that are read.
const (
	firstOpset = 13
	lastOpset  = 20
)

// maxFile is the longest file that is read.
const maxFile = 4 << 30

// File is a network in an ONNX file.
type File struct {
	graph *graph
	// Sum is "sha256:" and the hash of the file, and of the files beside it that hold its weights.
	Sum string
}

// Read reads a file, and those beside it that hold its weights. It takes memory with their length.
func Read(path string) (*File, error) {
	whole, err := readRegular(path)
	if err != nil {
		return nil, err
	}
	f, err := parse(whole, filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// parse is Read of the file's bytes; the files beside it are in dir.
func parse(whole []byte, dir string) (*File, error) {
	m, err := readModel(whole)
	if err != nil {
		return nil, fmt.Errorf("not an ONNX file: %w", err)
	}
	if v := m.opsets[""]; v < firstOpset || v > lastOpset {
		return nil, fmt.Errorf("opset %d: want %d to %d, as torch.onnx.export writes it with opset_version=%d", v, firstOpset, lastOpset, 18)
	}
	var tensors []*tensor
	tensors = append(tensors, m.graph.initialisers...)
	for _, n := range m.graph.nodes {
		if t := n.attributes["value"].t; t != nil && n.op == "Constant" {
			tensors = append(tensors, t)
		}
	}
	sum := sha256.New()
	sum.Write(whole)
	beside := map[string][]byte{}
	for _, t := range tensors {
		if t.external != nil {
			if err := t.load(dir, beside); err != nil {
				return nil, fmt.Errorf("tensor %q: %w", t.name, err)
			}
		}
		if err := t.check(); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(beside)) {
		fmt.Fprintf(sum, "%q", name)
		sum.Write(beside[name])
	}
	g, err := newGraph(m)
	if err != nil {
		return nil, err
	}
	return &File{graph: g, Sum: "sha256:" + hex.EncodeToString(sum.Sum(nil))}, nil
}

// load finds the elements of a tensor in a file beside the network's.
func (t *tensor) load(dir string, beside map[string][]byte) error {
	name := t.external["location"]
	if name == "" || filepath.Base(name) != name || !filepath.IsLocal(name) {
		return fmt.Errorf("its elements are in %q; want a file in the network's own folder", name)
	}
	whole, ok := beside[name]
	if !ok {
		var err error
		if whole, err = readRegular(filepath.Join(dir, name)); err != nil {
			return err
		}
		beside[name] = whole
	}
	part := func(key string, otherwise int) (int, error) {
		text, ok := t.external[key]
		if !ok {
			return otherwise, nil
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > len(whole) {
			return 0, fmt.Errorf("%s: its %s is %q, the file has %d bytes", name, key, text, len(whole))
		}
		return n, nil
	}
	offset, err := part("offset", 0)
	if err != nil {
		return err
	}
	length, err := part("length", len(whole)-offset)
	if err != nil {
		return err
	}
	if offset+length > len(whole) {
		return fmt.Errorf("%s: it ends at byte %d, the file at %d", name, offset+length, len(whole))
	}
	t.raw = whole[offset : offset+length]
	return nil
}

// readRegular reads a file that is a regular one: a pipe would make it wait, and a device has no
// end.
func readRegular(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("%s: want a regular file of at most %d bytes", path, int64(maxFile))
	}
	whole := make([]byte, info.Size())
	if _, err := io.ReadFull(f, whole); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return whole, nil
}
