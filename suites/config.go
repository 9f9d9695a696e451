package suites

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// Config is one point of a suite's cross product, everything resolved: what a
// job is told, and what its manifest stores.
type Config struct {
	Model   Model  `toml:"model" json:"model"`
	Seed    uint32 `toml:"seed" json:"seed"`
	Backend string `toml:"backend" json:"backend"`
	Data    Data   `toml:"data" json:"data"`
	Train   Train  `toml:"train" json:"train"`
	Eval    Eval   `toml:"eval" json:"eval"`
	// Likelihood is the distribution of the targets; where it says nothing it follows
	// from the data set.
	Likelihood Likelihood `toml:"likelihood" json:"likelihood,omitzero"`
	// Content is the start of the hash of each data set of the user's own that the job
	// reads, by name. It takes the place of where the files lie: moved files are the
	// same job, edited ones another. It is known when the files have been read.
	Content map[string]string `toml:"-" json:"content,omitempty"`
	// Method is the table of one [[method]]: its name, its own keys, and as
	// far as they differ for this method the tables train and likelihood.
	Method Table `toml:"-" json:"method"`
	// Files is the hash of files beside the suite that the method reads, "sha256:…", empty where it
	// reads none. Whoever plans the jobs fills it in.
	Files string `toml:"-" json:"files,omitempty"`
}

// Data says which examples.
type Data struct {
	Name         string `toml:"name" json:"name"`
	Normalise    string `toml:"normalise" json:"normalise"`                   // what becomes of the stored numbers
	Train        int    `toml:"train" json:"train,omitempty"`                 // training examples kept; 0 is all
	Test         int    `toml:"test" json:"test,omitempty"`                   // test examples kept; 0 is all
	Validation   int    `toml:"validation" json:"validation,omitempty"`       // training examples held out
	RandomLabels string `toml:"random_labels" json:"random_labels,omitempty"` // "train" or "all": labels drawn at random
	Size         int    `toml:"size" json:"size,omitempty"`                   // side in pixels, for folders of images
	Split        int    `toml:"split" json:"split,omitempty"`                 // which published division into train and test, from 0; in a suite also "all"
	// ValidationLast is the share of the training examples, the last ones as they are stored, that
	// is held out instead of Validation drawn ones.
	ValidationLast float64 `toml:"validation_last" json:"validation_last,omitempty"`
}

// Train is the training budget and how a loss is minimised.
type Train struct {
	Epochs    int     `toml:"epochs" json:"epochs"`
	Batch     int     `toml:"batch" json:"batch"`
	Optimizer string  `toml:"optimizer" json:"optimizer"`
	LR        float64 `toml:"lr" json:"lr"`
	Momentum  float64 `toml:"momentum" json:"momentum"`
	Nesterov  bool    `toml:"nesterov" json:"nesterov,omitempty"`
	// WeightDecay and ClipNorm are beside the method's prior: of the optimiser alone.
	WeightDecay float64   `toml:"weight_decay" json:"weight_decay,omitempty"`
	ClipNorm    float64   `toml:"clip_norm" json:"clip_norm,omitempty"`
	Schedule    string    `toml:"schedule" json:"schedule"`               // of the learning rate
	Milestones  []float64 `toml:"milestones" json:"milestones,omitempty"` // epochs, of the schedule "step"
	Gamma       float64   `toml:"gamma" json:"gamma,omitempty"`           // of the schedule "step"
	Warmup      float64   `toml:"warmup" json:"warmup,omitempty"`         // epochs
	// EarlyStopping is the metric on the validation split by which training stops after Patience
	// epochs without one that is better than the best by more than MinDelta; "" is none.
	EarlyStopping string  `toml:"early_stopping" json:"early_stopping,omitempty"`
	Patience      int     `toml:"patience" json:"patience,omitempty"`
	MinDelta      float64 `toml:"min_delta" json:"min_delta,omitempty"`
	// Augment transforms every training image, in this order: flip, pad-crop-N,
	// random-resized-crop, resize-crop-N, augmix-N.
	Augment []string `toml:"augment" json:"augment,omitempty"`
	Mixup   float64  `toml:"mixup" json:"mixup,omitempty"` // α of Beta(α, α); 0 is none
}

