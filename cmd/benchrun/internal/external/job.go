package external

import "encoding/json"

// Protocol is the version of the protocol, which job.json says.
const Protocol = 1

// Job is what the program is told: job.json.
type Job struct {
	Protocol int    `json:"protocol"`
	Job      string `json:"job"`  // the job's id
	Seed     uint32 `json:"seed"` // of all that the program draws
	// Resumed says that an earlier try of the same job was ended before its time. What it left in
	// the folder state is there.
	Resumed bool `json:"resumed"`

	Data     string   `json:"data"`     // name of the data set
	Model    string   `json:"model"`    // the network that the suite names for all its methods
	Examples Examples `json:"examples"` // one input
	Targets  Targets  `json:"targets"`  // of one input
	// Likelihood is the name of the targets' distribution, as docs/likelihoods has it.
	Likelihood string `json:"likelihood"`

	Train      Arrays   `json:"train"`
	Validation *Arrays  `json:"validation,omitempty"` // where the suite holds examples out of training
	Inputs     []Set    `json:"inputs"`               // of which predictions are wanted
	Forms      []string `json:"forms"`                // in which they may be

	Samples int            `json:"samples"` // K, the most posterior samples
	Epochs  int            `json:"epochs"`  // the budget
	Batch   int            `json:"batch"`
	Threads int            `json:"threads"` // that the program may compute with
	Timeout float64        `json:"timeout"` // seconds that are left to it
	Disk    int64          `json:"disk"`    // bytes that it may have in its folder at a time
	Args    map[string]any `json:"args"`    // method.args of the suite

	// Config is the job's resolved configuration, all keys of the suite, as the manifest has it.
	Config json.RawMessage `json:"config"`
}

// Examples says what an input is.
type Examples struct {
	Kind  string `json:"kind"`
	Shape []int  `json:"shape"` // of one, such as [1, 28, 28]
	// Normalise is the map from the stored numbers to these inputs, data.normalise of the suite.
	Normalise string `json:"normalise"`
}

// Targets says what is to be predicted: one of Classes, or Columns numbers.
type Targets struct {
	Classes int      `json:"classes,omitempty"`
	Names   []string `json:"names,omitempty"` // of the classes, where they have any
	Columns int      `json:"columns,omitempty"`
	// Mean and SD lead a number back to its stored unit, y = mean + sd·z: targets and predictions
	// are z.
	Mean []float64 `json:"mean,omitempty"`
	SD   []float64 `json:"sd,omitempty"`
}

// Arrays are examples with their targets, as files of the folder.
type Arrays struct {
	Inputs  string `json:"inputs"`  // float32 [rows, shape…]
	Targets string `json:"targets"` // int64 [rows], the class; or float32 [rows, columns]
	Rows    int    `json:"rows"`
}

// Set is inputs without targets, and where their predictions go.
type Set struct {
	Name    string `json:"name"`   // test, validation, train, shift-NAME, ood-NAME
	Inputs  string `json:"inputs"` // file of the folder: float32 [rows, shape…]
	Rows    int    `json:"rows"`
	Samples int    `json:"samples"` // the most posterior samples of it
	Out     string `json:"out"`     // folder for its predictions, out/NAME
}
