package ffg

import (
	"fmt"
	"math"

	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/nn"
)

// Prior is a method's keys for the prior of the weights.
type Prior struct {
	Kind   Kind    `toml:"prior"`
	Sigma  float64 `toml:"prior_sigma"`    // s of Fixed
	Share  float64 `toml:"mixture_weight"` // π of Mixture
	Sigma1 float64 `toml:"mixture_sigma1"` // s₁
	Sigma2 float64 `toml:"mixture_sigma2"` // s₂
}

// Kind names a prior.
type Kind string

const (
	// Fixed is N(0, s²) on every weight.
	Fixed Kind = "fixed"
	// Layer, Neuron and ARD are N(0, s²) with s² the empirical-Bayes (type-II) estimate, one for
	// each tensor, for each output's row, or for each weight: the KL at its minimum over s², s² =
	// mean(σ² + μ²), which is Σ ½·log(s²/σ²). A neuron's bias has an s² of its own. Titsias and
	// Lázaro-Gredilla, "Doubly stochastic variational Bayes for non-conjugate inference", ICML
	// 2014, section 3.1; MacKay 1992.
	Layer  Kind = "layer"
	Neuron Kind = "neuron"
	ARD    Kind = "ard"
	// Mixture is the scale mixture π·N(0, s₁²) + (1−π)·N(0, s₂²); its KL is
	// estimated by one sample a step of −log p(w), with the entropy exact.
	// Blundell et al. 2015, section 3.3.
	Mixture Kind = "mixture"
)

// UnmarshalText reads a name and refuses an unknown one.
func (k *Kind) UnmarshalText(text []byte) error {
	switch v := Kind(text); v {
	case Fixed, Layer, Neuron, ARD, Mixture:
		*k = v
		return nil
	}
	return fmt.Errorf("prior = %q: want \"fixed\", \"layer\", \"neuron\", \"ard\" or \"mixture\"", text)
}

// defaultPrior is N(0, 1); the mixture's constants lie on Blundell et al.'s grid.
var defaultPrior = Prior{Kind: Fixed, Sigma: 1, Share: 0.5, Sigma1: 1, Sigma2: math.Exp(-6)}

func (p Prior) check() error {
	positive := func(key string, x float64) error {
		if !(x > 0) || math.IsInf(x, 1) {
			return methods.BadKey(key, x, "a finite number above 0")
		}
		return nil
	}
	if err := positive("prior_sigma", p.Sigma); err != nil {
		return err
	}
	if err := positive("mixture_sigma1", p.Sigma1); err != nil {
		return err
	}
	if err := positive("mixture_sigma2", p.Sigma2); err != nil {
		return err
	}
	if !(p.Share > 0 && p.Share < 1) {
		return methods.BadKey("mixture_weight", p.Share, "a number in (0, 1)")
	}
	return nil
}

// KL is KL(q‖p) summed over a tensor, rho = log σ. For Mixture it draws noise.
func (p Prior) KL(s *nn.Scope, q nn.Posterior, rho ir.Value) ir.Value {
	switch p.Kind {
	case Fixed:
		return GaussianKL(s, q, rho, p.Sigma)
	case Mixture:
		return p.mixtureKL(s, q, rho)
	}
	second := s.Add(q.Variance, s.Square(q.Mean))
	shape := s.Shape(rho)
	each := 1.0 // weights that share a variance
	switch p.Kind {
	case Layer:
		each = float64(s.Type(rho).Size())
		second = s.Mean(second)
	case Neuron:
		if len(shape) == 1 {
			break // a bias, of which a neuron has one
		}
		each = float64(s.Type(rho).Size() / shape[0])
		axes := make([]int, len(shape)-1)
		for i := range axes {
			axes[i] = i + 1
		}
		second = s.Mean(second, axes...)
	}
	return s.Sub(s.MulConst(s.Sum(s.Log(second)), each/2), s.Sum(rho))
}

// mixtureKL is −entropy(q) − log p(w) at one w ~ q.
func (p Prior) mixtureKL(s *nn.Scope, q nn.Posterior, rho ir.Value) ir.Value {
	w := s.Add(q.Mean, s.Mul(q.Std, s.Noise(s.Shape(rho)...)))
	component := func(weight, sigma float64) ir.Value { // log weight·N(w; 0, sigma²) + ½·log 2π
		return s.AddConst(s.MulConst(s.Square(w), -1/(2*sigma*sigma)), math.Log(weight/sigma))
	}
	wide, narrow := component(p.Share, p.Sigma1), component(1-p.Share, p.Sigma2)
	logp := s.Add(wide, s.Softplus(s.Sub(narrow, wide)))
	return s.AddConst(s.Neg(s.Sum(s.Add(logp, rho))), -0.5*float64(s.Type(rho).Size()))
}

// GaussianKL is KL(N(μ, σ²) ‖ N(0, prior²)) summed over a tensor,
// Σ ½[(σ² + μ²)/prior² − 1] − log σ + log prior, with rho = log σ.
func GaussianKL(s *nn.Scope, q nn.Posterior, rho ir.Value, prior float64) ir.Value {
	second := s.MulConst(s.Add(q.Variance, s.Square(q.Mean)), 1/(2*prior*prior))
	constant := float64(s.Type(rho).Size()) * (math.Log(prior) - 0.5)
	return s.AddConst(s.Sum(s.Sub(second, rho)), constant)
}
