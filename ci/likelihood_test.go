package ci

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// knowsLikelihoods are the rooms that may tell one likelihood from another: the likelihoods, what
// scores their predictions, the problems that methods are tested on, and the steps timed beside
// other programs'.
var knowsLikelihoods = []string{"methods/task", "results/metrics", "methods/methodtest", "ci/peers"}

// named are the signs of it: a type of package task, the op of one, the names of their predictions.
var (
	likelihoodTypes = map[string]bool{"Categorical": true, "Gaussian": true}
	predictionNames = map[string]bool{"categorical": true, "logp": true, "log_var": true}
)

// A new likelihood is one file in methods/task, its metrics and its docs page: no other package says
// which likelihoods there are.
func TestLikelihoodsAreNamedAtHome(t *testing.T) {
	seen := map[string]bool{}
	for path, p := range list(t) {
		own, ok := strings.CutPrefix(path, module)
		if !ok || own == "backends" || strings.HasPrefix(own, "backends/") {
			continue // of the backends LogSoftmax is an op like another
		}
		for _, name := range p.GoFiles {
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				sign := ""
				switch n := n.(type) {
				case *ast.SelectorExpr:
					x, isName := n.X.(*ast.Ident)
					if isName && x.Name == "task" && likelihoodTypes[n.Sel.Name] || n.Sel.Name == "LogSoftmax" {
						sign = n.Sel.Name
					}
				case *ast.BasicLit:
					if s, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING && predictionNames[s] {
						sign = n.Value
					}
				}
				if sign == "" {
					return true
				}
				for _, room := range knowsLikelihoods {
					if own == room {
						seen[room] = true
						return true
					}
				}
				t.Errorf("%s/%s:%d names %s; only %q may know which likelihoods there are", own, name, fset.Position(n.Pos()).Line, sign, knowsLikelihoods)
				return true
			})
		}
	}
	for _, room := range knowsLikelihoods {
		if !seen[room] {
			t.Errorf("%s names no likelihood: take it off the list", room)
		}
	}
}
