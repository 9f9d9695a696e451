// Package ensemble is deep ensembles: the predictive is the equal mixture of
// those of M networks that differ in their seed alone, so in initial values,
// data order and noise. The members are jobs of their own, of any method, the
// one of the table [method.of]; sample k of the predictive is drawn from
// member k mod M. There is no loss, prior or KL beyond the members'. It costs M
// times a member's weights and training, and one member's pass a sample.
//
// Member 0 has the job's own seed, so that an ensemble of one is the plain
// job; member k > 0 has fmix32(seed + k·0x9E3779B9), MurmurHash3's finaliser
// of a Weyl sequence, which is a bijection of the seed for every k.
//
// Source: Lakshminarayanan, Pritzel, Blundell, "Simple and scalable predictive
// uncertainty estimation using deep ensembles", NIPS 2017, without its
// adversarial training.
package ensemble

import (
	"bayesbench/methods"
	"bayesbench/methods/nn"
)

func init() {
	methods.Register(methods.Driver{
		Name:        "ensemble",
		Description: "deep ensemble of any method (Lakshminarayanan et al. 2017)",
		New:         parse,
	})
}

// Method is the settings of an ensemble.
type Method struct {
	Members int // M
	Of      methods.Method
}

func parse(p methods.Params) (methods.Method, error) {
	keys := struct {
		Members int `toml:"members"`
	}{Members: 5}
	if err := p.Decode(&keys); err != nil {
		return nil, err
	}
	if keys.Members < 1 || keys.Members > 100_000 {
		return nil, methods.BadKey("members", keys.Members, "1 to 100000")
	}
	of, err := p.Method("of")
	if err != nil {
		return nil, err
	}
	return Method{Members: keys.Members, Of: of}, nil
}

func (m Method) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	// The members plan for themselves; here it is only asked whether they can.
	if _, err := m.Of.Plan(model, j); err != nil {
		return nil, methods.Nested("of", err)
	}
	p := &methods.Plan{}
	for k := range m.Members {
		p.Members = append(p.Members, methods.Part{Key: "of", Seed: func(seed uint32) uint32 { return Seed(seed, k) }})
	}
	return p, nil
}

// Seed is the seed of member k of an ensemble under the seed.
func Seed(seed uint32, k int) uint32 {
	if k == 0 {
		return seed
	}
	h := seed + uint32(k)*0x9E3779B9
	h ^= h >> 16
	h *= 0x85EBCA6B
	h ^= h >> 13
	h *= 0xC2B2AE35
	h ^= h >> 16
	return h
}
