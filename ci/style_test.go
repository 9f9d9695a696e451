package ci

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// goFiles parses what people write of the module: every Go file but generated ones.
func goFiles(t *testing.T) (*token.FileSet, map[string]*ast.File) {
	t.Helper()
	set, files := token.NewFileSet(), map[string]*ast.File{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err == nil && !ast.IsGenerated(file) {
			files[path] = file
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 300 {
		t.Fatalf("%d Go files: the check sees nothing", len(files))
	}
	return set, files
}

// otherWords are words for what an error calls "want" and "found".
var otherWords = regexp.MustCompile(`\b(expected|expects|expecting|got|should be)\b`)

// An error says what it wants and what it found, in these words.
func TestErrorsSayWantAndFound(t *testing.T) {
	set, files := goFiles(t)
	seen := 0
	for name, file := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || f.Sel.Name != "Errorf" && f.Sel.Name != "New" {
				return true
			}
			literal, ok := call.Args[0].(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			seen++
			if w := otherWords.FindString(text); w != "" {
				t.Errorf("%s: %q says %q; want \"want … found …\"", set.Position(call.Pos()), text, w)
			}
			return true
		})
	}
	if seen < 500 {
		t.Errorf("only %d errors: the check sees nothing", seen)
	}
}

var firstWord = regexp.MustCompile(`^\w*`)

// The comment of a type or of an exported function begins with its name, without an article.
func TestCommentsBeginWithTheName(t *testing.T) {
	set, files := goFiles(t)
	seen := 0
	check := func(doc *ast.CommentGroup, name *ast.Ident) {
		if doc == nil {
			return
		}
		seen++
		if first := firstWord.FindString(doc.Text()); first != name.Name {
			t.Errorf("%s: want a comment that begins with %q, found %q", set.Position(doc.Pos()), name.Name, first)
		}
	}
	for name, file := range files {
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && !strings.HasSuffix(name, "_test.go") {
					check(d.Doc, d.Name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if s, ok := s.(*ast.TypeSpec); ok {
						if doc := s.Doc; doc != nil || d.Lparen.IsValid() {
							check(doc, s.Name)
						} else {
							check(d.Doc, s.Name)
						}
					}
				}
			}
		}
	}
	if seen < 1000 {
		t.Errorf("only %d comments: the check sees nothing", seen)
	}
}

// commentColumns is how wide a comment may be. Prose of 100 columns is read without losing the
// line, and two files stand beside each other on a screen. Code has no limit: gofmt breaks no line,
// and an error's text or a row of a test's table reads best whole.
const commentColumns = 100

// Comments that stand on lines of their own keep to one width. What is set off by a tab, such as a
// command, is as long as it is.
func TestCommentWidth(t *testing.T) {
	set, files := goFiles(t)
	for name, file := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		for _, group := range file.Comments {
			for _, c := range group.List {
				at := set.Position(c.Pos())
				line := strings.TrimRight(lines[at.Line-1], "\r")
				if c.Text[:2] == "/*" || strings.HasPrefix(c.Text, "//\t") || strings.TrimSpace(line[:at.Column-1]) != "" {
					continue
				}
				if n := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")); n > commentColumns {
					t.Errorf("%s: want at most %d columns, tabs of four, found %d", at, commentColumns, n)
				}
			}
		}
	}
}
