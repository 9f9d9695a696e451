package results

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/nlpodyssey/safetensors"

	"bayesbench/internal/atomicfile"
)

// Checkpoint is the state from which a job goes on: a safetensors file, so that Python reads it
// too.
type Checkpoint struct {
	Meta    map[string]string // step, stage, … as the harness needs them; keys do not start with "bayesbench."
	Tensors []Tensor          // by distinct names; read back sorted by name
}

// Tensor is a named array in row-major order. Exactly one of F32 and U32 is set, unless the tensor
// is empty.
type Tensor struct {
	Name  string
	Shape []int
	F32   []float32
	U32   []uint32
}

// The metadata that this package adds.
const (
	metaPrefix = "bayesbench."
	metaFormat = metaPrefix + "format"
	metaTensor = metaPrefix + "sha256." // + tensor name: hash of its bytes
	metaFile   = metaPrefix + "sha256"  // hash of the file with blankSum in this place
)

var blankSum = strings.Repeat("0", 2*sha256.Size)

// maxHeader bounds a checkpoint's header, which takes up to 96 times its length in memory;
// maxTensors keeps what is written below it. The tensors take twice their length.
const (
	maxHeader  = 16 << 20
	maxTensors = 20_000
)

// checkpointLength is the most bytes that a file has whose tensors have so many.
func checkpointLength(tensors int64) int64 { return 8 + maxHeader + tensors }

// ErrDamaged is wrapped by the errors about checkpoints whose bytes are not those that were
// written.
var ErrDamaged = errors.New("damaged checkpoint")

// tensorView lets safetensors write a tensor, by way of bytes that all views of
// a checkpoint share.
type tensorView struct {
	tensor Tensor
	bytes  *[]byte
}

func (v tensorView) DType() safetensors.DType {
	if v.tensor.U32 != nil {
		return safetensors.U32
	}
	return safetensors.F32
}

func (v tensorView) Shape() []uint64 {
	shape := make([]uint64, len(v.tensor.Shape))
	for i, n := range v.tensor.Shape {
		shape[i] = uint64(n)
	}
	return shape
}

func (v tensorView) DataLen() uint64 { return 4 * uint64(len(v.tensor.F32)+len(v.tensor.U32)) }

// Data holds until the next call for any view of the same bytes.
func (v tensorView) Data() []byte {
	data := (*v.bytes)[:0]
	for _, x := range v.tensor.F32 {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
	}
	for _, x := range v.tensor.U32 {
		data = binary.LittleEndian.AppendUint32(data, x)
	}
	*v.bytes = data
	return data
}

// check reports why the tensor cannot be stored.
func (t *Tensor) check() error {
	if t.F32 != nil && t.U32 != nil {
		return fmt.Errorf("tensor %q has two types", t.Name)
	}
	n := 1
	for _, d := range t.Shape {
		if d < 0 {
			return fmt.Errorf("tensor %q: shape %v", t.Name, t.Shape)
		}
		n *= d
	}
	if n != len(t.F32)+len(t.U32) {
		return fmt.Errorf("tensor %q: shape %v for %d elements", t.Name, t.Shape, len(t.F32)+len(t.U32))
	}
	return nil
}

// WriteCheckpoint writes c as safetensors, with a hash of every tensor and of the whole in the
// metadata.
func WriteCheckpoint(w io.Writer, c *Checkpoint) error {
	meta := map[string]string{metaFormat: strconv.Itoa(FormatVersion)}
	for key, value := range c.Meta {
		if strings.HasPrefix(key, metaPrefix) {
			return fmt.Errorf("checkpoint metadata key %q: the prefix is taken", key)
		}
		meta[key] = value
	}
	if len(c.Tensors) > maxTensors {
		return fmt.Errorf("a checkpoint of %d tensors, at most %d can be", len(c.Tensors), maxTensors)
	}
	views := map[string]tensorView{}
	largest := uint64(0)
	for _, t := range c.Tensors {
		largest = max(largest, tensorView{tensor: t}.DataLen())
	}
	held := make([]byte, 0, largest) // one tensor's at a time
	for _, t := range c.Tensors {
		if err := t.check(); err != nil {
			return err
		}
		if _, twice := views[t.Name]; twice || t.Name == "" || t.Name == "__metadata__" {
			return fmt.Errorf("tensor name %q is empty, reserved or stands twice", t.Name)
		}
		view := tensorView{t, &held}
		views[t.Name] = view
		meta[metaTensor+t.Name] = hexSum(view.Data())
	}
	whole := sha256.New()
	meta[metaFile] = blankSum
	if err := safetensors.SerializeToWriter(views, meta, whole); err != nil {
		return err
	}
	meta[metaFile] = hex.EncodeToString(whole.Sum(nil))
	return safetensors.SerializeToWriter(views, meta, w)
}

