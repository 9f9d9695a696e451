package laplace

import (
	"fmt"
	"math"

	"bayesbench/methods"
	"bayesbench/methods/nn"

	"gonum.org/v1/gonum/mat"
)

// solve turns the accumulated curvature into the posterior's factors: the
// standard deviations 1/√(λ + τ), in the eigenvectors of A and G for KFAC.
func (m Method) solve(state map[string][]float32, tensors []nn.Tensor, j methods.Job) error {
	seen := float64(j.StepsPerEpoch() * j.Batch)
	total := float64(j.Task.Examples)
	var eigenvalues [][]float64 // of H, by layer, [out in+1]
	norm := 0.0                 // ‖w*‖²
	for _, t := range tensors {
		out, in := extended(t)
		lambda := make([]float64, out*in)
		if m.Structure == Diag {
			for i, h := range state[t.Layer+"/H"] {
				lambda[i] = float64(h) * total / seen
			}
		} else {
			a, err := eigen(state[t.Layer+"/A"], in, state[t.Layer+"/UA"])
			if err != nil {
				return fmt.Errorf("laplace: layer %s: inputs: %w", t.Layer, err)
			}
			g, err := eigen(state[t.Layer+"/G"], out, state[t.Layer+"/UG"])
			if err != nil {
				return fmt.Errorf("laplace: layer %s: gradients: %w", t.Layer, err)
			}
			for o := range out {
				for i := range in {
					lambda[o*in+i] = total / seen / seen * g[o] * a[i]
				}
			}
		}
		eigenvalues = append(eigenvalues, lambda)
		for _, name := range []string{".w", ".b"} {
			for _, w := range state[t.Layer+name] {
				norm += float64(w) * float64(w)
			}
		}
	}
	tau := 1 / (m.PriorSigma * m.PriorSigma)
	if m.Precision == Marginal {
		tau = marginal(eigenvalues, norm, tau)
	}
	for i, t := range tensors {
		std := state[t.Layer+"/std"]
		for k, lambda := range eigenvalues[i] {
			std[k] = float32(1 / math.Sqrt(lambda+tau))
		}
	}
	return nil
}

// marginal is the τ that maximises ½P·log τ − ½τ·norm − ½Σ log(λ + τ).
func marginal(eigenvalues [][]float64, norm, tau float64) float64 {
	for range 200 {
		effective := 0.0 // γ, the number of well-determined parameters
		for _, layer := range eigenvalues {
			for _, lambda := range layer {
				effective += lambda / (lambda + tau)
			}
		}
		next := min(max(effective/max(norm, 1e-12), 1e-6), 1e6)
		if math.Abs(next-tau) < 1e-9*tau {
			return next
		}
		tau = next
	}
	return tau
}

// eigen is the eigenvalues, none negative, of the symmetric matrix v[n n]; its
// eigenvectors go to the columns of vectors[n n].
func eigen(v []float32, n int, vectors []float32) ([]float64, error) {
	sym := mat.NewSymDense(n, nil)
	for i := range n {
		for k := i; k < n; k++ {
			sym.SetSym(i, k, (float64(v[i*n+k])+float64(v[k*n+i]))/2)
		}
	}
	var e mat.EigenSym
	if !e.Factorize(sym, true) {
		return nil, fmt.Errorf("the eigenvalues of a %dx%d factor do not converge", n, n)
	}
	var u mat.Dense
	e.VectorsTo(&u)
	for i := range n {
		for k := range n {
			vectors[i*n+k] = float32(u.At(i, k))
		}
	}
	values := e.Values(nil)
	for i := range values {
		values[i] = max(values[i], 0) // rounding may make it negative
	}
	return values, nil
}
