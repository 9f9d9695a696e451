package data

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"bayesbench/suites/data/fetch"
)

// uciSums lists the files of the UCI sets: sha256, bytes, path.
//
//go:embed uci.sums
var uciSums string

// The repository of Antorán et al. (2020) has the tables and the divisions of both protocols: the
// standard ones of Hernández-Lobato and Adams (2015), which Gal and Ghahramani and Lakshminarayanan
// et al. use, and the gap ones of Foong et al. (2019): one for each input, in which the middle
// third of the rows, sorted by it, is the test set.
const (
	uciRepository = "cambridge-mlg/DUN"
	uciCommit     = "7b1698b9dbfcce6dd35fcaff6c292ac27c2fa3e9"
	uciPath       = "experiments/data/UCI_for_sharing"
)

const uciTerms = "CC BY 4.0, as the UCI repository states"

var uciSets = []struct {
	name, about string
	inputs      int
	rows        string // train + test of a standard split
	splits, gap int    // standard and gap divisions
	licence     string
}{
	{"boston", "price of homes in 1,000 $, Boston (Harrison, Rubinfeld 1978)", 13, "455 + 51", 20, 13, "none stated"},
	{"concrete", "compressive strength of concrete in MPa (Yeh 1998)", 8, "927 + 103", 20, 8, uciTerms},
	{"energy", "heating load of buildings (Tsanas, Xifara 2012)", 8, "691 + 77", 20, 8, uciTerms},
	{"kin8nm", "distance of an 8-link robot arm's hand from its aim (DELVE 1996)", 8, "7,373 + 819", 20, 8, "none stated"},
	{"naval", "decay of a ship's gas turbine compressor (Coraddu et al. 2014)", 16, "10,741 + 1,193", 20, 16, uciTerms},
	{"power", "output of a combined cycle power plant in MW (Tüfekci 2014)", 4, "8,611 + 957", 20, 4, uciTerms},
	{"protein", "deviation of protein structure models, CASP (Rana 2013)", 9, "41,157 + 4,573", 5, 9, uciTerms},
	{"wine", "quality of red wine (Cortez et al. 2009)", 11, "1,439 + 160", 20, 11, uciTerms},
	{"yacht", "residuary resistance of sailing yachts (Gerritsma et al. 1981)", 6, "277 + 31", 20, 6, uciTerms},
}

func init() {
	all := uciFiles()
	providers := []fetch.Provider{
		fetch.Archive{
			URL:  "https://codeload.github.com/" + uciRepository + "/tar.gz/" + uciCommit,
			Name: "uci-regression.tar.gz", Size: 512 << 20, Files: all,
		},
		fetch.Mirror{Base: "https://raw.githubusercontent.com/" + uciRepository + "/master/" + uciPath},
	}
	for _, u := range uciSets {
		for _, protocol := range []struct {
			folder, suffix, about string
			splits                int
		}{
			{"standard", "", "%d splits of " + u.rows, u.splits},
			{"gap", "-gap", "%d gap splits (Foong et al. 2019)", u.gap},
		} {
			table, index := "standard/"+u.name+"/data/", protocol.folder+"/"+u.name+"/data/"
			register(&source{
				Info: Info{
					Name:     "uci-" + u.name + protocol.suffix,
					About:    "UCI regression, " + u.about + "; " + fmt.Sprintf(protocol.about, protocol.splits),
					Examples: Examples{Numbers, []int{u.inputs}},
					Targets:  Targets{Width: 1},
					Licence:  u.licence + "; MIT for the division into splits",
					Splits:   protocol.splits,
				},
				files:     uciFilesOf(all, table, index),
				folder:    "uci",
				group:     "uci",
				aliases:   func(Options) []string { return []string{"uci-regression", "UCI_for_sharing"} },
				providers: providers,
				load: func(_ context.Context, info Info, dir string, opt Options) (*Set, error) {
					return uciReader{dir, all}.set(info, table, index, opt)
				},
			})
		}
	}
}

