package methods

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"bayesbench/backends/ir"
)

// Hash tells plans apart that train or predict in another way: the first 12 hexadecimal
// digits of the SHA-256 of the plan's JSON.
func (p *Plan) Hash() (string, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	return digits(text), nil
}

func digits(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

// program is what JSON tells of a program. Its text has some hundred lines, and stands
// there as its hash.
type program struct {
	Hash  string         `json:"hash"` // of the text, as Plan.Hash is
	FLOPs float64        `json:"flops"`
	Ops   map[string]int `json:"ops"` // how many instructions of each op
}

func told(p *ir.Program) *program {
	if p == nil {
		return nil
	}
	out := program{Hash: digits([]byte(p.String())), FLOPs: p.FLOPs(), Ops: map[string]int{}}
	for i := range p.Instrs {
		out.Ops[p.Instrs[i].Op.String()]++
	}
	return &out
}

// members is a run of parts whose streams follow on each other.
type members struct {
	Key   string `json:"key"`
	First uint32 `json:"first"` // stream
	Count int    `json:"count"`
}

// MarshalJSON writes all of the plan but the instructions of its programs and what its
// stages do when they are done.
func (p *Plan) MarshalJSON() ([]byte, error) {
	type plain Plan
	var runs []members
	for _, m := range p.Members {
		if n := len(runs); n > 0 && runs[n-1].Key == m.Key && runs[n-1].First+uint32(runs[n-1].Count) == m.Stream {
			runs[n-1].Count++
			continue
		}
		runs = append(runs, members{m.Key, m.Stream, 1})
	}
	return json.Marshal(struct {
		*plain
		Report  *program  `json:"report,omitempty"`
		Members []members `json:"members,omitempty"`
	}{(*plain)(p), told(p.Report), runs})
}

// MarshalJSON writes the stage as Plan's does.
func (s Stage) MarshalJSON() ([]byte, error) {
	type plain Stage
	return json.Marshal(struct {
		plain
		Step *program `json:"step"`
		Done bool     `json:"done,omitempty"`
	}{plain(s), told(s.Step), s.Done != nil})
}

// MarshalJSON writes the predictor as Plan's does.
func (p Predictor) MarshalJSON() ([]byte, error) {
	type plain Predictor
	return json.Marshal(struct {
		plain
		Program *program `json:"program"`
		Refresh *program `json:"refresh,omitempty"`
	}{plain(p), told(p.Program), told(p.Refresh)})
}
