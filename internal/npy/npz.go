package npy

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"bayesbench/internal/nearest"
)

// Archive is an open .npz file: a zip archive of arrays, as numpy.savez and numpy.savez_compressed
// write it.
type Archive struct {
	path    string
	file    *os.File // nil in tests that read from memory
	members map[string]*zip.File
	names   []string
}

// maxArrays bounds how many members are listed: the directory of a zip archive is read whole.
const maxArrays = 1 << 16

// OpenArchive opens a .npz file and reads its directory. The caller closes the archive.
func OpenArchive(path string) (*Archive, error) {
	file, size, err := OpenFile(path)
	if err != nil {
		return nil, err
	}
	z, err := NewArchive(path, file, size)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	z.file = file
	return z, nil
}

// NewArchive reads the directory of an archive of size bytes. The path is for errors.
func NewArchive(path string, r io.ReaderAt, size int64) (*Archive, error) {
	directory, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: want an archive that numpy.savez wrote", path, err)
	}
	if len(directory.File) > maxArrays {
		return nil, fmt.Errorf("%s: %d members, want at most %d", path, len(directory.File), maxArrays)
	}
	z := &Archive{path: path, members: map[string]*zip.File{}}
	for _, m := range directory.File {
		name, ok := strings.CutSuffix(m.Name, ".npy")
		if !ok {
			continue // numpy.savez writes nothing else
		}
		if z.members[name] != nil {
			return nil, fmt.Errorf("%s: two arrays are called %.100q", path, name)
		}
		z.members[name] = m
		z.names = append(z.names, name)
	}
	if z.names == nil {
		return nil, fmt.Errorf("%s: a zip archive without an array (NAME.npy): want one that numpy.savez wrote", path)
	}
	slices.Sort(z.names)
	return z, nil
}

// Close closes the file.
func (z *Archive) Close() error {
	if z.file == nil {
		return nil
	}
	return z.file.Close()
}

// Names lists the arrays in byte order.
func (z *Archive) Names() []string { return z.names }

// Has tells whether there is an array of that name.
func (z *Archive) Has(name string) bool { return z.members[name] != nil }

// maxRatio is the most that deflate packs: 1032 bytes into one.
const maxRatio = 1032

// Open reads the header of the array of that name. What the archive says of its size is compared
// with the size that it is packed to, so that the shape of an array is no larger than what a reader
// may come to.
func (z *Archive) Open(name string) (*Array, error) {
	m := z.members[name]
	if m == nil {
		return nil, fmt.Errorf("%s: no array %.100q%s", z.path, name, nearest.Hint(name, z.names))
	}
	path := fmt.Sprintf("%s: %s", z.path, name)
	if size, packed := m.UncompressedSize64, m.CompressedSize64; size > maxMember || size/maxRatio > packed {
		return nil, fmt.Errorf("%s: %d bytes packed into %d: more than an archive holds, it is damaged", path, size, packed)
	}
	a, err := New(path, &member{file: m}, int64(m.UncompressedSize64))
	if err != nil {
		return nil, err
	}
	return a, nil
}

// maxMember keeps the sum of a few sizes in 64 bits.
const maxMember = 1 << 50

// member reads a member of an archive, and can go back.
type member struct {
	file *zip.File
	r    io.ReadCloser // nil before the first byte is asked for
}

func (m *member) Read(p []byte) (int, error) {
	if m.r == nil {
		var err error
		if m.r, err = m.file.Open(); err != nil {
			return 0, err
		}
	}
	return m.r.Read(p)
}

// Seek goes to a place counted from the start.
func (m *member) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekStart {
		return 0, errors.New("npy: a member of an archive is sought from its start alone")
	}
	if err := m.Close(); err != nil {
		return 0, err
	}
	return io.CopyN(io.Discard, m, offset)
}

func (m *member) Close() error {
	if m.r == nil {
		return nil
	}
	err := m.r.Close()
	m.r = nil
	return err
}
