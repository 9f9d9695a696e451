package ci

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// policy is the architecture: what each room may import beyond the standard
// library. "x/…" stands for x and all below it. The longest room that matches
// a package holds for it.
var policy = map[string][]string{
	"backends":             {"backends/ir", "internal/nearest"},
	"backends/ir":          {},
	"backends/rng":         {},
	"backends/ref":         {"backends", "backends/ir", "backends/rng"},
	"backends/gonum":       {"backends", "backends/ir", "backends/rng", "backends/gonum/…", "gonum.org/v1/gonum/…", "golang.org/x/sys/cpu"},
	"backends/gorgonia":    {"github.com/chewxy/hm", "go4.org/unsafe/assume-no-moving-gc", "backends", "backends/ir", "backends/rng", "backends/gonum/kernel/…", "gorgonia.org/…"},
	"backends/gomlx":       {"backends", "backends/ir", "github.com/gomlx/…"},
	"backends/backendtest": {"backends", "backends/ir", "backends/rng", "backends/ref"},

	"methods":            {"backends/ir", "methods/…", "internal/nearest", "gonum.org/v1/gonum/…"},
	"methods/exec":       {"backends", "backends/ir", "backends/rng", "methods"},
	"methods/nn":         {"backends/ir", "methods/schedule", "internal/nearest"},
	"methods/nn/onnx":    {"backends/ir", "methods/nn", "google.golang.org/protobuf/encoding/protowire"},
	"methods/schedule":   {},
	"methods/methodtest": {"github.com/BurntSushi/toml", "gonum.org/v1/gonum/…", "backends", "backends/ir", "backends/rng", "backends/ref", "methods/…"},

	"suites":            {"github.com/BurntSushi/toml", "backends/rng", "internal/nearest"},
	"suites/data":       {"backends/rng", "internal/nearest", "internal/npy", "suites/data/…", "golang.org/x/image/…", "golang.org/x/text/unicode/norm"},
	"suites/data/fetch": {"internal/atomicfile", "github.com/gofrs/flock"},

	"results": {"github.com/nlpodyssey/safetensors", "golang.org/x/perf/…", "internal/atomicfile", "github.com/gofrs/flock"},
	// A metric gives a results.Value with its direction, and counts into the bins and layers that
	// the store keeps.
	"results/metrics": {"backends/rng", "results", "gonum.org/v1/gonum/…"},
	"results/stats":   {"backends/rng", "gonum.org/v1/gonum/…", "golang.org/x/perf/benchmath"},
	"results/score":   {"backends/rng", "results", "results/metrics", "results/stats", "internal/npy"},
	"results/report": {"backends/rng", "results", "results/metrics", "results/stats", "results/report/papers", "results/score", "golang.org/x/perf/…", "gonum.org/v1/gonum/…", "gonum.org/v1/plot/…",
		"github.com/jedib0t/go-pretty/v6/…", "github.com/BurntSushi/toml", "internal/nearest"},
	"results/report/papers": {"results/stats", "github.com/BurntSushi/toml"},
	"results/tidy":          {"results", "github.com/parquet-go/parquet-go"},
	"results/tensorboard":   {"results", "google.golang.org/protobuf/encoding/protowire"},

	"cmd/internal/cli":                            {"internal/nearest", "github.com/peterbourgon/ff/v3/ffcli", "golang.org/x/term"},
	"cmd/internal/cli/helptest":                   {"cmd/internal/cli", "github.com/peterbourgon/ff/v3/ffcli"},
	"internal/alloctest":                          {},
	"internal/atomicfile":                         {"github.com/google/renameio/v2"},
	"internal/nearest":                            {"github.com/agnivade/levenshtein"},
	"internal/neartest":                           {},
	"internal/npy":                                {"internal/nearest", "github.com/x448/float16"},
	"internal/npy/npytest":                        {},
	"cmd/benchrun/internal/external":              {"internal/nearest", "internal/npy", "results", "golang.org/x/sys/unix"},
	"cmd/benchrun/internal/external/externaltest": {"cmd/benchrun/internal/external", "internal/npy", "gonum.org/v1/gonum/floats", "gonum.org/v1/gonum/mat"},
	"cmd/benchrun/internal/bench":                 {"cmd/benchrun/internal/external", "internal/nearest", "backends", "backends/ir", "backends/rng", "methods", "methods/exec", "methods/nn", "methods/nn/onnx", "methods/optim", "methods/schedule", "methods/task", "suites", "suites/data", "results", "results/metrics", "github.com/nlpodyssey/safetensors", "internal/npy", "gonum.org/v1/gonum/floats", "gonum.org/v1/gonum/mat"},

	"cmd/benchrun/internal/slurm": {"cmd/benchrun/internal/bench", "results"},

	"cmd/benchrun":         {"…"},
	"cmd/benchstat-report": {"internal/nearest", "cmd/internal/cli", "results/…", "github.com/peterbourgon/ff/v3/…"},
	"ci":                   {},
	"ci/tables":            {"results", "results/report", "github.com/pmezard/go-difflib/difflib"},
	"ci/faults":            {"results", "github.com/fsnotify/fsnotify", "golang.org/x/sys/unix"},
	"ci/peers":             {"…"},
}

