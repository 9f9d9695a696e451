package nearest

import (
	"slices"
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	names := []string{"resnet-50", "lenet-5-caffe", "lenet-300-100"}
	for s, want := range map[string]string{
		"lenet-5": "lenet-5-caffe", "resnet50": "resnet-50", "ResNet_50": "resnet-50", "lenet-300": "lenet-300-100", "": "resnet-50",
	} {
		if got := Name(s, names); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
	if got := Name("x", nil); got != "" {
		t.Errorf("no names: %q", got)
	}
}

// The words are those of other tools; edit distance leads elsewhere.
func TestWordsOfOtherTools(t *testing.T) {
	train := []string{"augment", "batch", "epochs", "lr", "mixup", "momentum", "optimizer", "schedule"}
	method := []string{"init", "init_sigma", "prior", "prior_sigma", "samples", "burn_in"}
	backends := []string{"gomlx:go", "gomlx:xla:cpu", "gomlx:xla:cuda", "gonum", "gorgonia", "ref"}
	methods := []string{"deterministic", "dropout", "ensemble", "ffg", "hmc", "sgld", "svgd", "swag"}
	for _, c := range []struct {
		names   []string
		s, want string
	}{
		{train, "learning_rate", "lr"}, {train, "learning-rate", "lr"}, {train, "LR", "lr"}, {train, "batch_size", "batch"},
		{train, "n_epochs", "epochs"}, {train, "num_epochs", "epochs"}, {train, "max_epochs", "epochs"}, {train, "lr_scheduler", "schedule"},
		{method, "weight_decay", "prior_sigma"}, {method, "num_samples", "samples"}, {method, "n_samples", "samples"}, {method, "num_warmup", "burn_in"},
		{backends, "cuda", "gomlx:xla:cuda"}, {backends, "cuda:0", "gomlx:xla:cuda"}, {backends, "gpu", "gomlx:xla:cuda"}, {backends, "cpu", "gonum"}, {[]string{"backend", "data", "eval", "model"}, "cuda", "backend"}, {[]string{"backend", "data"}, "gpu", "backend"},
		{train, "max_steps", "epochs"}, {[]string{"name", "test", "validation"}, "validation_split", "validation"},
		{methods, "bbb", "ffg"}, {methods, "bayes-by-backprop", "ffg"}, {methods, "mfvi", "ffg"}, {methods, "MC-Dropout", "dropout"},
		{methods, "deep-ensemble", "ensemble"}, {methods, "map", "deterministic"}, {methods, "sgd", "deterministic"}, {methods, "nuts", "hmc"},
	} {
		if got := Name(c.s, c.names); got != c.want {
			t.Errorf("%q: %q, want %q", c.s, got, c.want)
		}
	}
	if got := Name("adam", []string{"adam", "sgd"}); got != "adam" {
		t.Errorf("a name that is known leads to %q", got)
	}
}

// Words are looked up as fold writes them, and none stands there that fold finds.
func TestWordsAreFolded(t *testing.T) {
	for word, names := range elsewhere {
		if fold(word) != word || len(names) == 0 {
			t.Errorf("%q is not as fold writes it, or leads nowhere", word)
		}
		if slices.ContainsFunc(names, func(n string) bool { return fold(n) == word }) {
			t.Errorf("%q is found without the table", word)
		}
	}
}

func TestClose(t *testing.T) {
	names := []string{"data", "doctor", "job", "list", "score", "slurm", "status"}
	for s, want := range map[string]string{"lsit": "list", "LIST": "list", "stats": "status", "jobs": "job", "stat": "status", "mysuite": "", "experiment": "", "": ""} {
		if got := Close(s, names); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

// A word that is like none of the names leads to none of them.
func TestHint(t *testing.T) {
	train := []string{"momentum", "augment", "batch", "epochs", "lr", "mixup", "optimizer", "schedule"}
	all := "; want one of augment, batch, epochs, lr, mixup, momentum, optimizer, schedule"
	for s, want := range map[string]string{
		"learning_rate": `; did you mean "lr"?`, "momentun": `; did you mean "momentum"?`, "sched": `; did you mean "schedule"?`,
		"clip": all, "num_workers": all, "early_stopping": all, "dropout": all,
	} {
		if got := Hint(s, train); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
	if got := Hint("x", nil); got != "" {
		t.Errorf("no names: %q", got)
	}
	if got := Hint("some-word", strings.Split(strings.Repeat("abc,", 40)+"d", ",")); strings.Count(got, "abc") != maxListed || !strings.HasSuffix(got, ", …") {
		t.Errorf("many names: %q", got)
	}
}
