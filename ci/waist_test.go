package ci

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A new likelihood is its file in methods/task, its scorer in results/metrics and its page. A new
// kind of example is its file in suites/data. These tests find each place in the Go sources that
// names a likelihood or a kind, by the names that those packages declare, and hold the list of the
// others that may: each with the reason, and none that no longer does.

// namesLikelihoods are the packages, or files, that may name a likelihood, the result of a predict
// program or a kind of prediction.
var namesLikelihoods = map[string]string{
	"methods/task":              "the likelihoods",
	"results/metrics":           "the scorers of their predictions",
	"results/score":             "scores arrays from elsewhere, whose kind the caller says by naming the files of it",
	"methods/methodtest":        "the problems on which every method is tested",
	"methods/nn/model.go":       "softmax-regression is the name of a network",
	"methods/nn/zoo.go":         "softmax-regression is the name of a network",
	"internal/nearest/words.go": "softmax-regression is the name of a network",
	"methods/ffg/ffg.go":        "biases = \"gaussian\" is a posterior",
	"methods/nn/onnx":           "Softmax and LogSoftmax are ops of the file format",
	"ci/peers/cases.go":         "times steps of classifiers beside other programs'",
	"ci/peers/ours.go":          "times predictions of classifiers beside other programs'",
}

// namesKinds are the files that may name a kind of example otherwise than to say which one a set
// has.
var namesKinds = map[string]string{
	"suites/data/kind.go":    "the kinds",
	"suites/data/pixels.go":  "the feeder of pixels",
	"suites/data/numbers.go": "the feeder of numbers",
	"suites/data/fields.go":  "the feeder of fields",
}

// naming is a place that names something.
type naming struct {
	file string // "methods/ffg/ffg.go"
	line int
	name string
}

// source is a parsed file of the module.
type source struct {
	pkg, name string // "methods/ffg", "ffg.go"
	file      *ast.File
	fset      *token.FileSet
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	pkgs := list(t)
	for _, path := range slices.Sorted(maps.Keys(pkgs)) {
		own, ok := strings.CutPrefix(path, module)
		if !ok {
			continue
		}
		for _, name := range pkgs[path].GoFiles {
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, filepath.Join(pkgs[path].Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, source{own, name, file, fset})
		}
	}
	return all
}

// visit calls find for each node of the file, and gathers the places where it finds a name.
func (s source) visit(find func(n ast.Node, parents []ast.Node) string) []naming {
	var found []naming
	var parents []ast.Node
	ast.Inspect(s.file, func(n ast.Node) bool {
		if n == nil {
			parents = parents[:len(parents)-1]
			return true
		}
		if name := find(n, parents); name != "" {
			found = append(found, naming{s.pkg + "/" + s.name, s.fset.Position(n.Pos()).Line, name})
		}
		parents = append(parents, n)
		return true
	})
	return found
}

// text is the value of a string literal.
func text(n ast.Node) (string, bool) {
	if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
		s, err := strconv.Unquote(lit.Value)
		return s, err == nil
	}
	return "", false
}

// words are what a package declares of its likelihoods or kinds.
type words struct {
	names map[string]bool // Go names
	texts map[string]bool // values of strings
}

// declaredBy gathers the exported names that files declare, with the values of constant strings.
func declaredBy(files []source, types ...string) words {
	w := words{map[string]bool{}, map[string]bool{}}
	for _, s := range files {
		for _, decl := range s.file.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if spec.Name.IsExported() && types == nil {
						w.names[spec.Name.Name] = true
					}
				case *ast.ValueSpec:
					typ, _ := spec.Type.(*ast.Ident)
					if types != nil && (typ == nil || !slices.Contains(types, typ.Name)) {
						continue
					}
					for i, name := range spec.Names {
						if i >= len(spec.Values) || !name.IsExported() {
							continue
						}
						if s, ok := text(spec.Values[i]); ok && s != "" {
							w.names[name.Name], w.texts[s] = true, true
						}
					}
				}
			}
		}
	}
	return w
}

// check holds the places to the list of those that may, by package or file.
func check(t *testing.T, found []naming, may map[string]string) {
	t.Helper()
	used := map[string]bool{}
	for _, f := range found {
		at := f.file
		if may[at] == "" {
			at = at[:strings.LastIndexByte(at, '/')]
		}
		if may[at] == "" {
			t.Errorf("%s:%d names %s; want it named in %q alone", f.file, f.line, f.name, slices.Sorted(maps.Keys(may)))
		}
		used[at] = true
	}
	for at := range may {
		if !used[at] {
			t.Errorf("%s names nothing: take it off the list", at)
		}
	}
}

// of are the sources of a package, those that meet a condition.
func of(all []source, pkg string, keep func(source) bool) []source {
	return slices.DeleteFunc(slices.Clone(all), func(s source) bool { return s.pkg != pkg || !keep(s) })
}

// likelihoodWord is the part of a Go name or a text that speaks of one likelihood. "gaussian" is
// not among them: posteriors, priors and corruptions are Gaussian too.
var likelihoodWord = regexp.MustCompile(`(?i)softmax|categorical|(homo|hetero)scedastic`)

func TestLikelihoodsAreNamedAtHome(t *testing.T) {
	check(t, likelihoodsNamed(t, sources(t)), namesLikelihoods)
}