// floors are the rooms of the top level from the ground up, and what each may stand on. An arrow
// runs down only: a room names no room that comes after it. internal holds what any may use and
// nothing that knows of another room. Data and results know nothing of methods, nor of each other:
// a report needs no program that trains, and a set none that records.
var floors = []struct {
	room string
	on   []string
}{
	{"internal", nil},
	{"backends", []string{"internal"}},
	{"methods", []string{"internal", "backends"}},
	{"suites", []string{"internal", "backends"}},
	{"results", []string{"internal", "backends"}},
	{"cmd", []string{"internal", "backends", "methods", "suites", "results"}},
	{"ci", []string{"internal", "backends", "methods", "suites", "results"}},
}

// never is what a command may not even reach through others.
var never = map[string][]string{
	"cmd/benchstat-report": {"methods/…", "suites/…", "cmd/benchrun/internal/…", "backends", "backends/ir", "backends/ref", "backends/gonum/…", "backends/gorgonia/…", "backends/gomlx/…"},
}

const module = "bayesbench/"

type goPackage struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Standard   bool
	Imports    []string
	Deps       []string
}

func list(t *testing.T) map[string]goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,GoFiles,Standard,Imports,Deps", "../...")
	out, err := cmd.Output()
	if err != nil {
		var e *exec.ExitError
		if errors.As(err, &e) {
			t.Fatalf("go list: %v\n%s", err, e.Stderr)
		}
		t.Fatal(err)
	}
	pkgs := map[string]goPackage{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); err == io.EOF {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs[p.ImportPath] = p
	}
}

func matches(pattern, path string) bool {
	if pattern == "…" {
		return true
	}
	if below, ok := strings.CutSuffix(pattern, "/…"); ok {
		return path == below || strings.HasPrefix(path, below+"/")
	}
	return path == pattern
}

func matchesAny(patterns []string, path string) bool {
	for _, p := range patterns {
		if matches(p, path) {
			return true
		}
	}
	return false
}

// room is the entry of the policy that holds for a package, "" if none does.
func room(path string) string {
	best := ""
	for r := range policy {
		if (path == r || strings.HasPrefix(path, r+"/")) && len(r) > len(best) {
			best = r
		}
	}
	return best
}

