package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"

	"bayesbench/methods"
	"bayesbench/suites"
)

// hashes are those of files beside a suite, by their path, each read once.
type hashes map[string]string

// of is the hash of the files that a method reads, or that the methods do which it is made of: of
// a line for each, with its hash and the path that the suite says. It is empty where there are
// none. An edited file makes another job.
func (h hashes) of(method suites.Table) (string, error) {
	files := map[string]string{}
	if err := h.add(files, method); err != nil || len(files) == 0 {
		return "", err
	}
	sum := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(sum, "%s  %s\n", files[path], path)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}

func (h hashes) add(files map[string]string, method suites.Table) error {
	d, _ := methods.Find(method.Name()) // one that there is not is refused later
	for _, key := range d.Files {
		for i, word := range method.Strings(key) {
			sum, err := h.file(method.Path(word))
			switch {
			case err == nil:
				files[word] = sum
			case key == "files":
				return method.Errorf(key, "files: %q: %w", word, err)
			case i > 0 && slices.Contains(scripts, extension(word)):
				return method.Errorf(key, "%s: %q looks like a file, and it cannot be read: %w", key, word, err)
			}
		}
	}
	for _, part := range d.Parts {
		if sub, ok := method.Sub(part); ok {
			if err := h.add(files, sub); err != nil {
				return err
			}
		}
	}
	return nil
}

// scripts are the endings of words of a command that can be but files.
var scripts = []string{"py", "R", "jl", "sh"}

func extension(word string) string { return word[strings.LastIndexByte(word, '.')+1:] }

// file is the hash of a regular file.
func (h hashes) file(path string) (string, error) {
	if sum, ok := h[path]; ok {
		return sum, nil
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a regular file", path)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	h[path] = hex.EncodeToString(sum.Sum(nil))
	return h[path], nil
}
