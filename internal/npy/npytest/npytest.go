package npytest

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// File is an array file of version 1 with that header, a Python dictionary, and the data in
// little-endian order.
func File(header string, data ...any) []byte {
	var b bytes.Buffer
	b.WriteString("\x93NUMPY\x01\x00")
	header += "\n"
	binary.Write(&b, binary.LittleEndian, uint16(len(header)))
	b.WriteString(header)
	for _, d := range data {
		binary.Write(&b, binary.LittleEndian, d)
	}
	return b.Bytes()
}

// Dict is the header of an array in C order: Dict("<f4", "(2, 3)").
func Dict(descr, shape string) string {
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape)
}

// Fortran is the header of an array in Fortran order.
func Fortran(descr, shape string) string {
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': True, 'shape': %s, }", descr, shape)
}