func TestImportPolicy(t *testing.T) {
	pkgs := list(t)
	var paths []string
	for path := range pkgs {
		if strings.HasPrefix(path, module) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	if len(paths) < 20 {
		t.Fatalf("go list found %d packages of the module: the check sees nothing", len(paths))
	}
	for _, path := range paths {
		own := strings.TrimPrefix(path, module)
		r := room(own)
		if r == "" {
			t.Errorf("%s belongs to no room; add it to the policy", own)
			continue
		}
		for _, imp := range pkgs[path].Imports {
			if pkgs[imp].Standard || imp == "C" {
				continue
			}
			if short := strings.TrimPrefix(imp, module); !matchesAny(policy[r], short) {
				t.Errorf("%s imports %s, which the room %s may not", own, short, r)
			}
		}
	}
	for r, allowed := range policy {
		for _, pattern := range allowed {
			if pattern == "…" {
				continue
			}
			if !slices.ContainsFunc(paths, func(path string) bool {
				return room(strings.TrimPrefix(path, module)) == r && slices.ContainsFunc(pkgs[path].Imports, func(imp string) bool {
					return matches(pattern, strings.TrimPrefix(imp, module))
				})
			}) {
				t.Errorf("the room %s may import %s, and nothing in it does", r, pattern)
			}
		}
	}
	for root, banned := range never {
		p, ok := pkgs[module+root]
		if !ok {
			t.Errorf("no package %s", root)
		}
		for _, dep := range p.Deps {
			if short := strings.TrimPrefix(dep, module); strings.HasPrefix(dep, module) && matchesAny(banned, short) {
				t.Errorf("%s reaches %s, which it may not", root, short)
			}
		}
	}
}

// top is the room of the top level that a package of the module lies in.
func top(path string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, module), "/")
	return name
}

// No arrow of the top level runs up. Of data and results only the stream of noise (backends/rng) is
// a backend's.
func TestFloors(t *testing.T) {
	on := map[string][]string{}
	for _, f := range floors {
		for _, below := range f.on {
			if on[below] == nil {
				t.Errorf("%s stands on %s, which does not come before it", f.room, below)
			}
		}
		on[f.room] = append([]string{f.room}, f.on...)
	}
	arrows := 0
	for path, p := range list(t) {
		if !strings.HasPrefix(path, module) {
			continue
		}
		from := top(path)
		if on[from] == nil {
			t.Errorf("%s: the top level has no room %s", path, from)
		}
		for _, imp := range p.Imports {
			if !strings.HasPrefix(imp, module) {
				continue
			}
			to := top(imp)
			if to != from {
				arrows++
			}
			if !slices.Contains(on[from], to) {
				t.Errorf("%s imports %s, and %s does not stand on %s", path, imp, from, to)
			}
			if (from == "suites" || from == "results") && to == "backends" && imp != module+"backends/rng" {
				t.Errorf("%s imports %s: want backends/rng alone", path, imp)
			}
		}
	}
	if arrows < 50 {
		t.Errorf("%d arrows between rooms: the check sees nothing", arrows)
	}
}

// Only methods/exec makes the buffers of a program, docs/adr/0008. Beside it the forecast of a run
// times one matrix product.
func TestOneRunner(t *testing.T) {
	set, files := goFiles(t)
	var found []string
	for name, file := range files {
		if strings.HasSuffix(name, "_test.go") || !slices.ContainsFunc(file.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == `"bayesbench/backends"` }) {
			continue
		}
		dir := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(name), ".."+string(filepath.Separator)))
		if dir == "backends" || strings.HasPrefix(dir, "backends/") {
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) == 1 {
				if f, ok := call.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Alloc" {
					if !slices.Contains(found, dir) {
						found = append(found, dir)
					}
					if dir != "methods/exec" && filepath.Base(name) != "speed.go" {
						t.Errorf("%s: want plans to be run by methods/exec", set.Position(call.Pos()))
					}
				}
			}
			return true
		})
	}
	if slices.Sort(found); !slices.Equal(found, []string{"cmd/benchrun/internal/bench", "methods/exec"}) {
		t.Errorf("buffers are made in %q", found)
	}
}

// A reader finds what a package is in its doc.go, and there alone: the file holds the package
// comment and nothing else.
func TestEveryPackageHasDoc(t *testing.T) {
	for path, p := range list(t) {
		if !strings.HasPrefix(path, module) {
			continue
		}
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if (file.Doc != nil) != (name == "doc.go") {
				t.Errorf("%s: want the package comment in doc.go alone", filepath.Join(strings.TrimPrefix(path, module), name))
			}
		}
		if !slices.Contains(p.GoFiles, "doc.go") {
			t.Errorf("%s has no doc.go", path)
		}
	}
}
