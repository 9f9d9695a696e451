package fit

import (
	"bayesbench/backends/ir"
	"bayesbench/methods/nn"
)

// Gradient is the program of one estimator of the gradient of the network's mean
// NLL, as [methods.Comparer] has it; n is the network under that estimator.
func Gradient(estimator string, n Network) (*ir.Program, error) {
	program, err := ir.Build("gradient/"+estimator, func(b *ir.Builder) {
		s := nn.NewScope(b, true)
		nll := n.NLL(s, n.Outputs(s, n.X(s, n.Job.Batch)), n.Y(s, n.Job.Batch))
		var wrt []ir.Value
		for _, slot := range s.Trained() {
			wrt = append(wrt, slot.Value)
		}
		for i, g := range s.Grad(nll, wrt...) {
			s.Result("gradient/"+s.Trained()[i].Name, g)
		}
	})
	if err != nil {
		return nil, err
	}
	return ir.Clean(program), nil
}
