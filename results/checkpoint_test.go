package results

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func testCheckpoint(step string) *Checkpoint {
	return &Checkpoint{
		Meta: map[string]string{"step": step, "note": "ä\"\n"},
		Tensors: []Tensor{
			{Name: "adam.step", Shape: []int{}, U32: []uint32{7}},
			{Name: "empty", Shape: []int{0, 3}, F32: []float32{}},
			{Name: "fc1.mean", Shape: []int{2, 3}, F32: []float32{1, -0.5, float32(math.Inf(1)), 1e-45, 0, math.Float32frombits(0x7fc00001)}},
			{Name: "key", Shape: []int{2}, U32: []uint32{0, math.MaxUint32}},
		},
	}
}

func encode(t testing.TB, c *Checkpoint) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := WriteCheckpoint(&out, c); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestCheckpointRoundTrip(t *testing.T) {
	want := testCheckpoint("12")
	text := encode(t, want)
	if !bytes.Equal(text, encode(t, testCheckpoint("12"))) {
		t.Error("the same checkpoint has different bytes")
	}
	got, err := ReadCheckpoint(text, "x")
	if err != nil {
		t.Fatal(err)
	}
	// NaN payloads must survive: compare bits.
	for i := range want.Tensors {
		w, g := &want.Tensors[i], &got.Tensors[i]
		for j := range w.F32 {
			if math.Float32bits(w.F32[j]) != math.Float32bits(g.F32[j]) {
				t.Errorf("%s[%d]: %x, want %x", w.Name, j, math.Float32bits(g.F32[j]), math.Float32bits(w.F32[j]))
			}
		}
		if w.Name != g.Name || !reflect.DeepEqual(w.Shape, g.Shape) || !reflect.DeepEqual(w.U32, g.U32) || len(w.F32) != len(g.F32) {
			t.Errorf("got %+v, want %+v", g, w)
		}
	}
	if !reflect.DeepEqual(got.Meta, want.Meta) {
		t.Errorf("meta %v, want %v", got.Meta, want.Meta)
	}
}

// The layout read by hand, as the safetensors specification has it.
func TestCheckpointLayout(t *testing.T) {
	text := encode(t, testCheckpoint("12"))
	n := binary.LittleEndian.Uint64(text)
	var header map[string]struct {
		DType   string    `json:"dtype"`
		Shape   []int     `json:"shape"`
		Offsets [2]uint64 `json:"data_offsets"`
	}
	if err := json.Unmarshal(text[8:8+n], &header); err != nil {
		t.Fatal(err)
	}
	mean := header["fc1.mean"]
	if mean.DType != "F32" || !reflect.DeepEqual(mean.Shape, []int{2, 3}) {
		t.Errorf("fc1.mean is %+v", mean)
	}
	data := text[8+n+mean.Offsets[0] : 8+n+mean.Offsets[1]]
	if len(data) != 24 || math.Float32frombits(binary.LittleEndian.Uint32(data[4:])) != -0.5 {
		t.Errorf("fc1.mean[1] is not -0.5 in % x", data)
	}
}

// Every flipped byte is found.
func TestCheckpointFlippedByte(t *testing.T) {
	text := encode(t, testCheckpoint("12"))
	for i := range text {
		bad := bytes.Clone(text)
		bad[i] ^= 0x10
		if _, err := ReadCheckpoint(bad, "x"); err == nil {
			t.Fatalf("byte %d of %d flipped, not found", i, len(text))
		}
	}
	bad := bytes.Clone(text)
	n := binary.LittleEndian.Uint64(text)
	mean := bytes.Index(text[8+n:], []byte{0, 0, 0x80, 0x3f}) // the 1 in fc1.mean
	bad[8+int(n)+mean] ^= 1
	if _, err := ReadCheckpoint(bad, "x"); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), `"fc1.mean"`) {
		t.Errorf("error %v, want the tensor named", err)
	}
	for i := range text {
		if _, err := ReadCheckpoint(text[:i], "x"); err == nil {
			t.Fatalf("cut to %d of %d bytes, not found", i, len(text))
		}
	}
}

func TestCheckpointGenerations(t *testing.T) {
	run := openRun(t, t.TempDir(), "a")
	job, err := run.Claim("a")
	if err != nil {
		t.Fatal(err)
	}
	any := func(*Checkpoint) error { return nil }
	const bytes = 1 << 10
	if c, lost, err := job.LoadCheckpoint(bytes, any); c != nil || lost != nil || err != nil {
		t.Errorf("%v, lost %v, error %v, want nothing", c, lost, err)
	}
	for _, step := range []string{"1", "2", "3"} {
		if err := job.SaveCheckpoint(testCheckpoint(step)); err != nil {
			t.Fatal(err)
		}
	}
	load := func(want string, accept func(*Checkpoint) error) error {
		t.Helper()
		c, lost, err := job.LoadCheckpoint(bytes, accept)
		if err != nil || c == nil || c.Meta["step"] != want {
			t.Fatalf("%v, lost %v, error %v, want step %s", c, lost, err, want)
		}
		return lost
	}
	if lost := load("3", any); lost != nil {
		t.Error(lost)
	}
	newest := filepath.Join(job.Dir, checkpointFile)
	other := errors.New("of another job")
	lost := load("2", func(c *Checkpoint) error {
		if c.Meta["step"] == "3" {
			return other
		}
		return nil
	})
	if !errors.Is(lost, other) || !strings.Contains(lost.Error(), newest) {
		t.Errorf("lost %v, want the file that was not accepted", lost)
	}
	text, _ := os.ReadFile(newest)
	text[len(text)-1] ^= 1
	os.WriteFile(newest, text, 0o644)
	if lost := load("2", any); !errors.Is(lost, ErrDamaged) || !strings.Contains(lost.Error(), newest) {
		t.Errorf("lost %v, want the damaged file named", lost)
	}
	os.Remove(newest) // as a kill between the two renames leaves it
	if lost := load("2", any); lost != nil {
		t.Error(lost)
	}
	os.WriteFile(filepath.Join(job.Dir, previousFile), []byte("torn"), 0o644)
	if c, lost, err := job.LoadCheckpoint(bytes, any); c != nil || !errors.Is(lost, ErrDamaged) || err != nil {
		t.Errorf("%v, lost %v, error %v, want damage", c, lost, err)
	}
	os.WriteFile(newest, nil, 0o644)
	if err := os.Truncate(newest, 1<<40); err != nil { // a terabyte that costs nothing
		t.Fatal(err)
	}
	if _, lost, err := job.LoadCheckpoint(bytes, any); lost == nil || !strings.Contains(lost.Error(), "which is more than is read") || err != nil {
		t.Errorf("lost %v, error %v, want the length refused", lost, err)
	}
}
