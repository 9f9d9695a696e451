package tensorboard

import (
	"encoding/binary"
	"hash/crc32"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
const (
	eventWallTime    protowire.Number = 1 // double
	eventStep        protowire.Number = 2 // int64
	eventFileVersion protowire.Number = 3 // string
	eventSummary     protowire.Number = 5 // Summary

	summaryValue protowire.Number = 1 // repeated Summary.Value

	valueTag    protowire.Number = 1 // string
	valueSimple protowire.Number = 2 // float
)

// fileVersion is what the first event of a file says.
const fileVersion = "brain.Event:2"

// scalar is one value of one curve.
type scalar struct {
	tag   string
	value float64
}

func appendHead(file []byte, wallTime float64) []byte {
	event := appendTime(nil, wallTime)
	event = protowire.AppendTag(event, eventFileVersion, protowire.BytesType)
	return appendRecord(file, protowire.AppendString(event, fileVersion))
}

// appendScalars appends the event of what was measured at one step. Zeros are left out, as proto3
// does.
func appendScalars(file []byte, wallTime float64, step int64, scalars []scalar) []byte {
	var summary []byte
	for _, s := range scalars {
		value := protowire.AppendTag(nil, valueTag, protowire.BytesType)
		value = protowire.AppendString(value, s.tag)
		value = protowire.AppendTag(value, valueSimple, protowire.Fixed32Type) // of a oneof: written even if 0
		value = protowire.AppendFixed32(value, math.Float32bits(float32(s.value)))
		summary = protowire.AppendTag(summary, summaryValue, protowire.BytesType)
		summary = protowire.AppendBytes(summary, value)
	}
	event := appendTime(nil, wallTime)
	if step != 0 {
		event = protowire.AppendTag(event, eventStep, protowire.VarintType)
		event = protowire.AppendVarint(event, uint64(step))
	}
	event = protowire.AppendTag(event, eventSummary, protowire.BytesType)
	return appendRecord(file, protowire.AppendBytes(event, summary))
}

func appendTime(event []byte, wallTime float64) []byte {
	event = protowire.AppendTag(event, eventWallTime, protowire.Fixed64Type)
	return protowire.AppendFixed64(event, math.Float64bits(wallTime))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendRecord frames one record: its length, the length's sum, the bytes, their sum.
func appendRecord(file, record []byte) []byte {
	length := binary.LittleEndian.AppendUint64(nil, uint64(len(record)))
	file = append(file, length...)
	file = binary.LittleEndian.AppendUint32(file, maskedCRC(length))
	file = append(file, record...)
	return binary.LittleEndian.AppendUint32(file, maskedCRC(record))
}

// maskedCRC is CRC-32C, turned and shifted so that the sum of a text that holds sums is no trivial
// one.
func maskedCRC(b []byte) uint32 {
	sum := crc32.Checksum(b, castagnoli)
	return (sum>>15 | sum<<17) + 0xa282ead8
}
