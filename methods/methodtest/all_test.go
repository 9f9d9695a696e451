package methodtest_test

import (
	"testing"

	"bayesbench/backends/ref"
	"bayesbench/methods"
	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
)

// keys are what a method needs on the toy problem, where its defaults are
// meant for a longer training.
var keys = map[string]string{
	"swa":       "lr = 0.05\ncollect = 4",
	"swag":      "lr = 0.05\ncollect = 4\nrank = 3",
	"sparse-vd": "warmup_start = 1\nwarmup_end = 6",
	"ensemble":  "members = 2\n[of]\nname = \"ffg\"",
}

func TestEveryMethod(t *testing.T) {
	for _, d := range methods.Drivers() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			methodtest.Check(t, ref.New(), d.Name, keys[d.Name])
		})
	}
}
