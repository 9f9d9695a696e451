package data

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"math"
	"strconv"
)

// rowsOf visits the lines of a text, numbered from 1, without their ends. Empty lines may stand at
// the end alone.
func rowsOf(text []byte) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		n := 0
		for line := range bytes.Lines(bytes.TrimRight(text, " \t\r\n")) {
			n++
			if !yield(n, bytes.TrimSpace(line)) {
				return
			}
		}
	}
}

// parseNumbers reads rows of numbers, which blanks or tabs part. Every row has the same number of
// columns. A number is finite, and no larger than float32 holds, in which networks compute. Errors
// name line and column, from 1.
func parseNumbers(text []byte) (columns int, values []float64, err error) {
	for n, line := range rowsOf(text) {
		found := 0
		for field := range bytes.FieldsSeq(line) {
			found++
			v, err := strconv.ParseFloat(string(field), 64)
			switch {
			case err != nil && !errors.Is(err, strconv.ErrRange):
				return 0, nil, fmt.Errorf("line %d, column %d: want a number, found %.40q", n, found, field)
			case math.IsNaN(v):
				return 0, nil, fmt.Errorf("line %d, column %d: want a finite number, found %.40q", n, found, field)
			case math.Abs(v) > math.MaxFloat32:
				return 0, nil, fmt.Errorf("line %d, column %d: want a number that float32 holds, found %.40q", n, found, field)
			}
			values = append(values, v)
		}
		if n == 1 {
			columns = found
		}
		if found != columns || found == 0 {
			return 0, nil, fmt.Errorf("line %d: %d columns, want %d as in line 1", n, found, max(columns, 1))
		}
	}
	if values == nil {
		return 0, nil, errors.New("is empty, want rows of numbers")
	}
	return columns, values, nil
}

// parsePlaces reads whole numbers from 0 to n-1, one in a line and each once: places of rows or
// columns.
func parsePlaces(text []byte, n int) (places []int32, err error) {
	seen := make([]int32, n) // the line of each place
	for line, field := range rowsOf(text) {
		v, err := strconv.ParseInt(string(field), 10, 32)
		switch {
		case err != nil && !errors.Is(err, strconv.ErrRange):
			return nil, fmt.Errorf("line %d: %.40q is no whole number", line, field)
		case err != nil || v < 0 || v >= int64(n):
			return nil, fmt.Errorf("line %d: place %.40s, there are 0 to %d", line, field, n-1)
		case seen[v] != 0:
			return nil, fmt.Errorf("line %d: place %d stands in line %d already", line, v, seen[v])
		}
		seen[v] = int32(line)
		places = append(places, int32(v))
	}
	if places == nil {
		return nil, errors.New("is empty, want a place in each line")
	}
	return places, nil
}

// common finds the first place of b that a has too: it is a[i] and b[j].
func common(a, b []int32) (i, j int, both bool) {
	at := map[int32]int{}
	for i, v := range a {
		at[v] = i
	}
	for j, v := range b {
		if i, both := at[v]; both {
			return i, j, true
		}
	}
	return 0, 0, false
}
