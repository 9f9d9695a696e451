package dropout

import (
	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/nn"
)

// siteRate is the rate of a site: the method's key p, or else the one published
// with the network, or else 0.5.
func siteRate(p *float64, published float64) float64 {
	switch {
	case p != nil:
		return *p
	case published == 0:
		return 0.5
	default:
		return published
	}
}

func checkRate(p *float64) error {
	if p != nil && !(*p >= 0 && *p < 1) {
		return methods.BadKey("p", *p, "a dropout rate in [0, 1)")
	}
	return nil
}

// inputRate is the rate published for inputs. Srivastava et al., "Dropout", JMLR
// 2014, section 3.
const inputRate = 0.2

// withInputs is the model with one more site, "input", before its first layer.
func withInputs(m nn.Model) nn.Model {
	apply := m.Apply
	m.Apply = func(l nn.Layers, x ir.Value, outputs int) ir.Value {
		return apply(l, l.Dropout("input", x, inputRate), outputs)
	}
	return m
}
