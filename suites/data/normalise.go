package data

import (
	"fmt"

	"bayesbench/internal/nearest"
	"bayesbench/suites/data/pixel"
)

// Scheme names a map from pixel bytes x to float32 inputs.
type Scheme string

const (
	Unit255  Scheme = "unit255"  // x/255
	Unit256  Scheme = "unit256"  // x/256, as the sparse variational dropout papers feed MNIST
	Standard Scheme = "standard" // (x/255 - mean)/std per channel, with the set's published constants
)

// Normalisation is a scheme made ready for one set: a table of 256 values a channel.
type Normalisation struct {
	table [][256]float32
}

// NewNormalisation prepares scheme for the sets of info. A model that is tested on another set than it was trained on
// keeps the normalisation of its training set.
func NewNormalisation(scheme Scheme, info Info) (Normalisation, error) {
	channels := info.Shape[0]
	n := Normalisation{make([][256]float32, channels)}
	for c := range channels {
		scale, mean, std := 255.0, 0.0, 1.0
		switch scheme {
		case Unit255:
		case Unit256:
			scale = 256
		case Standard:
			if len(info.Mean) != channels {
				return n, fmt.Errorf("normalisation %q: no mean and deviation are published for data set %q; use %q",
					scheme, info.Name, Unit255)
			}
			mean, std = info.Mean[c], info.Std[c]
		default:
			return n, fmt.Errorf("normalisation %q: unknown; did you mean %q? (there are %q, %q, %q)", scheme,
				nearest.Name(string(scheme), []string{string(Unit255), string(Unit256), string(Standard)}), Unit255, Unit256, Standard)
		}
		for x := range n.table[c] {
			n.table[c][x] = float32((float64(x)/scale - mean) / std)
		}
	}
	return n, nil
}

// Range is the least and the greatest input that a pixel of the channel can
// become: black and white.
func (n Normalisation) Range(channel int) (black, white float32) {
	return n.table[channel][0], n.table[channel][255]
}

// apply writes the normalised pixels of m to dst.
func (n Normalisation) apply(dst []float32, m pixel.Image) {
	for c := range m.C {
		table := &n.table[c]
		plane := m.Plane(c)
		out := dst[c*len(plane):][:len(plane)]
		for i, x := range plane {
			out[i] = table[x]
		}
	}
}
