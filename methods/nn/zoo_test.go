package nn

import (
	"strings"
	"testing"

	"bayesbench/backends/ir"
)

// The weights counted against the published sizes (parameters of convolutions
// and fully connected layers, without biases and batch normalisation).
func TestModelSizes(t *testing.T) {
	for _, c := range []struct {
		model   string
		input   []int
		outputs int
		weights int
	}{
		{"lenet-300-100", []int{1, 28, 28}, 10, 266_200},
		{"lenet-5-caffe", []int{1, 28, 28}, 10, 430_500},
		{"vgg-like-1", []int{3, 32, 32}, 10, 14_977_728},
		{"mlp-50", []int{13}, 1, 13*50 + 50},
		{"mlp-100", []int{9}, 2, 9*100 + 2*100},
		{"mlp-2x50", []int{6}, 2, 6*50 + 50*50 + 2*50},
		// torchvision: 11,689,512 and 25,557,032 parameters with 1,000 outputs,
		// of which 9,600 and 53,120 of batch normalisation and 1,000 biases.
		{"resnet-18", []int{3, 224, 224}, 1000, 11_689_512 - 9_600 - 1_000},
		{"resnet-50", []int{3, 224, 224}, 1000, 25_557_032 - 53_120 - 1_000},
	} {
		m, err := Open(c.model)
		if err != nil {
			t.Fatal(err)
		}
		tensors, err := m.Tensors(ir.Float(c.input...), c.outputs)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, w := range tensors {
			n += w.Size()
		}
		if n != c.weights {
			t.Errorf("%s has %d weights, want %d", c.model, n, c.weights)
		}
	}
}

// Every model builds on the images it is meant for.
func TestModelsBuild(t *testing.T) {
	for _, m := range Models() {
		input := ir.Float(1, 28, 28)
		if _, err := m.Tensors(input, 10); err != nil {
			if _, err := m.Tensors(ir.Float(3, 32, 32), 10); err != nil {
				t.Errorf("%s: %v", m.Name, err)
			}
		}
	}
}

// A network of convolutions says what it wants where the examples are numbers.
func TestConvolutionsWantImages(t *testing.T) {
	for _, name := range []string{"lenet-5-caffe", "resnet-20"} {
		m, err := Open(name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.Tensors(ir.Float(13), 1)
		if err == nil || !strings.Contains(err.Error(), "wants images, ") || !strings.Contains(err.Error(), "found f32[1 13]") {
			t.Errorf("%s on numbers: error %v", name, err)
		}
	}
}

func TestModelsOfAnyWidth(t *testing.T) {
	for _, name := range []string{"vgg-like-0.0625", "vgg-like-0.75", "vgg-like-2", "wide-resnet-28-1", "wide-resnet-28-4"} {
		m, err := Open(name)
		if err != nil || m.Name != name {
			t.Errorf("%s: %q, %v", name, m.Name, err)
			continue
		}
		if _, err := m.Tensors(ir.Float(3, 32, 32), 10); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Another spelling of a width would be another name for the same results.
	for _, name := range []string{"vgg-like-0", "vgg-like-nan", "vgg-like-0.250", "vgg-like-1e9", "wide-resnet-28-0", "wide-resnet-28-+1", "vgg-like-", ""} {
		if _, err := Open(name); err == nil {
			t.Errorf("%q is accepted", name)
		}
	}
}
