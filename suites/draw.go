package suites

import (
	"fmt"
	"hash/fnv"
	"math"
	"reflect"
	"strconv"
	"strings"

	"bayesbench/backends/rng"
)

// draw is a swept key whose values are drawn, an inline table in the place of a list:
//
//	lr = {from = 1e-4, to = 1e-1, log = true, draws = 20}
//
// The numbers are uniform over [from, to], with log their logarithms are. Keys of one method that
// are drawn are drawn together: draw k of one goes with draw k of the others, each from a stream of
// its own. Bergstra and Bengio, "Random search for hyper-parameter optimization", JMLR 2012.
type draw struct {
	From    float64 `toml:"from"`
	To      float64 `toml:"to"`
	Log     bool    `toml:"log"`
	Integer bool    `toml:"integer"` // whole numbers; so is a key's that takes no others
	Draws   int     `toml:"draws"`
}

// isDraw reports whether a table stands for drawn values and holds no keys of its own.
func (t Table) isDraw() bool { return t.Has("draws") || t.Has("from") && t.Has("to") }

// drawn is the axis of a key, of a type that is nil where only a method knows it, whose values the
// table under it draws.
func (t Table) drawn(name, key string, typ reflect.Type) (axis, error) {
	sub, _ := t.Sub(key)
	var d draw
	if err := sub.Decode(&d); err != nil {
		return axis{}, err
	}
	path := strings.TrimPrefix(strings.TrimPrefix(name+"."+key, "."), "method.")
	if typ != nil {
		switch typ.Kind() {
		case reflect.Float64:
		case reflect.Int, reflect.Uint32:
			d.Integer = true
		default:
			return axis{}, t.Errorf(key, "%s: want a value or a list of values: only numbers can be drawn", t.dotted(key))
		}
	}
	switch {
	case path == "seed" || path == "data.split":
		return axis{}, t.Errorf(key, "%s: want a list: it pairs results, and is not drawn", t.dotted(key))
	case d.Draws < 1 || d.Draws > MaxJobs:
		return axis{}, t.Errorf(key, "%s: want draws from 1 to %d, found %d", t.dotted(key), MaxJobs, d.Draws)
	}
	for _, bound := range []float64{d.From, d.To} {
		if math.IsInf(bound, 0) {
			return axis{}, t.Errorf(key, "%s: want finite bounds, found %v", t.dotted(key), bound)
		}
		if err := t.checkNumber(key, bound); err != nil {
			return axis{}, err
		}
	}
	switch {
	case !(d.From < d.To):
		return axis{}, t.Errorf(key, "%s: want from below to, found from = %v, to = %v", t.dotted(key), d.From, d.To)
	case d.Log && !(d.From > 0):
		return axis{}, t.Errorf(key, "%s: want from above 0 with log = true, found %v", t.dotted(key), d.From)
	case d.Integer && (!whole(d.From) || !whole(d.To)):
		return axis{}, t.Errorf(key, "%s: want whole numbers for from and to, found %v and %v", t.dotted(key), d.From, d.To)
	}
	return axis{table: name, key: key, values: d.values(path), drawn: true}, nil
}

// whole reports whether x is a whole number that float64 and int64 hold with its neighbours.
func whole(x float64) bool { return x == math.Trunc(x) && math.Abs(x) < 1<<53 }

// values are the draws of a key, which depend on its path and on their numbers alone: a longer
// sweep begins with the draws of a shorter one, and all methods that draw a key between the same
// bounds draw the same.
func (d draw) values(path string) []any {
	out := make([]any, d.Draws)
	for i := range out {
		u := chance(path, i)
		if d.Integer {
			out[i] = d.wholeAt(u)
		} else {
			out[i] = d.at(u)
		}
	}
	return out
}

// chance is number i of the stream that belongs to a path, in [0, 1).
func chance(path string, i int) float64 {
	h := fnv.New64a()
	h.Write([]byte(path))
	sum := h.Sum64()
	high, low := rng.Block(rng.Key{uint32(sum), uint32(sum >> 32)}, uint32(i), 0)
	return float64((uint64(high)<<32|uint64(low))>>11) * 0x1p-53
}

// at is the number at the share u of the range, with as many digits as tell a ten-thousandth of the
// range apart: four, where to is not close to from. So it is short in names, and the same where the
// last bit of a logarithm differs between processors.
func (d draw) at(u float64) float64 {
	x := d.From + u*(d.To-d.From)
	if d.Log {
		x = math.Exp(math.Log(d.From) + u*(math.Log(d.To)-math.Log(d.From)))
	}
	share := (d.To - d.From) / max(math.Abs(d.From), math.Abs(d.To))
	digits := min(4+int(math.Round(-math.Log10(min(share, 1)))), 15)
	short, err := strconv.ParseFloat(strconv.FormatFloat(x, 'e', digits-1, 64), 64)
	if err != nil {
		panic(fmt.Sprintf("suites: %v has no short form: %v", x, err))
	}
	return min(max(short, d.From), d.To)
}

// wholeAt is the whole number at the share u of the range, each of which is as likely; with log
// the logarithms of to + 1 and from bound it.
func (d draw) wholeAt(u float64) int64 {
	x := d.From + u*(d.To+1-d.From)
	if d.Log {
		x = math.Exp(math.Log(d.From) + u*(math.Log(d.To+1)-math.Log(d.From)))
	}
	return int64(min(max(math.Floor(x), d.From), d.To))
}

// together makes one axis of those that are drawn, at the place of the first: their values move
// together. A combination that was drawn before is left out, since it would be the same job.
func together(axes []axis, at func(a axis) Table) ([]axis, error) {
	first := -1
	var out []axis
	for _, a := range axes {
		switch {
		case !a.drawn:
		case first < 0:
			first = len(out)
		case len(a.values) != len(out[first].values):
			t := at(a)
			return nil, t.Errorf(a.key, "%s: want the %d draws of %s, found %d: keys of one method are drawn together", t.dotted(a.key),
				len(out[first].values), at(out[first]).dotted(out[first].key), len(a.values))
		default:
			out[first].along = append(out[first].along, a)
			continue
		}
		out = append(out, a)
	}
	if first >= 0 {
		out[first].once()
	}
	return out, nil
}

// once leaves out each combination of values that stands before.
func (a *axis) once() {
	seen := map[string]bool{}
	var kept []int
	for i := range a.values {
		text := fmt.Sprint(a.values[i])
		for _, b := range a.along {
			text += " " + fmt.Sprint(b.values[i])
		}
		if !seen[text] {
			seen[text] = true
			kept = append(kept, i)
		}
	}
	pick := func(values []any) []any {
		out := make([]any, len(kept))
		for i, k := range kept {
			out[i] = values[k]
		}
		return out
	}
	a.values = pick(a.values)
	for i := range a.along {
		a.along[i].values = pick(a.along[i].values)
	}
}
