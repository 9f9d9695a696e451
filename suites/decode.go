package suites

import (
	"encoding"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
)

// Decode fills dst, a pointer to a struct with toml tags and its defaults. A
// key that dst does not have, or a value of another type, is an error that
// names file, line and key. Keys match letter by letter. A map takes a table of any keys, the
// infinities as strings.
//
// The mapping is done here because the TOML package maps texts, and a table's values may
// come from a list or from -set.
func (t Table) Decode(dst any) error { return t.fill(reflect.ValueOf(dst).Elem()) }

// fill decodes into a struct.
func (t Table) fill(dst reflect.Value) error {
	for _, k := range slices.Sorted(maps.Keys(t.values)) {
		field, ok := fieldByTag(dst.Type(), k)
		if !ok {
			return t.Errorf(k, "unknown key %q%s", t.dotted(k), t.suggestion(k, dst.Type()))
		}
		to := dst.FieldByIndex(field.Index)
		var err error
		if sub, ok := t.Sub(k); ok && field.Type.Kind() == reflect.Struct {
			err = sub.fill(to)
		} else if ok && field.Type.Kind() == reflect.Map {
			to.Set(reflect.ValueOf(jsonable(sub.values))) // keys that are not ours
		} else if err = assign(to, t.values[k]); err != nil {
			err = t.Errorf(k, "%s: %w", t.dotted(k), err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// assign sets dst to a value of a TOML text. What does not fit is refused and never
// rounded.
func assign(dst reflect.Value, v any) error {
	if words, ok := dst.Addr().Interface().(encoding.TextUnmarshaler); ok {
		s, ok := v.(string)
		if !ok {
			return mismatch("a string", v)
		}
		return words.UnmarshalText([]byte(s))
	}
	switch dst.Kind() {
	case reflect.Pointer:
		to := reflect.New(dst.Type().Elem())
		dst.Set(to)
		return assign(to.Elem(), v)
	case reflect.String:
		s, ok := v.(string)
		if !ok {
			return mismatch("a string", v)
		}
		dst.SetString(s)
	case reflect.Bool:
		b, ok := v.(bool)
		if !ok {
			return mismatch("true or false", v)
		}
		dst.SetBool(b)
	case reflect.Int:
		n, ok := v.(int64)
		if !ok || dst.OverflowInt(n) {
			return mismatch("a whole number", v)
		}
		dst.SetInt(n)
	case reflect.Uint32:
		n, ok := v.(int64)
		switch {
		case !ok:
			return mismatch("a whole number", v)
		case n < 0 || n > math.MaxUint32:
			return fmt.Errorf("want a whole number from 0 to %d, found %d", uint32(math.MaxUint32), n)
		}
		dst.SetUint(uint64(n))
	case reflect.Float64:
		switch n := v.(type) {
		case float64:
			dst.SetFloat(n)
		case int64:
			if int64(float64(n)) != n {
				return fmt.Errorf("want a number that float64 holds, found %d", n)
			}
			dst.SetFloat(float64(n))
		default:
			return mismatch("a number", v)
		}
	case reflect.Slice:
		list, ok := v.([]any)
		if !ok {
			return mismatch("a list", v)
		}
		to := reflect.MakeSlice(dst.Type(), len(list), len(list))
		for i, e := range list {
			if err := assign(to.Index(i), e); err != nil {
				return err
			}
		}
		dst.Set(to)
	case reflect.Struct, reflect.Map:
		return mismatch("a table", v)
	default:
		panic(fmt.Sprintf("suites: no key can have the type %s", dst.Type()))
	}
	return nil
}

// mismatch says that a value has another type.
func mismatch(want string, found any) error {
	kind := "a date or a time"
	switch found.(type) {
	case string:
		kind = "a string"
	case bool:
		kind = "true or false"
	case int64:
		kind = "a whole number"
	case float64:
		kind = "a number"
	case []any, []map[string]any:
		kind = "a list"
	case map[string]any:
		kind = "a table"
	}
	return fmt.Errorf("want %s, found %s", want, kind)
}

// plainPath is a path as a person writes it: method.of for method#2.of.
func plainPath(path string) string {
	head, tail, ok := strings.Cut(path, "#")
	if !ok {
		return path
	}
	return head + strings.TrimLeft(tail, "0123456789")
}
