package fetch

import (
	"context"
	"errors"
)

// ByHand is where a user gets files that are not fetched: no hash of them is published, or not over
// TLS.
type ByHand string

var errByHand = errors.New("is put there by hand")

func (b ByHand) String() string { return string(b) }

func (b ByHand) ByHand() string { return string(b) }

// Writes is false: nothing is fetched.
func (b ByHand) Writes() bool { return false }

func (b ByHand) Provide(context.Context, Request) (string, error) { return "", errByHand }
