package ir

import (
	"fmt"
	"slices"
)

// keyWords is the length of a key, and of one that says where rows begin.
const keyWords, rowKeyWords = 2, 3

// checkKey reports a key that noise of type t cannot be drawn under.
func checkKey(t, key Type) error {
	if !slices.Equal(key.Shape, []int{keyWords}) && !slices.Equal(key.Shape, []int{rowKeyWords}) {
		return fmt.Errorf("key: want u32[%d], or u32[%d] with the number of the first row, found %s", keyWords, rowKeyWords, key)
	}
	if key.Shape[0] == rowKeyWords && t.Rank() == 0 {
		return fmt.Errorf("key: %s says which row is the first, and %s has no rows", key, t)
	}
	return nil
}

// NoiseRow is the number of elements in a row of the noise of type t whose key is
// of type key; 0 where the key does not say which row is the first.
func NoiseRow(t, key Type) uint64 {
	if !slices.Equal(key.Shape, []int{rowKeyWords}) || t.Shape[0] == 0 {
		return 0
	}
	return uint64(t.Size() / t.Shape[0])
}

// NoiseStart is the element of its stream that noise of type t begins with under
// the key: 0 under k0, k1; under k0, k1, r row r, element r·(size of a row).
func NoiseStart(t Type, key []uint32) uint64 {
	if len(key) < rowKeyWords {
		return 0
	}
	return uint64(key[keyWords]) * NoiseRow(t, Uint(rowKeyWords))
}
