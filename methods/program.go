package methods

// Program is a program beside this one, in any language, that trains and predicts by the protocol
// of docs/external-methods.md. It is data, as all of a plan is: what the program is told that the
// suite and the method decide.
type Program struct {
	Command []string       `json:"command"` // the program and its arguments, run in the folder of the suite
	Args    map[string]any `json:"args"`    // handed on; keys and values are the program's own
	Timeout float64        `json:"timeout"` // seconds that it may take
	Disk    int64          `json:"disk"`    // bytes that it may have written
	Epochs  int            `json:"epochs"`
	Batch   int            `json:"batch"`
	Train   Train          `json:"train"`
}
