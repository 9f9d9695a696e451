package score

import (
	"errors"
	"io"

	"bayesbench/internal/npy"
	"bayesbench/results"
)

// chunk is about how many numbers are read at a time.
const chunk = 1 << 14

// blockNumbers is about how many numbers of a file in Fortran order are held:
// the samples lie interleaved in it, so it is read once for each block of them.
const blockNumbers = 1 << 23

// openArray opens a .npy file. What a job saved must be as it saved it.
func openArray(path string) (*npy.Array, error) {
	file, size, err := npy.OpenFile(path)
	if err != nil {
		return nil, err
	}
	if err = results.CheckBeside(path, file); err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	var a *npy.Array
	if err == nil {
		a, err = npy.New(path, file, size)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return a, nil
}

// stack is an array of k matrices of n rows, whose numbers come in C order
// whatever the order of the file.
type stack struct {
	*npy.Array
	k, n, width int

	hold  int       // in Fortran order: how many numbers block has at most, one sample's at least
	block []float64 // in Fortran order: the rows of the samples at hand, in C order
	from  int       // the first sample after them
	used  int       // how many numbers of block have been taken
}

// read takes the next numbers in C order.
func (s *stack) read(dst []float64) error {
	if !s.Fortran || len(s.Shape) == 1 {
		return s.Read(dst)
	}
	for len(dst) > 0 {
		if s.used == len(s.block) {
			if err := s.nextBlock(); err != nil {
				return err
			}
		}
		taken := copy(dst, s.block[s.used:])
		dst, s.used = dst[taken:], s.used+taken
	}
	return nil
}

// nextBlock collects the rows of the next samples of an array in Fortran
// order, whose number (k,n,c) is at k + K·(n + N·c), by one reading of the file.
func (s *stack) nextBlock() error {
	size := s.n * s.width
	samples := min(max(1, s.hold/size), s.k-s.from)
	if len(s.block) != samples*size {
		s.block = make([]float64, samples*size)
	}
	if err := s.Rewind(); err != nil {
		return err
	}
	buf := make([]float64, chunk)
	k, n, c := 0, 0, 0
	for left := s.k * size; left > 0; left -= len(buf) {
		buf = buf[:min(chunk, left)]
		if err := s.Read(buf); err != nil {
			return err
		}
		for _, x := range buf {
			if at := k - s.from; at >= 0 && at < samples {
				s.block[at*size+n*s.width+c] = x
			}
			if k++; k == s.k {
				k, n = 0, n+1
				if n == s.n {
					n, c = 0, c+1
				}
			}
		}
	}
	s.from += samples
	s.used = 0
	return nil
}
