package ci

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// picture is the drawing of the rooms on docs/architecture.md.
type picture struct {
	rooms  map[string][]string // the packages that a node stands for; "x/…" is all below x
	arrows map[arrow]bool
	layers [][]string // of the top level, from the top down
}

// arrow goes from an importer to what it imports.
type arrow struct{ from, to string }

// The lines that a drawing may have, so that none is passed over.
var (
	pictureNode  = regexp.MustCompile(`^(\w+)\["<b>([^<"]+)</b>(?:<br/>[^"]+)?"\]$`)
	pictureArrow = regexp.MustCompile(`^(\w+) --> (\w+(?: & \w+)*)$`)
	pictureTop   = regexp.MustCompile(`^subgraph \w+\["(\w+)/"\]$`)
	pictureLayer = regexp.MustCompile(`(?m)^> (\w+(?:, \w+)*(?: → \w+(?:, \w+)*)+)$`)
)

// draw reads the drawing of a page.
func draw(page string) (picture, error) {
	p := picture{rooms: map[string][]string{}, arrows: map[arrow]bool{}}
	_, text, _ := strings.Cut(page, "```mermaid\nflowchart TD\n")
	text, _, ok := strings.Cut(text, "\n```\n")
	if !ok {
		return p, fmt.Errorf("want a drawing between ```mermaid, flowchart TD and ```, found none")
	}
	top := ""
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		if m := pictureTop.FindStringSubmatch(line); m != nil {
			top = m[1]
		} else if line == "end" {
			top = ""
		} else if m := pictureNode.FindStringSubmatch(line); m != nil {
			if p.rooms[m[1]] != nil {
				return p, fmt.Errorf("room %s is drawn twice", m[1])
			}
			p.rooms[m[1]] = strings.Split(m[2], ", ")
			for _, path := range p.rooms[m[1]] {
				if first, _, _ := strings.Cut(path, "/"); first != top {
					return p, fmt.Errorf("%s is drawn within %s/", path, top)
				}
			}
		} else if m := pictureArrow.FindStringSubmatch(line); m != nil {
			for to := range strings.SplitSeq(m[2], " & ") {
				if p.arrows[arrow{m[1], to}] {
					return p, fmt.Errorf("%s --> %s is drawn twice", m[1], to)
				}
				p.arrows[arrow{m[1], to}] = true
			}
		} else if line != "" {
			return p, fmt.Errorf("want a room, an arrow, subgraph or end, found %q", line)
		}
	}
	m := pictureLayer.FindStringSubmatch(page)
	if m == nil {
		return p, fmt.Errorf("want a line > a, b → c of the top level, found none")
	}
	for layer := range strings.SplitSeq(m[1], " → ") {
		p.layers = append(p.layers, strings.Split(layer, ", "))
	}
	return p, nil
}

// room is the node that stands for a package, "" if none does: the one that names it, else the one
// with the longest path above it.
func (p picture) room(path string) string {
	best, length := "", -1
	for room, paths := range p.rooms {
		for _, pattern := range paths {
			long := len(strings.TrimSuffix(pattern, "/…"))
			if pattern == path {
				long = len(path) + 1
			}
			if matches(pattern, path) && long > length {
				best, length = room, long
			}
		}
	}
	return best
}

// layer is that of a folder of the top level, from 0 on; −1 if it has none.
func (p picture) layer(path string) int {
	top, _, _ := strings.Cut(path, "/")
	return slices.IndexFunc(p.layers, func(layer []string) bool { return slices.Contains(layer, top) })
}

// imports are those between packages of the module, by importer.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for path, pkg := range list(t) {
		own, ok := strings.CutPrefix(path, module)
		if !ok {
			continue
		}
		out[own] = nil
		for _, imported := range pkg.Imports {
			if short, ok := strings.CutPrefix(imported, module); ok {
				out[own] = append(out[own], short)
			}
		}
	}
	return out
}

