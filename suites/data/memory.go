package data

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"bayesbench/suites/data/pixel"
)

// memory is a split held in memory: n images of one shape, one after the other.
type memory struct {
	pix     []uint8
	labels  []uint8
	classes int
	shape   [3]int
}

func newMemory(pix, labels []uint8, classes int, shape [3]int) (*memory, error) {
	size := shape[0] * shape[1] * shape[2]
	if len(pix) != len(labels)*size {
		return nil, fmt.Errorf("want %d bytes of pixels for each of the %d labels, found %d in all", size, len(labels), len(pix))
	}
	for i, l := range labels {
		if int(l) >= classes {
			return nil, fmt.Errorf("label of example %d: want 0 to %d, found %d", i, classes-1, l)
		}
	}
	return &memory{pix, labels, classes, shape}, nil
}

func (m *memory) Len() int                    { return len(m.labels) }
func (m *memory) Examples() Examples          { return Examples{Pixels, m.shape[:]} }
func (m *memory) Targets() Targets            { return Targets{Classes: m.classes} }
func (m *memory) Target(dst []float64, i int) { oneHot(dst, int(m.labels[i])) }

func (m *memory) image(i int) []uint8 {
	size := m.shape[0] * m.shape[1] * m.shape[2]
	return m.pix[i*size : (i+1)*size : (i+1)*size]
}

func (m *memory) Example(i int) (Example, error) {
	image := pixel.Image{C: m.shape[0], H: m.shape[1], W: m.shape[2], Pix: m.image(i)}
	return Example{Picture: image.Picture()}, nil
}

// hashMemory is the canonical hash of a set held in memory: its name, classes and shape, then for
// train and test the number of examples, the labels and the pixels.
func hashMemory(info Info, train, test *memory) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %d %v\n", info.Name, info.Classes, info.Shape)
	for _, m := range []*memory{train, test} {
		fmt.Fprintf(h, "%d\n", m.Len())
		h.Write(m.labels)
		h.Write(m.pix)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// memorySet is a set held in memory. It hashes the canonical content.
func memorySet(info Info, train, test *memory) *Set {
	none := &memory{classes: info.Classes, shape: info.image()}
	if train == nil {
		train = none
	}
	return &Set{Info: info, Train: train, Validation: none, Test: test, Hash: hashMemory(info, train, test)}
}