// likelihoodsNamed are the places that name a likelihood, outside of the backends: to them
// LogSoftmax is an op like another.
func likelihoodsNamed(t *testing.T, all []source) []naming {
	t.Helper()
	// The file of a likelihood registers it, and names what its predict program results in.
	texts := map[string]bool{}
	files := of(all, "methods/task", func(s source) bool {
		home := false
		for _, n := range s.visit(func(n ast.Node, _ []ast.Node) string {
			if index, ok := n.(*ast.IndexExpr); ok && fmt.Sprint(index.X) == "kinds" {
				name, _ := text(index.Index)
				return name
			}
			return ""
		}) {
			texts[n.name], home = true, true
		}
		return home
	})
	for _, s := range files {
		for _, n := range s.visit(func(n ast.Node, parents []ast.Node) string {
			field, ok := n.(*ast.KeyValueExpr)
			if !ok || fmt.Sprint(field.Key) != "Name" {
				return ""
			}
			name, _ := text(field.Value)
			return name
		}) {
			texts[n.name] = true
		}
	}
	delete(texts, "mean") // a predictor's name as well, and plain English
	if len(files) < 2 || len(texts) < 4 {
		t.Fatalf("methods/task: %d likelihoods, which name %v: the check sees too little", len(files), texts)
	}
	task := declaredBy(files)
	kinds := declaredBy(of(all, "results/metrics", func(s source) bool { return s.name == "kind.go" }), "Kind")
	if len(task.names) < 4 || len(kinds.names) < 3 {
		t.Fatalf("likelihoods declare %v, and kinds of prediction are %v: the check sees too little", task.names, kinds.names)
	}
	maps.Copy(texts, kinds.texts)
	delete(texts, "samples") // a key of suites, and a name key of results

	var found []naming
	for _, s := range all {
		if s.pkg == "backends" || strings.HasPrefix(s.pkg, "backends/") {
			continue
		}
		found = append(found, s.visit(func(n ast.Node, _ []ast.Node) string {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				switch x := fmt.Sprint(n.X); {
				case x == "task" && task.names[n.Sel.Name], x == "metrics" && kinds.names[n.Sel.Name]:
					return x + "." + n.Sel.Name
				}
			case *ast.Ident:
				return likelihoodWord.FindString(n.Name)
			case *ast.BasicLit:
				if s, ok := text(n); ok && (texts[s] || likelihoodWord.MatchString(s)) {
					return n.Value
				}
			}
			return ""
		})...)
	}
	return found
}

func TestKindsOfExamplesAreNamedAtHome(t *testing.T) {
	check(t, kindsNamed(t, sources(t)), namesKinds)
}

// kindsNamed are the places that name a kind of example, other than to say which one a set has.
func kindsNamed(t *testing.T, all []source) []naming {
	t.Helper()
	kinds := declaredBy(of(all, "suites/data", func(s source) bool { return s.name == "kind.go" }), "Kind")
	if len(kinds.names) < 3 {
		t.Fatalf("suites/data: kinds %v: the check sees too little", kinds.names)
	}
	var found []naming
	for _, s := range all {
		found = append(found, s.visit(func(n ast.Node, parents []ast.Node) string {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if fmt.Sprint(n.X) == "data" && kinds.names[n.Sel.Name] {
					return "data." + n.Sel.Name
				}
			case *ast.Ident:
				if s.pkg == "suites/data" && kinds.names[n.Name] && !saysKind(n, parents) {
					return n.Name
				}
			case *ast.BasicLit:
				if s, ok := text(n); ok && kinds.texts[s] {
					return n.Value
				}
			}
			return ""
		})...)
	}
	return found
}

// saysKind tells whether the name says which kind the examples of a set have, as in
// Examples{Pixels, shape}, or is that of a field: Example{Numbers: x}, e.Numbers.
func saysKind(n *ast.Ident, parents []ast.Node) bool {
	switch p := parents[len(parents)-1].(type) {
	case *ast.CompositeLit:
		return fmt.Sprint(p.Type) == "Examples"
	case *ast.KeyValueExpr:
		return p.Key == n
	case *ast.SelectorExpr:
		return p.Sel == n
	case *ast.Field:
		return true
	}
	return false
}

// What the two checks see, in a file that is not there.
func TestNamingsAreSeen(t *testing.T) {
	const planted = `package bench

import ("bayesbench/methods/task"; "bayesbench/results/metrics"; "bayesbench/suites/data")

func f(l task.Likelihood, k metrics.Kind, s *data.Set, b interface{ LogSoftmax() }) {
	if _, ok := l.(task.Gaussian); ok { // 6
		return
	}
	switch l.Name() {
	case "categorical": // 10
	}
	if k == metrics.KindSamples { // 12
		b.LogSoftmax() // 13
	}
	_ = "log_var" // 15
	if s.Kind == data.Pixels || string(s.Kind) == "numbers" { // 16
	}
	_ = "gaussian-noise-3 logp mean"
}
`
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "planted.go", planted, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	all := append(sources(t), source{"cmd/benchrun/internal/bench", "planted.go", file, fset})
	for _, c := range []struct {
		found []naming
		want  []string
	}{
		{likelihoodsNamed(t, all), []string{"6 task.Gaussian", `10 "categorical"`, "12 metrics.KindSamples", "13 Softmax", `15 "log_var"`}},
		{kindsNamed(t, all), []string{"16 data.Pixels", `16 "numbers"`}},
	} {
		var lines []string
		for _, f := range c.found {
			if strings.HasSuffix(f.file, "planted.go") && f.line > 5 {
				lines = append(lines, fmt.Sprint(f.line, " ", f.name))
			}
		}
		if !slices.Equal(lines, c.want) {
			t.Errorf("found %q, want %q", lines, c.want)
		}
	}
}