// uciFiles are the files of all UCI sets.
func uciFiles() []fetch.File {
	var all []fetch.File
	for line := range strings.Lines(uciSums) {
		fields := strings.Fields(line)
		size, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			panic(fmt.Sprintf("data: uci.sums: %q: %v", line, err))
		}
		all = append(all, fetch.File{Name: fields[2], Size: size, SHA256: fields[0]})
	}
	return all
}

// uciFilesOf are those of one set: the table and its columns below one path, the places of its
// divisions below another.
func uciFilesOf(all []fetch.File, table, index string) []fetch.File {
	var own []fetch.File
	for _, f := range all {
		division := strings.HasPrefix(f.Name, index+"index_train_") || strings.HasPrefix(f.Name, index+"index_test_")
		if name, ok := strings.CutPrefix(f.Name, table); division || ok && (name == "data.txt" || name == "index_features.txt" || name == "index_target.txt") {
			own = append(own, f)
		}
	}
	return own
}

// uciReader reads the files of UCI sets below a folder.
type uciReader struct {
	dir   string
	files []fetch.File
}

// read is the content of a file, checked.
func (r uciReader) read(name string) ([]byte, error) {
	for _, f := range r.files {
		if f.Name == name {
			return f.Read(r.dir)
		}
	}
	return nil, fmt.Errorf("%s: no file %s is published", r.dir, name)
}

// set reads one set.
func (r uciReader) set(info Info, table, index string, opt Options) (*Set, error) {
	all, err := r.table(table)
	if err != nil {
		return nil, err
	}
	if all.inputs != info.Shape[0] || all.targets != info.Width {
		return nil, fmt.Errorf("%s: %s: %d inputs and %d targets, want %s and %s", r.dir, table, all.inputs, all.targets, info.Examples, info.Targets)
	}
	divisions := make([]division, info.Splits)
	for split := range divisions {
		if divisions[split], err = r.division(index, split, all.Len()); err != nil {
			return nil, err
		}
	}
	return tableSet(info, all, divisions, opt), nil
}

// table reads the columns that the index files name.
func (r uciReader) table(path string) (*table, error) {
	text, err := r.read(path + "data.txt")
	if err != nil {
		return nil, err
	}
	columns, values, err := parseNumbers(text)
	if err != nil {
		return nil, r.at(path+"data.txt", err)
	}
	inputs, err := r.places(path+"index_features.txt", columns)
	if err != nil {
		return nil, err
	}
	targets, err := r.places(path+"index_target.txt", columns)
	if err != nil {
		return nil, err
	}
	if i, j, both := common(inputs, targets); both {
		return nil, r.at(path+"index_target.txt", fmt.Errorf("line %d: column %d is an input too, by line %d of index_features.txt", j+1, targets[j], i+1))
	}
	t := &table{inputs: len(inputs), targets: len(targets)}
	for row := 0; row < len(values); row += columns {
		for _, j := range inputs {
			t.x = append(t.x, values[row+int(j)])
		}
		for _, j := range targets {
			t.y = append(t.y, values[row+int(j)])
		}
	}
	return t, nil
}

// division reads one division of n rows.
func (r uciReader) division(path string, split, n int) (d division, err error) {
	train, test := fmt.Sprintf("index_train_%d.txt", split), fmt.Sprintf("index_test_%d.txt", split)
	if d.train, err = r.places(path+train, n); err != nil {
		return d, err
	}
	if d.test, err = r.places(path+test, n); err != nil {
		return d, err
	}
	if i, j, both := common(d.train, d.test); both {
		return d, r.at(path+test, fmt.Errorf("line %d: row %d is a training example too, by line %d of %s", j+1, d.test[j], i+1, train))
	}
	return d, nil
}

// places reads a file of places from 0 to n-1.
func (r uciReader) places(name string, n int) ([]int32, error) {
	text, err := r.read(name)
	if err != nil {
		return nil, err
	}
	places, err := parsePlaces(text, n)
	if err != nil {
		return nil, r.at(name, err)
	}
	return places, nil
}

// at names the file of an error.
func (r uciReader) at(name string, err error) error {
	return fmt.Errorf("%s: %s: %w", r.dir, name, err)
}
