package suites

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
)

// Model says which network. In JSON, and so in a job's id, a network that the program knows is its
// name, and any other one is its content: its layers, or the hash of its file. A path is no part of
// either, so a folder can be moved.
type Model struct {
	// Name is how results call the network. A network of the user's that has none is called by its
	// file without the ending, or "layers-" and a hash of its layers.
	Name   string   `toml:"name" json:"name"`
	Layers []string `toml:"layers" json:"layers,omitempty"` // from the inputs to the outputs, a text each
	ONNX   File     `toml:"onnx" json:"onnx,omitzero"`      // the network's graph
	// Init is where the first weights come from: a safetensors file, or FromGraph for those of
	// ONNX. Where it is zero each method draws its own.
	Init File `toml:"init" json:"init,omitzero"`
}

// FromGraph is the value of model.init that takes the weights of the file in model.onnx.
const FromGraph = "file"

// Endings of the files that a model can name.
const (
	onnxEnding    = ".onnx"
	weightsEnding = ".safetensors"
)

// UnmarshalText reads model = "…": the name of a network that the program knows, or a file that
// ends in .onnx.
func (m *Model) UnmarshalText(text []byte) error {
	*m = Model{Name: string(text)}
	if strings.HasSuffix(m.Name, onnxEnding) {
		*m = Model{ONNX: File{Path: m.Name}}
	}
	return nil
}

// Named reports whether the network is one that the program knows, as the program starts it.
func (m *Model) Named() bool { return m.Layers == nil && m.ONNX.IsZero() && m.Init.IsZero() }

// MarshalJSON writes the name of a network that the program knows, and an object for any other.
func (m Model) MarshalJSON() ([]byte, error) {
	if m.Named() {
		return json.Marshal(m.Name)
	}
	type plain Model
	return json.Marshal(plain(m))
}

// Key is equal for equal networks: the JSON.
func (m Model) Key() string {
	text, err := json.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("suites: a model that JSON cannot hold: %v", err)) // it has texts alone
	}
	return string(text)
}

// File is a file that a suite names. JSON tells its content alone.
type File struct {
	Path string // that a program can open
	Sum  string // of its content, as [Vocabulary].Content tells it
}

// IsZero reports whether no file is named.
func (f File) IsZero() bool { return f == File{} }

// UnmarshalText reads the path as the suite has it.
func (f *File) UnmarshalText(text []byte) error {
	*f = File{Path: string(text)}
	return nil
}

// MarshalText writes the sum.
func (f File) MarshalText() ([]byte, error) { return []byte(f.Sum), nil }

// resolve checks the network of the suite's top level, finds its files and gives it a name.
func (m *Model) resolve(top Table) error {
	t, ok := top.Sub("model")
	fail := func(key, format string, args ...any) error {
		if !ok {
			return top.Errorf("model", "model: "+format, args...)
		}
		return t.Errorf(key, "model."+key+": "+format, args...)
	}
	if ok && t.Has("layers") && len(m.Layers) == 0 {
		return fail("layers", "want a list of layers, found none")
	}
	if !m.ONNX.IsZero() && m.Layers != nil {
		return fail("onnx", "want either a file or layers, found both")
	}
	if ok && m.Name == "" && m.Layers == nil && m.ONNX.IsZero() {
		return t.Errorf("", "[model]: want layers, or onnx, or the name of a network")
	}
	if m.Named() {
		return nil
	}
	for i, l := range m.Layers {
		m.Layers[i] = strings.Join(strings.Fields(l), " ")
	}
	if !m.ONNX.IsZero() {
		if !strings.HasSuffix(m.ONNX.Path, onnxEnding) {
			return fail("onnx", "want a file that ends in %s, found %q", onnxEnding, m.ONNX.Path)
		}
		if m.Name == "" {
			m.Name = strings.TrimSuffix(filepath.Base(m.ONNX.Path), onnxEnding)
		}
		if err := top.file.find(&m.ONNX); err != nil {
			return fail("onnx", "%w", err)
		}
	}
	switch path := m.Init.Path; {
	case m.Init.IsZero():
	case path == FromGraph:
		if m.ONNX.IsZero() {
			return fail("init", "%q is the weights of a file in model.onnx, found none", FromGraph)
		}
		m.Init.Sum = FromGraph
	case strings.HasSuffix(path, weightsEnding):
		if err := top.file.find(&m.Init); err != nil {
			return fail("init", "%w", err)
		}
	default:
		return fail("init", "want %q, the weights of the ONNX file, or a file that ends in %s, found %q", FromGraph, weightsEnding, path)
	}
	if m.Name == "" {
		sum := sha256.Sum256([]byte(strings.Join(m.Layers, "\n")))
		m.Name = "layers-" + hex.EncodeToString(sum[:3])
	}
	if !nameForm.MatchString(m.Name) {
		return fail("name", "want at most 100 letters, digits, '-', '_', '.', the first no '-' or '.', found %q; set it in a table [model]", m.Name)
	}
	return nil
}

// dir is the folder in which the suite's paths start.
func (f *file) dir() string { return cmp.Or(f.words.Dir, filepath.Dir(f.name)) }

// find makes the path of a file, which the suite gives from its own folder, one that a program can
// open, and tells the content.
func (f *file) find(named *File) error {
	if f == nil || f.words.Content == nil {
		return fmt.Errorf("%s: files cannot be read here", named.Path)
	}
	if !filepath.IsAbs(named.Path) {
		named.Path = filepath.Join(f.dir(), named.Path)
	}
	if sum, ok := f.sums[named.Path]; ok {
		named.Sum = sum
		return nil
	}
	var err error
	if named.Sum, err = f.words.Content(named.Path); err != nil {
		return err
	}
	if f.sums == nil {
		f.sums = map[string]string{}
	}
	f.sums[named.Path] = named.Sum
	return nil
}
