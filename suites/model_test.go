package suites

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// parseModel reads a suite with that text for a network. Its files hold their own names.
func parseModel(text string) (*Suite, error) {
	v := words
	v.Content = func(path string) (string, error) {
		if strings.Contains(path, "gone") {
			return "", fmt.Errorf("%s: no such file", path)
		}
		return "sha256:" + strings.ToUpper(filepath.ToSlash(filepath.Base(path))), nil
	}
	return Parse(v, filepath.Join("there", "m.toml"), []byte("name = 'm'\ndata.name = 'd'\n"+text+"\n[[method]]\nname = 'a'\n"), nil)
}

// A network of the program is its name in a job's id, and any other one its content; no path is.
func TestModelInJSON(t *testing.T) {
	for text, want := range map[string]string{
		"model = 'lenet'":                                             `"lenet"`,
		"[model]\nname = 'lenet'":                                     `"lenet"`,
		"model = 'nets/a.onnx'":                                       `{"name":"a","onnx":"sha256:A.ONNX"}`,
		"[model]\nonnx = 'a.onnx'\ninit = 'file'":                     `{"name":"a","onnx":"sha256:A.ONNX","init":"file"}`,
		"[model]\nonnx = '/far/a.onnx'\nname = 'b'":                   `{"name":"b","onnx":"sha256:A.ONNX"}`,
		"[model]\nname = 'lenet'\ninit = 'w.safetensors'":             `{"name":"lenet","init":"sha256:W.SAFETENSORS"}`,
		"[model]\nname = 'n'\nlayers = ['conv  3 5x5 ', 'linear']":    `{"name":"n","layers":["conv 3 5x5","linear"]}`,
		"[model]\nlayers = ['linear']\ninit = 'w/w.safetensors'":      `{"name":"layers-7f2fe5","layers":["linear"],"init":"sha256:W.SAFETENSORS"}`,
		"[model]\nlayers = ['linear 2', 'linear']\nname = 'layers-1'": `{"name":"layers-1","layers":["linear 2","linear"]}`,
	} {
		s, err := parseModel(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		found, err := json.Marshal(s.Jobs[0].Model)
		if err != nil || string(found) != want {
			t.Errorf("%s: %s, want %s (%v)", text, found, want, err)
		}
	}
}

func TestModelErrors(t *testing.T) {
	for text, want := range map[string]string{
		"model = 3":                                        "m.toml:3: model: want a string, found a whole number",
		"model = ''":                                       "m.toml:3: model: want a name",
		"model = 'gone.onnx'":                              "m.toml:3: model: " + filepath.Join("there", "gone.onnx") + ": no such file",
		"model = 'a b.onnx'":                               "m.toml:3: model: want at most 100 letters, digits, '-', '_', '.', the first no '-' or '.', found \"a b\"; set it in a table [model]",
		"[model]\ninit = 'w.safetensors'":                  "m.toml:3: [model]: want layers, or onnx, or the name of a network",
		"[model]\nlayers = []":                             "m.toml:4: model.layers: want a list of layers, found none",
		"[model]\nlayers = 'relu'":                         "m.toml:4: model.layers: want a list, found a string",
		"[model]\nlayers = ['linear']\nonnx = 'a.onnx'":    "m.toml:5: model.onnx: want either a file or layers, found both",
		"[model]\nlayers = ['linear']\ninit = 'file'":      "m.toml:5: model.init: \"file\" is the weights of a file in model.onnx, found none",
		"[model]\nlayers = ['linear']\ninit = 'glorot'":    "m.toml:5: model.init: want \"file\", the weights of the ONNX file, or a file that ends in .safetensors, found \"glorot\"",
		"[model]\nonnx = 'a.pt'":                           "m.toml:4: model.onnx: want a file that ends in .onnx, found \"a.pt\"",
		"[model]\nlayers = ['linear']\nlayer = ['linear']": "m.toml:5: unknown key \"model.layer\"; did you mean \"layers\"?",
		"[model]\nname = 'a/b'\nlayers = ['linear']":       "m.toml:4: model.name: want at most 100 letters",
	} {
		_, err := parseModel(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v\nwant %s", text, err, want)
		}
	}
}

// Files of networks can be listed, and a list in [model] is an axis but for the layers.
func TestModelLists(t *testing.T) {
	for text, want := range map[string]string{
		"model = ['lenet', 'b.onnx', 'a.onnx']\nseed = [1, 2]": "lenet1 lenet2 b1 b2 a1 a2",
		"[model]\nonnx = 'a.onnx'\nname = ['x', 'y']":          "x0 y0",
		"[model]\nname = 'x'\nlayers = ['relu', 'linear']":     "x0",
	} {
		s, err := parseModel(text)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, c := range s.Jobs {
			found = append(found, fmt.Sprint(c.Model.Name, c.Seed))
		}
		if strings.Join(found, " ") != want {
			t.Errorf("%s: jobs %q, want %s", text, found, want)
		}
	}
}
