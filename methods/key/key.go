package key

import (
	"errors"
	"fmt"
)

// Error says that the value of a key does not fit.
type Error struct {
	// Key is the method's own, or of a nested method, as in "of.cycles", or the
	// suite's, as in "train.epochs".
	Key  string
	text string
}

func (e *Error) Error() string { return e.text }

// Bad is the error for a key whose value does not fit: what was found and what
// is wanted.
func Bad[T any](key string, found T, want string) error {
	if text, ok := any(found).(string); ok {
		return &Error{key, fmt.Sprintf("%s = %q: want %s", key, text, want)}
	}
	return &Error{key, fmt.Sprintf("%s = %v: want %s", key, found, want)}
}

// Nested is the error of the method in the table key, as its parent tells it.
func Nested(key string, err error) error {
	var own *Error
	if errors.As(err, &own) {
		return &Error{key + "." + own.Key, key + ": " + err.Error()}
	}
	return fmt.Errorf("%s: %w", key, err)
}
