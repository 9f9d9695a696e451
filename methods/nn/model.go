package nn

import (
	"fmt"

	"bayesbench/backends/ir"

	"bayesbench/internal/nearest"
)

// Model is a network written against whatever layers it is given.
type Model struct {
	Name        string
	Description string // one line for lists
	// Apply builds the outputs f32[n outputs] of x f32[n c h w]: the logits of
	// the classes, unless NLL says what else they are.
	Apply func(l Layers, x ir.Value, outputs int) ir.Value
	// NLL is −log p(y | outputs) summed over the rows. Nil means softmax
	// cross-entropy, −Σ y·log softmax(outputs).
	NLL func(b *ir.Builder, outputs, y ir.Value) ir.Value
	// HessianRoot are columns S_c, of the outputs' shape, of a square root of
	// the Hessian of a row's NLL in its outputs: H = Σ_c S_c·S_cᵀ. Nil means
	// that of softmax cross-entropy, S_c = √p_c·(e_c − p); a model with an NLL
	// of its own has one of its own too, or no Laplace approximation.
	HessianRoot func(b *ir.Builder, outputs ir.Value) []ir.Value
}

// Models lists the networks that a suite can name.
func Models() []Model {
	return []Model{
		lenet300, lenet5, mlp400, mlp3x200, softmaxRegression,
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
	return Model{}, fmt.Errorf("no model %q; did you mean %q?", name, nearest.Name(name, names))
}
