package bench

import (
	"errors"
	"strings"

	"bayesbench/methods"
	"bayesbench/suites"
)

// params gives a method its keys of a suite's [[method]] table.
type params struct{ table suites.Table }

func (p params) Decode(dst any) error {
	d, _ := methods.Find(p.table.Name())
	return p.table.Own(d.Parts...).Decode(dst)
}

func (p params) Method(key string) (methods.Method, error) {
	sub, ok := p.table.Sub(key)
	if !ok {
		return nil, p.table.Errorf(key, "%s: want a table [method.%s] with the name of a method", key, key)
	}
	return newMethod(sub)
}

func newMethod(t suites.Table) (methods.Method, error) {
	m, err := methods.New(t.Name(), params{t})
	if err != nil {
		return nil, located(t, err)
	}
	return m, nil
}

// planned puts file and line before what a method or a likelihood says of a job: the key
// may be one of [train] or of [likelihood].
func planned(c *suites.Config, err error) error {
	var bad *methods.KeyError
	if errors.As(err, &bad) {
		switch table, _, _ := strings.Cut(bad.Key, "."); table {
		case "train":
			return c.Errorf(bad.Key, "%s: %w", c.Method.Name(), err)
		case "likelihood":
			return c.Errorf(bad.Key, "%w", err)
		}
	}
	return located(c.Method, err)
}

// located puts file and line before an error that has none yet.
func located(t suites.Table, err error) error {
	if suites.Located(err) {
		return err
	}
	key := "name"
	var bad *methods.KeyError
	if errors.As(err, &bad) {
		key = bad.Key
	}
	return t.Errorf(key, "%s: %w", t.Name(), err)
}
