package methodtest

import (
	"fmt"

	"bayesbench/methods"

	"github.com/BurntSushi/toml"
)

// New makes a method from its name and keys in TOML.
func New(name, keys string) (methods.Method, error) { return methods.New(name, params(keys)) }

// params are keys in TOML; a nested table is a method, with the key "name".
type params string

func (p params) Decode(dst any) error {
	meta, err := toml.Decode(string(p), dst)
	if err != nil {
		return err
	}
	for _, key := range meta.Undecoded() {
		if meta.Type(key[0]) != "Hash" {
			return fmt.Errorf("unknown key %s", key)
		}
	}
	return nil
}

func (p params) Method(key string) (methods.Method, error) {
	var tables map[string]map[string]any
	top := map[string]any{}
	if _, err := toml.Decode(string(p), &top); err != nil {
		return nil, err
	}
	tables = map[string]map[string]any{}
	for k, v := range top {
		if t, ok := v.(map[string]any); ok {
			tables[k] = t
		}
	}
	table, ok := tables[key]
	if !ok {
		return nil, fmt.Errorf("no table %q", key)
	}
	name, _ := table["name"].(string)
	delete(table, "name")
	text, err := toml.Marshal(table)
	if err != nil {
		return nil, err
	}
	return methods.New(name, params(text))
}
