package ci

import (
	"encoding/json"
	"errors"
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
	"methods/schedule":   {},
	"methods/methodtest": {"github.com/BurntSushi/toml", "gonum.org/v1/gonum/…", "backends", "backends/ir", "backends/rng", "backends/ref", "methods/…"},

	"suites":            {"github.com/BurntSushi/toml", "internal/nearest"},
	"suites/data":       {"backends/rng", "internal/nearest", "suites/data/…", "golang.org/x/image/…", "golang.org/x/text/unicode/norm"},
	"suites/data/fetch": {"internal/atomicfile", "github.com/gofrs/flock"},

	"results": {"github.com/nlpodyssey/safetensors", "golang.org/x/perf/…", "internal/atomicfile", "github.com/gofrs/flock"},
	// A metric gives a results.Value with its direction, and counts into the bins and layers that the store keeps.
	"results/metrics": {"backends/rng", "results", "gonum.org/v1/gonum/…"},
	"results/stats":   {"backends/rng", "gonum.org/v1/gonum/…", "golang.org/x/perf/benchmath"},
	"results/score":   {"backends/rng", "results", "results/metrics", "results/stats", "github.com/x448/float16"},
	"results/report": {"backends/rng", "results", "results/metrics", "results/stats", "results/report/papers", "results/score", "golang.org/x/perf/…", "gonum.org/v1/gonum/…", "gonum.org/v1/plot/…",
		"github.com/jedib0t/go-pretty/v6/…", "github.com/BurntSushi/toml", "internal/nearest"},
	"results/report/papers": {"results/stats", "github.com/BurntSushi/toml"},
	"results/tensorboard":   {"results", "google.golang.org/protobuf/encoding/protowire"},

	"cmd/internal/cli":            {"internal/nearest", "github.com/peterbourgon/ff/v3/ffcli", "golang.org/x/term"},
	"cmd/internal/cli/helptest":   {"cmd/internal/cli", "github.com/peterbourgon/ff/v3/ffcli"},
	"internal/alloctest":          {},
	"internal/atomicfile":         {"github.com/google/renameio/v2"},
	"internal/nearest":            {"github.com/agnivade/levenshtein"},
	"cmd/benchrun/internal/bench": {"internal/nearest", "backends", "backends/ir", "backends/rng", "methods", "methods/exec", "methods/nn", "methods/optim", "methods/schedule", "methods/task", "suites", "suites/data", "results", "results/metrics", "github.com/sbinet/npyio", "gonum.org/v1/gonum/floats", "gonum.org/v1/gonum/mat"},

	"cmd/benchrun/internal/slurm": {"cmd/benchrun/internal/bench", "results"},

	"cmd/benchrun":         {"…"},
	"cmd/benchstat-report": {"cmd/internal/cli", "results/…", "github.com/peterbourgon/ff/v3/…"},
	"ci":                   {},
	"ci/tables":            {"results", "results/report", "github.com/pmezard/go-difflib/difflib"},
	"ci/faults":            {"results", "github.com/fsnotify/fsnotify", "golang.org/x/sys/unix"},
	"ci/peers":             {"…"},
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
