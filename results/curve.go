package results

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// Curve is what was measured during training: curve.csv, one row per measurement. The first column
// is step, counted through all stages of the job; docs/results-format.md lists the others. A cell
// that does not apply is NaN here and empty in the file.
type Curve struct {
	Columns []string
	Rows    [][]float64
}

// Append adds one row.
func (c *Curve) Append(row ...float64) {
	if len(row) != len(c.Columns) {
		panic(fmt.Sprintf("results: curve row of %d cells for %d columns", len(row), len(c.Columns)))
	}
	c.Rows = append(c.Rows, slices.Clone(row))
}

// Truncate drops the rows after the given step. A resumed job calls it with its checkpoint's step,
// for the curve may be one save ahead of the checkpoint.
func (c *Curve) Truncate(step int) {
	c.Rows = slices.DeleteFunc(c.Rows, func(row []float64) bool { return row[0] > float64(step) })
}

// Column returns the values of one column, nil if there is none of that name.
func (c *Curve) Column(name string) []float64 {
	at := slices.Index(c.Columns, name)
	if at < 0 {
		return nil
	}
	values := make([]float64, len(c.Rows))
	for i, row := range c.Rows {
		values[i] = row[at]
	}
	return values
}

func (c *Curve) write(w io.Writer) error {
	if len(c.Columns) == 0 || c.Columns[0] != "step" {
		return fmt.Errorf("curve columns %q: the first must be step", c.Columns)
	}
	if i := slices.IndexFunc(c.Columns, unprintable); i >= 0 {
		return fmt.Errorf("curve column %q: want printable text on one line", c.Columns[i])
	}
	out := csv.NewWriter(w)
	out.Write(c.Columns)
	for _, row := range c.Rows {
		cells := make([]string, len(row))
		for i, v := range row {
			if !math.IsNaN(v) {
				cells[i] = strconv.FormatFloat(v, 'g', -1, 64)
			}
		}
		out.Write(cells)
	}
	out.Flush()
	return out.Error()
}

func unprintable(name string) bool { return !printable(name) }

// Sum is the hash of the curve as it is written. A checkpoint holds it, so that a resumed job knows
// its curve.
func (c Curve) Sum() string {
	var text bytes.Buffer
	if err := c.write(&text); err != nil {
		return ""
	}
	return hexSum(text.Bytes())
}

func decodeCurve(text []byte, path string) (Curve, error) {
	in := csv.NewReader(bytes.NewReader(text))
	rows, err := in.ReadAll()
	if err != nil {
		return Curve{}, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) == 0 || rows[0][0] != "step" {
		return Curve{}, fmt.Errorf("%s:1: the first column must be step", path)
	}
	if i := slices.IndexFunc(rows[0], unprintable); i >= 0 {
		return Curve{}, fmt.Errorf("%s:1: column %d is called %q, want printable text on one line", path, i+1, rows[0][i])
	}
	curve := Curve{Columns: rows[0]}
	for i, cells := range rows[1:] {
		row := make([]float64, len(cells))
		for j, cell := range cells {
			if cell == "" {
				row[j] = math.NaN()
			} else if row[j], err = strconv.ParseFloat(cell, 64); err != nil {
				return Curve{}, fmt.Errorf("%s:%d: column %s: %q is not a number", path, i+2, curve.Columns[j], cell)
			}
		}
		if math.IsNaN(row[0]) {
			return Curve{}, fmt.Errorf("%s:%d: no step", path, i+2)
		}
		curve.Rows = append(curve.Rows, row)
	}
	return curve, nil
}
