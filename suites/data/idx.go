package data

import (
	"encoding/binary"
	"fmt"
)

// parseIDX reads an IDX file of unsigned bytes (LeCun's MNIST format): two zero bytes, type 8, the
// number of dimensions, each dimension as a big-endian uint32, then the bytes. It returns the
// dimensions and the bytes, which alias b.
func parseIDX(b []byte) (dims []int, content []byte, err error) {
	if len(b) < 4 {
		return nil, nil, fmt.Errorf("IDX: %d bytes, the header alone has 4", len(b))
	}
	if b[0] != 0 || b[1] != 0 {
		return nil, nil, fmt.Errorf("IDX: want 00 00 at the start, found % x", b[:2])
	}
	if b[2] != 8 {
		return nil, nil, fmt.Errorf("IDX: want element type 0x08 (unsigned byte), found %#02x", b[2])
	}
	rank := int(b[3])
	if rank < 1 || rank > 4 {
		return nil, nil, fmt.Errorf("IDX: want 1 to 4 dimensions, found %d", rank)
	}
	if len(b) < 4+4*rank {
		return nil, nil, fmt.Errorf("IDX: %d bytes, the header of %d dimensions has %d", len(b), rank, 4+4*rank)
	}
	content = b[4+4*rank:]
	n := uint64(1)
	for d := range rank {
		v := binary.BigEndian.Uint32(b[4+4*d:])
		dims = append(dims, int(v))
		n *= uint64(v)
		// Checked at each dimension, so that the product of two cannot overflow.
		if n > 1<<31 {
			return nil, nil, fmt.Errorf("IDX: dimensions %v ask for more than 2^31 bytes", dims)
		}
	}
	if uint64(len(content)) != n {
		return nil, nil, fmt.Errorf("IDX: %d bytes of content, dimensions %v ask for %d", len(content), dims, n)
	}
	return dims, content, nil
}

// idxSplit joins an IDX file of images (n x h x w) with one of labels (n).
func idxSplit(images, labels []byte, classes int, shape [3]int) (*memory, error) {
	dims, pix, err := parseIDX(images)
	if err != nil {
		return nil, fmt.Errorf("images: %w", err)
	}
	if len(dims) != 3 || dims[1] != shape[1] || dims[2] != shape[2] {
		return nil, fmt.Errorf("images: want dimensions [n %d %d], found %v", shape[1], shape[2], dims)
	}
	ldims, lab, err := parseIDX(labels)
	if err != nil {
		return nil, fmt.Errorf("labels: %w", err)
	}
	if len(ldims) != 1 || ldims[0] != dims[0] {
		return nil, fmt.Errorf("labels: want dimensions [%d] as there are images, found %v", dims[0], ldims)
	}
	return newMemory(pix, lab, classes, shape)
}
