package papers

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"bayesbench/results/stats"
)

//go:embed *.toml
var files embed.FS

// Paper is one published table.
type Paper struct {
	Name     string       `toml:"-"`
	Title    string       `toml:"title"`
	Citation string       `toml:"citation"`
	Source   string       `toml:"source"` // where the numbers were read
	Spread   stats.Spread `toml:"spread"` // what stands behind a ± of ours; "" is sd
	Notes    []string     `toml:"notes"`
	Columns  []Column     `toml:"columns"`
	Rows     []Row        `toml:"rows"`
}

// Column is one printed quantity.
type Column struct {
	Unit   string  `toml:"unit"`   // our metric; "layers" is the list of per-layer sparsities in percent
	Head   string  `toml:"head"`   // as printed
	Scale  float64 `toml:"scale"`  // printed = ours * scale; 0 is 1
	Margin float64 `toml:"margin"` // of equivalence, in printed units; 0 tests nothing
	Reach  bool    `toml:"reach"`  // mark whether ours is at or better than the printed number; of a unit that improves downwards

	Decimals int `toml:"decimals"` // as printed; 0 is as many as the number has
}

// Row is one printed row.
type Row struct {
	Group     string               `toml:"group"`  // such as the network
	Label     string               `toml:"label"`  // as printed
	Filter    string               `toml:"filter"` // which of our results belong here; "" is none of ours
	Published map[string]Published `toml:"published"`
}

// Published is a printed number.
type Published struct {
	Value  float64      `toml:"value"`
	Text   string       `toml:"text"`   // as printed where it is not one number
	Spread float64      `toml:"spread"` // after the ±
	Kind   stats.Spread `toml:"kind"`   // of the spread: sd, se, ci95; "" if the paper does not say
	Runs   int          `toml:"runs"`   // behind it; 0 if the paper does not say
}

// Names lists the tables there are.
func Names() []string {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		panic(err) // embedded
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".toml"))
	}
	return names
}

// Get returns one of our tables.
func Get(name string) (Paper, error) {
	text, err := files.ReadFile(name + ".toml")
	if err != nil {
		return Paper{}, fmt.Errorf("no paper table %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return Parse(string(text), name)
}

// Parse reads a table strictly. Name is for errors and titles.
func Parse(text, name string) (Paper, error) {
	p := Paper{Name: name}
	meta, err := toml.Decode(text, &p)
	var parseErr toml.ParseError
	if errors.As(err, &parseErr) {
		return p, fmt.Errorf("%s:%d: %s", name, parseErr.Position.Line, parseErr.Message)
	}
	if err != nil {
		return p, fmt.Errorf("%s: %w", name, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return p, fmt.Errorf("%s: unknown key %s", name, unknown[0])
	}
	if p.Title == "" || p.Citation == "" || p.Source == "" || len(p.Columns) == 0 || len(p.Rows) == 0 {
		return p, fmt.Errorf("%s: title, citation, source, columns and rows are needed", name)
	}
	p.Spread = cmp.Or(p.Spread, stats.SD)
	if !slices.Contains(stats.Spreads, p.Spread) {
		return p, fmt.Errorf("%s: spread %q: want sd, se or ci95", name, p.Spread)
	}
	for i := range p.Columns {
		if p.Columns[i].Scale == 0 {
			p.Columns[i].Scale = 1
		}
	}
	for _, r := range p.Rows {
		for unit, pub := range r.Published {
			if !slices.ContainsFunc(p.Columns, func(c Column) bool { return c.Unit == unit }) {
				return p, fmt.Errorf("%s: row %s: published %s is no column", name, r.Label, unit)
			}
			if pub.Kind != "" && !slices.Contains(stats.Spreads, pub.Kind) {
				return p, fmt.Errorf("%s: row %s, %s: spread of kind %q: want sd, se or ci95", name, r.Label, unit, pub.Kind)
			}
		}
	}
	return p, nil
}
