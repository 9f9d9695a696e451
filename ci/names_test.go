package ci

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// declared are the exported names of the module's packages, by the last part of the path: "Plan",
// and of a type's methods and fields "Plan.Stages".
func declared(t *testing.T) map[string]map[string]bool {
	t.Helper()
	all := map[string]map[string]bool{}
	for importPath, p := range list(t) {
		if !strings.HasPrefix(importPath, module) {
			continue
		}
		names := all[path.Base(importPath)]
		if names == nil {
			names = map[string]bool{}
			all[path.Base(importPath)] = names
		}
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, decl := range file.Decls {
				switch decl := decl.(type) {
				case *ast.FuncDecl:
					names[receiver(decl)+decl.Name.Name] = true
				case *ast.GenDecl:
					for _, spec := range decl.Specs {
						addSpec(names, spec)
					}
				}
			}
		}
	}
	return all
}

// receiver is the type of a method with a dot behind it, "" of a function.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	t := f.Recv.List[0].Type
	if p, ok := t.(*ast.StarExpr); ok {
		t = p.X
	}
	if name, ok := t.(*ast.Ident); ok {
		return name.Name + "."
	}
	return ""
}

// addSpec adds what a declaration of types, constants or variables names.
func addSpec(names map[string]bool, spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			names[name.Name] = true
		}
	case *ast.TypeSpec:
		names[spec.Name.Name] = true
		var fields *ast.FieldList
		switch t := spec.Type.(type) {
		case *ast.StructType:
			fields = t.Fields
		case *ast.InterfaceType:
			fields = t.Methods
		default:
			return
		}
		for _, field := range fields.List {
			for _, name := range field.Names {
				names[spec.Name.Name+"."+name.Name] = true
			}
		}
	}
}

var (
	// codeSpan is what stands between backticks.
	codeSpan = regexp.MustCompile("`([^`\n]+)`")
	// pagePath is a path of the tree, as pages write it: a file, or a folder with a slash behind
	// it.
	pagePath = regexp.MustCompile(`^(backends|ci|cmd|docs|internal|methods|results|suites)/[\w./-]*(\.\w+|/)$`)
	// goName is a package's exported name.
	goName = regexp.MustCompile(`^([a-z]+)\.([A-Z]\w*(?:\.[A-Z]\w*)?)$`)
	// placeholder stands for a name that a reader chooses.
	placeholder = regexp.MustCompile(`\b(NAME|TABLE)\b`)
)

// The pages for those who read or change the program name files and Go names that are there.
func TestPagesNameWhatIsThere(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages = append(pages, "../README.md")
	names := declared(t)
	paths, idents := 0, 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			for _, m := range codeSpan.FindAllStringSubmatch(line, -1) {
				span := strings.TrimSuffix(m[1], "/…")
				if placeholder.MatchString(span) {
					continue
				}
				if pagePath.MatchString(span) {
					paths++
					if _, err := os.Stat(filepath.Join("..", span)); err != nil {
						t.Errorf("%s:%d names %s, which is not there", page, i+1, span)
					}
				}
				if g := goName.FindStringSubmatch(span); g != nil && names[g[1]] != nil {
					idents++
					if !names[g[1]][g[2]] {
						t.Errorf("%s:%d names %s, which package %s does not have", page, i+1, span, g[1])
					}
				}
			}
		}
	}
	if paths < 50 || idents < 20 {
		t.Errorf("%d pages name %d paths and %d Go names: the check sees too little", len(pages), paths, idents)
	}
}
