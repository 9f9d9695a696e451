package nn

import (
	"fmt"
	"strconv"
	"strings"

	"bayesbench/backends/ir"
	"bayesbench/internal/nearest"
)

// Model is a network written against whatever layers it is given.
type Model struct {
	Name        string
	Description string // one line for lists
	// Apply builds the outputs f32[n outputs] of a batch of inputs x [n …], images
	// f32[n c h w] or numbers f32[n k]. What the outputs mean is the likelihood's to say.
	Apply func(l Layers, x ir.Value, outputs int) ir.Value
	// Given says that parameters begin with values of the network's own, under every seed.
	Given bool
}

// Models lists the networks that a suite can name. VGG-like and the wide ResNet
// are here in their usual widths; Open knows the others.
func Models() []Model {
	return []Model{
		lenet300, lenet5, mlp400, mlp3x200, mlp3x512, mlp50, mlp100, mlp2x50, softmaxRegression,
		vggLike(0.125), vggLike(0.25), vggLike(0.5), vggLike(1), vggLike(1.5),
		resnet20, resnet20FRN, resnet18, resnet18Small, resnet50, wideResNet(2), wideResNet(10),
	}
}

// Open finds a model by name; the error for an unknown one names the nearest.
func Open(name string) (Model, error) {
	var names []string
	for _, m := range Models() {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	if m, ok := ofWidth(name); ok {
		return m, nil
	}
	return Model{}, fmt.Errorf("no model %q; did you mean %q?", name, nearest.Name(name, names))
}

// Starting is the network whose parameters begin with these values, by the names of their slots.
func (m Model) Starting(at map[string]*Values) Model {
	apply := m.Apply
	m.Given = true
	m.Apply = func(l Layers, x ir.Value, outputs int) ir.Value {
		l.Start(at)
		return apply(l, x, outputs)
	}
	return m
}

// ofWidth is vgg-like-K or wide-resnet-28-K in any width from 1/64, where
// VGG-like has one channel, to 64. A width has one spelling, since results are
// told apart by the model's name.
func ofWidth(name string) (Model, bool) {
	var m Model
	if width, ok := strings.CutPrefix(name, "vgg-like-"); ok {
		if k, err := strconv.ParseFloat(width, 64); err == nil && 1.0/64 <= k && k <= 64 {
			m = vggLike(k)
		}
	} else if width, ok := strings.CutPrefix(name, "wide-resnet-28-"); ok {
		if k, err := strconv.Atoi(width); err == nil && 1 <= k && k <= 64 {
			m = wideResNet(k)
		}
	}
	return m, m.Apply != nil && m.Name == name
}
