package bench_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/methods"
	"bayesbench/suites"
)

// pageKeys finds the keys in the first column of a table.
var pageKeys = regexp.MustCompile("^\\| ((?:`[a-z_0-9]+`(?:, )?)+) \\|")

// Every key on a method's page is one that a suite may say: of two embedded structs with fields of
// one name each hides the other's key.
func TestPagesOfMethodsNameKeys(t *testing.T) {
	for _, d := range methods.Drivers() {
		text, err := os.ReadFile("../../../../docs/methods/" + d.Name + ".md")
		if err != nil {
			t.Errorf("%s has no page: %v", d.Name, err)
			continue
		}
		found := 0
		for line := range strings.Lines(string(text)) {
			m := pageKeys.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			for key := range strings.SplitSeq(m[1], ", ") {
				key = strings.Trim(key, "`")
				found++
				// A value of no type that a key has: the error is of the value.
				suite := fmt.Sprintf("name = \"s\"\nmodel = \"mlp-50\"\n[data]\nname = \"blobs\"\n[[method]]\nname = %q\n%s = 1979-05-27T07:32:00Z\n", d.Name, key)
				for _, own := range strings.SplitAfter(brief[d.Name], "\n") {
					if !strings.HasPrefix(own, key+" ") {
						suite += strings.TrimSuffix(own, "\n") + "\n"
					}
				}
				_, err := suites.Parse(bench.Words(), "s.toml", []byte(suite), nil)
				if err == nil {
					err = planned(suite)
				}
				if err == nil || strings.Contains(err.Error(), "unknown key") {
					t.Errorf("%s: the page has the key %s: %v", d.Name, key, err)
				}
			}
		}
		if found == 0 {
			t.Errorf("%s: no key on its page", d.Name)
		}
	}
}
