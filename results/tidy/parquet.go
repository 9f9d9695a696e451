package tidy

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// parquetRows is how many rows are handed on at a time.
const parquetRows = 1024

// WriteParquet writes an Apache Parquet file with Snappy compression: text as strings, integers as
// int64, numbers as double, flags as boolean. All columns are optional. Parquet keeps the columns
// in the order of their names.
func (t Table) WriteParquet(w io.Writer) error {
	group := parquet.Group{}
	for _, c := range t.Columns {
		group[c.Name] = parquet.Optional(c.Kind.node())
	}
	order := make([]int, len(t.Columns)) // columns in the order of the schema
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(t.Columns[i].Name, t.Columns[j].Name) })
	out := parquet.NewGenericWriter[any](w, parquet.NewSchema("values", group), parquet.Compression(&parquet.Snappy))
	rows := make([]parquet.Row, 0, parquetRows)
	for n, row := range t.Rows {
		values := make(parquet.Row, len(order))
		for at, i := range order {
			v, err := t.Columns[i].Kind.parse(row[i])
			if err != nil {
				return fmt.Errorf("row %d, column %s: %w", n+1, t.Columns[i].Name, err)
			}
			present := 1
			if v.IsNull() {
				present = 0
			}
			values[at] = v.Level(0, present, at)
		}
		if rows = append(rows, values); len(rows) == parquetRows || n == len(t.Rows)-1 {
			if _, err := out.WriteRows(rows); err != nil {
				return err
			}
			rows = rows[:0]
		}
	}
	return out.Close()
}

// node is the Parquet type of a column.
func (k Kind) node() parquet.Node {
	switch k {
	case Integer:
		return parquet.Leaf(parquet.Int64Type)
	case Number:
		return parquet.Leaf(parquet.DoubleType)
	case Flag:
		return parquet.Leaf(parquet.BooleanType)
	}
	return parquet.String()
}

// parse reads a cell, which is null where it is missing.
func (k Kind) parse(cell string) (parquet.Value, error) {
	if cell == "" {
		return parquet.NullValue(), nil
	}
	switch k {
	case Integer:
		v, err := strconv.ParseInt(cell, 10, 64)
		return parquet.Int64Value(v), err
	case Number:
		v, err := strconv.ParseFloat(cell, 64)
		return parquet.DoubleValue(v), err
	case Flag:
		v, err := strconv.ParseBool(cell)
		return parquet.BooleanValue(v), err
	}
	return parquet.ByteArrayValue([]byte(cell)), nil
}
