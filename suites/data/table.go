package data

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
)

// table is a split held in memory: rows of numbers, with numbers for targets.
type table struct {
	inputs, targets int       // columns of each
	x, y            []float64 // row by row
}

func (t *table) Len() int                       { return len(t.y) / t.targets }
func (t *table) Examples() Examples             { return Examples{Numbers, []int{t.inputs}} }
func (t *table) Targets() Targets               { return Targets{Width: t.targets} }
func (t *table) Example(i int) (Example, error) { return Example{Numbers: t.input(i)}, nil }
func (t *table) Target(dst []float64, i int)    { copy(dst, t.target(i)) }

func (t *table) input(i int) []float64 {
	return t.x[i*t.inputs : (i+1)*t.inputs : (i+1)*t.inputs]
}

func (t *table) target(i int) []float64 {
	return t.y[i*t.targets : (i+1)*t.targets : (i+1)*t.targets]
}

// division is a published way to part the rows of a table into train and test, each in the order
// that the publisher gives.
type division struct{ train, test []int32 }

// tableSet is the set of a table under one of its divisions. Its hash is of the table and of all
// divisions.
func tableSet(info Info, all *table, divisions []division, opt Options) *Set {
	d := divisions[opt.Split]
	return &Set{
		Info: info, Hash: hashTable(info, all, divisions),
		Train: subset{all, d.train}, Validation: subset{all, nil}, Test: subset{all, d.test},
	}
}

// hashTable is the canonical hash of a table: its name and columns, then the numbers of inputs and
// targets, then each division's places.
func hashTable(info Info, all *table, divisions []division) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %d %d %d\n", info.Name, all.Len(), all.inputs, all.targets)
	hashNumbers(h, all.x)
	hashNumbers(h, all.y)
	for _, d := range divisions {
		fmt.Fprintf(h, "%d %d\n", len(d.train), len(d.test))
		binary.Write(h, binary.LittleEndian, d.train)
		binary.Write(h, binary.LittleEndian, d.test)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// hashNumbers adds the bits of the numbers to h.
func hashNumbers(h hash.Hash, all []float64) {
	var b [8]byte
	for _, v := range all {
		binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
		h.Write(b[:])
	}
}
