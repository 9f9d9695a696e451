package methodtest

import (
	"strings"
	"testing"

	"bayesbench/methods"
)

// Refused wants the method to refuse the keys (TOML), when it is made or when
// it plans the toy job, with an error that names the key.
func Refused(t *testing.T, name, keys, key string) {
	RefusedFor(t, Toy(), name, keys, key)
}

// RefusedFor is Refused for another job.
func RefusedFor(t *testing.T, j methods.Job, name, keys, key string) {
	t.Helper()
	m, err := New(name, keys)
	if err == nil {
		_, err = m.Plan(MLP, j)
	}
	if err == nil {
		t.Errorf("%s with %q is accepted", name, keys)
	} else if !strings.Contains(err.Error(), key) {
		t.Errorf("%s with %q: the error does not name %s: %v", name, keys, key, err)
	}
}