// compare tells in what the picture and the imports differ.
func (p picture) compare(imports map[string][]string) []string {
	var wrong []string
	example := map[arrow]string{} // an import behind each arrow between rooms
	used := map[string]bool{}
	for _, path := range slices.Sorted(maps.Keys(imports)) {
		room := p.room(path)
		if used[room] = true; room == "" {
			wrong = append(wrong, fmt.Sprintf("%s stands in no room", path))
			continue
		}
		for _, imported := range imports[path] {
			if a := (arrow{room, p.room(imported)}); a.from != a.to && example[a] == "" {
				example[a] = path + " imports " + imported
			}
			top, _, _ := strings.Cut(path, "/")
			if into, _, _ := strings.Cut(imported, "/"); into == top {
				continue
			}
			if from, to := p.layer(path), p.layer(imported); from < 0 || to <= from {
				wrong = append(wrong, fmt.Sprintf("top level: %s imports %s, against the line of the page", path, imported))
			}
		}
	}
	for room := range p.rooms {
		if !used[room] {
			wrong = append(wrong, fmt.Sprintf("room %s has no package", room))
		}
	}
	// An import that a chain of others tells has no arrow.
	next := map[string][]string{}
	for a := range example {
		next[a.from] = append(next[a.from], a.to)
	}
	below := map[string]map[string]bool{}
	var visit func(room string) map[string]bool
	visit = func(room string) map[string]bool {
		if below[room] != nil {
			return below[room]
		}
		all := map[string]bool{}
		below[room] = all
		for _, to := range next[room] {
			all[to] = true
			maps.Copy(all, visit(to))
		}
		return all
	}
	for _, room := range slices.Sorted(maps.Keys(next)) {
		if visit(room)[room] {
			wrong = append(wrong, fmt.Sprintf("room %s imports itself by a chain of others", room))
		}
	}
	for a, imported := range example {
		direct := !slices.ContainsFunc(next[a.from], func(via string) bool { return via != a.to && below[via][a.to] })
		if direct && !p.arrows[a] {
			wrong = append(wrong, fmt.Sprintf("want the arrow %s --> %s: %s", a.from, a.to, imported))
		}
		if !direct && p.arrows[a] {
			wrong = append(wrong, fmt.Sprintf("want no arrow %s --> %s: a chain of others tells it", a.from, a.to))
		}
	}
	for a := range p.arrows {
		if example[a] == "" {
			wrong = append(wrong, fmt.Sprintf("want no arrow %s --> %s: nothing imports so", a.from, a.to))
		}
	}
	slices.Sort(wrong)
	return wrong
}

// The picture of the rooms shows every package, and the arrows between rooms are those of the
// imports.
func TestPictureOfRooms(t *testing.T) {
	page, err := os.ReadFile("../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	p, err := draw(string(page))
	if err != nil {
		t.Fatalf("docs/architecture.md: %v", err)
	}
	for _, w := range p.compare(imports(t)) {
		t.Errorf("docs/architecture.md: %s", w)
	}
}

// What the comparison finds, on a small tree.
func TestPictureIsCompared(t *testing.T) {
	const page = "```mermaid\nflowchart TD\n" + `
  subgraph top_a["a/"]
    a["<b>a</b><br/>words"]
    below["<b>a/…</b>"]
  end
  subgraph top_b["b/"]
    b["<b>b/x, b/y</b>"]
  end
  a --> below
  below --> b
` + "\n```\n\n> a → b\n"
	right := map[string][]string{"a": {"a/c", "b/x"}, "a/c": {"b/y"}, "a/d/e": {"b/x"}, "b/x": {"b/y"}, "b/y": nil}
	p, err := draw(page)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := p.compare(right); wrong != nil {
		t.Fatalf("a true picture: %q", wrong)
	}
	for _, c := range []struct {
		name, path string
		imports    []string
		want       string
	}{
		{"a new package", "b/z", nil, "b/z stands in no room"},
		{"an import back up", "b/y", []string{"a/c"}, "top level: b/y imports a/c, against the line of the page"},
		{"an import less", "a", []string{"b/x"}, "want no arrow a --> below: nothing imports so"},
		{"a cycle of rooms", "a/c", []string{"a", "b/y"}, "room a imports itself by a chain of others"},
	} {
		changed := maps.Clone(right)
		changed[c.path] = c.imports
		if wrong := p.compare(changed); !slices.Contains(wrong, c.want) {
			t.Errorf("%s: want %q, found %q", c.name, c.want, wrong)
		}
	}
	delete(p.arrows, arrow{"below", "b"})
	if wrong := p.compare(right); !slices.Contains(wrong, "want the arrow below --> b: a/c imports b/y") {
		t.Errorf("an arrow less: %q", wrong)
	}
	p.arrows[arrow{"below", "b"}], p.arrows[arrow{"a", "b"}] = true, true
	if wrong := p.compare(right); !slices.Equal(wrong, []string{"want no arrow a --> b: a chain of others tells it"}) {
		t.Errorf("an arrow too many: %q", wrong)
	}
	if _, err := draw(strings.Replace(page, "a --> below", "a -.-> below", 1)); err == nil {
		t.Error("a line of another form is passed over")
	}
	if _, err := draw(strings.Replace(page, "b/x, b/y", "b/x, c/y", 1)); err == nil {
		t.Error("a room in the wrong place is taken")
	}
}
