package score

import (
	"fmt"
	"math"

	"bayesbench/internal/npy"
)

// openLabels opens the labels of n inputs: [N] or [N,1] class numbers, or
// [N,classes] with a 1 at the class and 0 elsewhere, of any type.
func openLabels(path string, in *predictions) (*npy.Array, error) {
	a, err := openArray(path)
	if err != nil {
		return nil, err
	}
	if err := checkLabels(a, in); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

func checkLabels(a *npy.Array, in *predictions) error {
	columns := 1
	if len(a.Shape) == 2 {
		columns = a.Shape[1]
	}
	if len(a.Shape) != 1 && len(a.Shape) != 2 || columns != 1 && columns != in.c {
		return fmt.Errorf("%s: shape %v, want class numbers [N] or [N 1], or one-hot [N %d]; save a.reshape(-1) of class numbers in another shape", a.Path, a.Shape, in.c)
	}
	if a.Shape[0] == in.n {
		return nil
	}
	hint := ""
	if !in.binary && len(in.Shape) == 2 && in.Shape[1] == a.Shape[0] {
		hint = "; if each number is the probability of class 1 of two, by sample and input, say -binary"
	}
	return fmt.Errorf("%s: %d labels, %s has predictions for %d inputs (shape %v)%s", a.Path, a.Shape[0], in.Path, in.n, in.Shape, hint)
}

// readLabels reads the whole array, each label in [0,classes).
func readLabels(a *npy.Array, classes int) ([]int, error) {
	n, columns := a.Shape[0], 1
	if len(a.Shape) == 2 {
		columns = a.Shape[1]
	}
	labels := make([]int, n)
	if columns > 1 {
		for i := range labels {
			labels[i] = -1 // no 1 seen
		}
	}
	buf := make([]float64, min(chunk, n*columns))
	for at := 0; at < n*columns; at += len(buf) {
		buf = buf[:min(len(buf), n*columns-at)]
		if err := a.Read(buf); err != nil {
			return nil, err
		}
		for i, x := range buf {
			row, column := (at+i)/columns, (at+i)%columns
			if a.Fortran {
				row, column = (at+i)%n, (at+i)/n
			}
			if columns == 1 {
				if !(x >= 0 && x < float64(classes)) || x != math.Trunc(x) {
					return nil, fmt.Errorf("%s[%d]: label %s, want 0 to %d%s", a.Path, row, a.Text(i, x), classes-1, labelHint(x, classes))
				}
				labels[row] = int(x)
				continue
			}
			switch {
			case x != 0 && x != 1:
				return nil, fmt.Errorf("%s[%d,%d]: %s, want one-hot labels, a 1 at the class and 0 elsewhere (for soft labels save a.argmax(1))", a.Path, row, column, a.Text(i, x))
			case x == 1 && labels[row] >= 0:
				return nil, fmt.Errorf("%s[%d]: a 1 at classes %d and %d, want one-hot labels", a.Path, row, labels[row], column)
			case x == 1:
				labels[row] = column
			}
		}
	}
	for row, y := range labels {
		if y < 0 {
			return nil, fmt.Errorf("%s[%d]: no 1 in the row, want one-hot labels", a.Path, row)
		}
	}
	return labels, nil
}

// labelHint says what to do about a frequent kind of wrong label.
func labelHint(x float64, classes int) string {
	switch {
	case x == float64(classes):
		return " (classes count from 0)"
	case x == -1:
		return " (of -1 and 1 make 0 and 1 by (y+1)//2)"
	case x != math.Trunc(x):
		return " in whole numbers (targets of a regression are scored with -targets)"
	}
	return ""
}
