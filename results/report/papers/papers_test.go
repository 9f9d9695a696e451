package papers

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"bayesbench/methods"
	_ "bayesbench/methods/all"
	"bayesbench/methods/nn"
)

func TestAllParse(t *testing.T) {
	if len(Names()) < 4 {
		t.Fatalf("tables %q", Names())
	}
	for _, name := range Names() {
		if _, err := Get(name); err != nil {
			t.Error(err)
		}
	}
}

// labels are those that the committed suites give their methods.
func labels(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("../../../suites/*/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^label = "(.*)"$`).FindAllSubmatch(text, -1) {
			found[string(m[1])] = true
		}
	}
	return found
}

// What the filters name exists: a row that no run can fill is a spelling mistake.
func TestFiltersNameWhatThereIs(t *testing.T) {
	labelled := labels(t)
	known := map[string]func(string) bool{
		"method": func(name string) bool {
			name = strings.TrimSuffix(strings.TrimPrefix(name, "ensemble("), ")")
			return labelled[name] || slices.ContainsFunc(methods.Drivers(), func(d methods.Driver) bool { return d.Name == name })
		},
		"model":   func(name string) bool { _, err := nn.Open(name); return err == nil },
		"predict": func(name string) bool { return slices.Contains([]string{"mean", "sample", "linearised"}, name) },
	}
	term := regexp.MustCompile(`/(method|model|predict):("[^"]*"|\S+)`)
	rows := 0
	for _, name := range Names() {
		p, err := Get(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Rows {
			for _, m := range term.FindAllStringSubmatch(r.Filter, -1) {
				if value := strings.Trim(m[2], `"`); !known[m[1]](value) {
					t.Errorf("%s, %s %s: there is no %s %q", name, r.Group, r.Label, m[1], value)
				}
				rows++
			}
		}
	}
	if rows < 50 {
		t.Errorf("only %d terms seen", rows)
	}
}

// The printed compression must follow from the printed sparsities within their rounding, for the
// rows where it does in the paper. The weights of the layers are the network's.
func TestCompressionFollowsFromSparsity(t *testing.T) {
	p, err := Get("sparse-vd")
	if err != nil {
		t.Fatal(err)
	}
	weights := map[string][]float64{"LeNet-300-100": {235200, 30000, 1000}, "LeNet-5-Caffe": {500, 25000, 400000, 5000}}
	checked := 0
	for _, r := range p.Rows {
		layers, ok := r.Published["layers"]
		if !ok {
			continue
		}
		total, fewest, most := 0.0, 0.0, 0.0
		for i, part := range strings.Split(layers.Text, "-") {
			percent, err := strconv.ParseFloat(part, 64)
			if err != nil {
				t.Fatal(err)
			}
			half := 0.5
			if _, digits, ok := strings.Cut(part, "."); ok && digits != "" {
				half = 0.05
			}
			n := weights[r.Group][i]
			total += n
			fewest += n * (100 - percent - half) / 100
			most += n * (100 - percent + half) / 100
		}
		ratio := r.Published["compression"].Value
		if low, high := total/most, total/fewest; ratio < low-0.5 || ratio > high+0.5 {
			t.Errorf("%s, %s: printed %v, from the sparsities %.1f to %.1f", r.Group, r.Label, ratio, low, high)
		}
		checked++
	}
	if checked != 6 {
		t.Errorf("%d rows checked", checked)
	}
}

func TestParseErrors(t *testing.T) {
	const good = "title = \"t\"\ncitation = \"c\"\nsource = \"s\"\n[[columns]]\nunit = \"error\"\n[[rows]]\nlabel = \"a\"\n"
	for want, text := range map[string]string{
		"x: unknown key colour":           "colour = 1\n" + good,
		"x:2:":                            "title = \"t\"\ncitation = = 1\n",
		"published nll is no column":      good + "[rows.published]\nnll = { value = 1 }\n",
		`spread of kind "half"`:           good + "[rows.published]\nerror = { value = 1, kind = \"half\" }\n",
		"title, citation, source, column": "title = \"t\"\n",
	} {
		if _, err := Parse(text, "x"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if p, err := Parse(good, "x"); err != nil || p.Columns[0].Scale != 1 {
		t.Error(p, err)
	}
}

// A table that is read has all that is printed of it, and reads back the same when it is written.
// The tables are part of the program, so that what a text costs does not matter.
func FuzzPaper(f *testing.F) {
	text, err := files.ReadFile("bayesian-dark-knowledge.toml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text, "x")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "x:") {
				t.Errorf("an error without its file: %v", err)
			}
			return
		}
		if len(p.Rows) == 0 || p.Source == "" {
			t.Fatal("passed without rows or source")
		}
		for _, c := range p.Columns {
			if c.Scale == 0 {
				t.Errorf("column %s is printed as nothing", c.Unit)
			}
		}
		var written bytes.Buffer
		if err := toml.NewEncoder(&written).Encode(p); err != nil {
			t.Fatal(err)
		}
		back, err := Parse(written.String(), "y")
		if err != nil {
			t.Fatalf("%v in what was written:\n%s", err, &written)
		}
		back.Name = p.Name
		if was, is := fmt.Sprintf("%+v", p), fmt.Sprintf("%+v", back); was != is {
			t.Fatalf("%s\nbecame\n%s", was, is)
		}
	})
}
