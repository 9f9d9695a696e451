package bench

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/nlpodyssey/safetensors"

	"bayesbench/backends/ir"
	"bayesbench/internal/nearest"
	"bayesbench/methods/nn"
	"bayesbench/methods/nn/onnx"
)

// content is the hash of a file that a suite names: of a network with the files that hold its
// weights.
func content(path string) (string, error) {
	if filepath.Ext(path) == ".onnx" {
		f, err := onnx.Read(path)
		if err != nil {
			return "", err
		}
		return f.Sum, nil
	}
	_, sum, err := readWhole(path)
	return sum, err
}

// maxWeights is the longest file of weights that is read.
const maxWeights = 4 << 30

// readWhole reads a regular file and hashes it. A pipe would make it wait, and a device has no end.
func readWhole(path string) (whole []byte, sum string, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, "", err
	}
	if !info.Mode().IsRegular() || info.Size() > maxWeights {
		return nil, "", fmt.Errorf("%s: want a regular file of at most %d bytes", path, int64(maxWeights))
	}
	whole = make([]byte, info.Size())
	if _, err := io.ReadFull(f, whole); err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	h := sha256.Sum256(whole)
	return whole, "sha256:" + hex.EncodeToString(h[:]), nil
}

// weights are those of a safetensors file, by the names of slots.
type weights struct {
	path   string
	values map[string]*nn.Values
	shapes map[string][]int
}

// slotNames are the slots that a tensor may be for: that of its own name, or those that PyTorch
// would call so.
func slotNames(tensor string) []string {
	names := []string{tensor}
	for ending, slots := range map[string][]string{
		".weight": {".w", ".gamma"}, ".bias": {".b", ".beta"}, ".running_mean": {".mean"}, ".running_var": {".var"},
	} {
		if layer, ok := strings.CutSuffix(tensor, ending); ok {
			for _, s := range slots {
				names = append(names, layer+s)
			}
		}
	}
	return names
}

// maxWeightsHeader bounds the header of a file of weights, which takes a multiple of its length in
// memory.
const maxWeightsHeader = 16 << 20

// readWeights reads a safetensors file whose hash is sum.
func readWeights(path, sum string) (*weights, error) {
	whole, have, err := readWhole(path)
	if err != nil {
		return nil, err
	}
	if have != sum {
		return nil, fmt.Errorf("%s was changed after the suite was read", path)
	}
	if len(whole) < 8 || binary.LittleEndian.Uint64(whole) > min(maxWeightsHeader, uint64(len(whole)-8)) {
		return nil, fmt.Errorf("%s: not a safetensors file, or its header has more than %d bytes", path, maxWeightsHeader)
	}
	tensors, err := safetensors.Deserialize(whole)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	w := &weights{path: path, values: map[string]*nn.Values{}, shapes: map[string][]int{}}
	for _, name := range tensors.Names() {
		t, ok := tensors.Tensor(name)
		if !ok || t.DType() != safetensors.F32 {
			continue // counters, and what is no weight
		}
		data := t.Data()
		numbers := make([]float32, len(data)/4)
		for i := range numbers {
			numbers[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		values := nn.NewValues(numbers)
		var shape []int
		for _, d := range t.Shape() {
			shape = append(shape, int(d))
		}
		for _, slot := range slotNames(name) {
			w.values[slot], w.shapes[slot] = values, shape
		}
	}
	return w, nil
}

// fit refuses weights that do not give each parameter of the network its first values.
func (w *weights) fit(m nn.Model, input ir.Type, outputs int) error {
	slots, err := m.Slots(input, outputs)
	if err != nil {
		return err
	}
	names := slices.Collect(maps.Keys(w.values))
	for _, s := range slots {
		shape, ok := w.shapes[s.Name]
		if !ok {
			return fmt.Errorf("%s has no float32 tensor for %s%s", w.path, s.Name, nearest.Hint(s.Name, names))
		}
		if !slices.Equal(shape, s.Type.Shape) {
			return fmt.Errorf("%s: want %s of the shape %v, found %v", w.path, s.Name, s.Type.Shape, shape)
		}
	}
	return nil
}
