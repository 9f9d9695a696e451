package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/suites"
	"bayesbench/suites/data"
)

// Every whole suite that stands on a page can be read, and planned where its data set needs no
// files.
func TestSuitesOfPages(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("../../docs/*/*.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```toml\n(.*?)```\n")
	read, planned := 0, 0
	for _, page := range append(append(pages, more...), "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range block.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(m[1], "[[method]]") {
				continue // a part of a suite
			}
			s, err := suites.Parse(bench.Words(), page, []byte(m[1]), nil)
			if err != nil {
				t.Errorf("%v, in\n%s", err, m[1])
				continue
			}
			read++
			name := s.Jobs[0].Data.Name
			if s.Datasets[name] != nil {
				continue // TestOwnSetsOfPage plans it
			}
			if _, err := data.Describe(name); err != nil {
				t.Errorf("%s: %v", page, err)
			}
			if name != "line" && name != "blobs" {
				continue
			}
			planned++
			dir := t.TempDir()
			if code, _, log := benchrun(t, "-plan", "-out", dir, write(t, dir, s.Name+".toml", m[1])); code != 0 {
				t.Errorf("%s: suite %s: exit %d\n%s", page, s.Name, code, log)
			}
		}
	}
	if read < 4 || planned < 2 {
		t.Errorf("%d suites read and %d planned: the check sees too little", read, planned)
	}
}