// Eval says how the predictive is measured.
type Eval struct {
	// Samples is the largest number K of posterior samples; the predictive is scored
	// at K = 1, 2, 4, … and this. An ensemble of M members is scored at K of equal
	// weights alone: 1, 2, 4, … below M, then M, 2M, 4M, … and the largest multiple
	// of M up to Samples, but M at least.
	Samples int `toml:"samples" json:"samples"`
	Batch   int `toml:"batch" json:"batch"` // rows a prediction step
	// Target is a test accuracy; the time until training reaches it is recorded.
	// It takes eval.every.
	Target float64 `toml:"target" json:"target,omitempty"`
	// Attack names attacks on the first predictor within Epsilon (L∞, as a share of
	// the range from black to white).
	Attack  []string `toml:"attack" json:"attack,omitempty"`
	Epsilon float64  `toml:"epsilon" json:"epsilon,omitempty"`
	// Shift names corruptions of the test set with their severity, such as
	// gaussian-noise-3 or rotate-60, on which the first predictor is scored too.
	Shift []string `toml:"shift" json:"shift,omitempty"`
	// Reference is the label of a method in the suite, such as hmc, whose
	// predictive under the same seed the others are compared with: agreement and
	// total variation.
	Reference string   `toml:"reference" json:"reference,omitempty"`
	OOD       []string `toml:"ood" json:"ood,omitempty"`     // out-of-distribution sets, scored against the test set
	Train     bool     `toml:"train" json:"train,omitempty"` // also the error and NLL on the training set, augmentation left out
	// GradientDraws is how many stochastic gradients, each of its own batch and
	// noise, the variance of a method's estimators is measured from after the
	// training. 0 measures none.
	GradientDraws int  `toml:"gradient_draws" json:"gradient_draws,omitempty"`
	Every         int  `toml:"every" json:"every,omitempty"` // epochs between measurements for the curve; 0 is each epoch's loss only
	Save          bool `toml:"save_predictions" json:"save"` // store the predictive as predictions.npy
}

// Likelihood names the distribution of the targets given a network's outputs. Package
// methods/task says what there is, and refuses what does not fit the data set.
type Likelihood struct {
	Name     string  `toml:"name" json:"name,omitempty"`
	Noise    string  `toml:"noise" json:"noise,omitempty"`
	Variance string  `toml:"variance" json:"variance,omitempty"`
	Tau      float64 `toml:"tau" json:"tau,omitempty"` // a fixed noise's precision, in the targets' original unit
}

// ID is the job's stable name: a hash of everything that its result depends
// on. It does not change with the suite's name, with the order of keys or with
// what else the suite runs.
func (c *Config) ID() string {
	text, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("suites: a config that JSON cannot hold: %v", err)) // NaN is refused on reading
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

// With is the same job with another method table and seed: what an ensemble's
// member or a student's teacher is to it. The table's own tables train and
// likelihood change these as they do for a method of its own.
func (c Config) With(method Table, seed uint32) (Config, error) {
	c.Seed = seed
	c, err := c.with(method)
	if err != nil {
		return c, err
	}
	return c, c.Train.check(method, method.words())
}

// Errorf makes an error about one key of the job, such as "model", "train.lr" or
// "method.prior_sigma", that names the file and the line where it has its value
// from. A key of train or likelihood may be the method's own.
func (c *Config) Errorf(key, format string, args ...any) error {
	if own, ok := strings.CutPrefix(key, "method."); ok {
		return c.Method.Errorf(own, format, args...)
	}
	for _, table := range []string{"train", "likelihood"} {
		if own, ok := strings.CutPrefix(key, table+"."); ok {
			if _, ok := tableOf(c.Method.values, table)[own]; ok {
				return c.Method.Errorf(key, format, args...)
			}
		}
	}
	return Table{file: c.Method.file}.Errorf(key, format, args...)
}

// Label is how tables name the method: "ffg", "ensemble(ffg)" and
// "distill(sgld)" where it is made of another, or what the suite says in label.
func (t Table) Label() string {
	if s, ok := t.values["label"].(string); ok {
		return s
	}
	for _, part := range t.words().Parts {
		if p, ok := t.Sub(part); ok {
			return t.Name() + "(" + p.Label() + ")"
		}
	}
	return t.Name()
}