// ReadCheckpoint reads what WriteCheckpoint wrote. Name is for errors. If a byte has changed, the
// error wraps ErrDamaged and names the tensor in which it lies, or the header.
func ReadCheckpoint(text []byte, name string) (*Checkpoint, error) {
	if len(text) >= 8 {
		if n := binary.LittleEndian.Uint64(text); n > maxHeader {
			return nil, fmt.Errorf("%s: %w: a header of %d bytes, at most %d are read", name, ErrDamaged, n, maxHeader)
		}
	}
	headerSize, header, err := safetensors.ReadMetadata(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %.300s", name, ErrDamaged, err)
	}
	meta := header.Metadata()
	sum, ours := meta[metaFile]
	if !ours {
		return nil, fmt.Errorf("%s: a safetensors file, but not a bayesbench checkpoint", name)
	}

	headerText := text[:8+headerSize]
	c := &Checkpoint{Meta: map[string]string{}}
	tensors := header.Tensors()
	for _, tensorName := range slices.Sorted(maps.Keys(tensors)) {
		info := tensors[tensorName]
		data := text[len(headerText):][info.DataOffsets[0]:info.DataOffsets[1]]
		t, err := fromBytes(tensorName, info, data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %v", name, ErrDamaged, err)
		}
		if hexSum(data) != meta[metaTensor+t.Name] {
			return nil, fmt.Errorf("%s: %w: tensor %q does not match its hash", name, ErrDamaged, t.Name)
		}
		c.Tensors = append(c.Tensors, t)
	}
	whole := sha256.New()
	whole.Write(bytes.Replace(headerText, []byte(sum), []byte(blankSum), 1))
	whole.Write(text[len(headerText):])
	if hex.EncodeToString(whole.Sum(nil)) != sum {
		return nil, fmt.Errorf("%s: %w: the header (names, shapes or metadata) does not match its hash", name, ErrDamaged)
	}
	if have := meta[metaFormat]; have != strconv.Itoa(FormatVersion) {
		return nil, fmt.Errorf("%s: %w: the checkpoint has format %q, this program reads %d", name, ErrFormat, have, FormatVersion)
	}
	for key, value := range meta {
		if !strings.HasPrefix(key, metaPrefix) {
			c.Meta[key] = value
		}
	}
	return c, nil
}

// fromBytes makes a tensor of its bytes, whose number agrees with its shape.
func fromBytes(name string, info *safetensors.TensorInfo, data []byte) (Tensor, error) {
	t := Tensor{Name: name, Shape: []int{}}
	for _, n := range info.Shape {
		if n > math.MaxInt32 {
			return t, fmt.Errorf("tensor %q: dimension %d", t.Name, n)
		}
		t.Shape = append(t.Shape, int(n))
	}
	switch info.DType {
	case safetensors.F32:
		t.F32 = make([]float32, len(data)/4)
		for i := range t.F32 {
			t.F32[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	case safetensors.U32:
		t.U32 = make([]uint32, len(data)/4)
		for i := range t.U32 {
			t.U32[i] = binary.LittleEndian.Uint32(data[4*i:])
		}
	default:
		return t, fmt.Errorf("tensor %q has type %s, want F32 or U32", t.Name, info.DType)
	}
	return t, nil
}

// SaveCheckpoint makes c the newest checkpoint. The one before stays until the next save, so that
// at every moment there is a whole one on disk.
func (j *Job) SaveCheckpoint(c *Checkpoint) error {
	newest, previous := filepath.Join(j.Dir, checkpointFile), filepath.Join(j.Dir, previousFile)
	pending, err := atomicfile.New(newest)
	if err != nil {
		return err
	}
	defer pending.Cleanup()
	sum := sha256.New()
	if err := WriteCheckpoint(io.MultiWriter(pending, sum), c); err != nil {
		return fmt.Errorf("write %s: %w", newest, err)
	}
	// The new one is durable before the old one moves.
	if err := pending.Sync(); err != nil {
		return fmt.Errorf("write %s: %w", newest, err)
	}
	if err := os.Rename(newest, previous); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := pending.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("write %s: %w", newest, err)
	}
	j.sums[checkpointFile] = hex.EncodeToString(sum.Sum(nil))
	return atomicfile.SyncDir(j.Dir)
}

// LoadCheckpoint returns the newest checkpoint that is whole and that accept has nothing against;
// its tensors have at most so many bytes. Lost is what is wrong with those that are newer. There
// may be none to return, and lost is nil if there never was one. The error is a *ReadError, or
// wraps ErrFormat: of files that may be whole nothing is lost yet.
func (j *Job) LoadCheckpoint(bytes int64, accept func(*Checkpoint) error) (c *Checkpoint, lost error, err error) {
	for _, file := range []string{checkpointFile, previousFile} {
		text, err := readJobFile(j.Dir, file, checkpointLength(bytes))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		path := filepath.Join(j.Dir, file)
		var c *Checkpoint
		if err == nil {
			c, err = ReadCheckpoint(text, path)
		}
		if errors.As(err, new(*ReadError)) || errors.Is(err, ErrFormat) {
			return nil, nil, err
		}
		if err == nil {
			if err = accept(c); err == nil {
				return c, lost, nil
			}
			err = fmt.Errorf("%s: %w", path, err)
		}
		if lost != nil {
			err = fmt.Errorf("%w; %w", lost, err)
		}
		lost = err
	}
	return nil, lost, nil
}
