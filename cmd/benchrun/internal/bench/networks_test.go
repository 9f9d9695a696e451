package bench_test

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/methods"
	"bayesbench/results"
	"bayesbench/suites"
	"bayesbench/suites/data"
)

// brief are the keys that make a method's training as short as two epochs of
// two steps, with every part of it reached, and a sampler's steps stable.
var brief = map[string]string{
	"swa":                     "collect = 1",
	"swag":                    "start = 0.25\ncollect = 2\nrank = 2",
	"sparse-vd":               "warmup_start = 0\nwarmup_end = 1",
	"magnitude-pruning":       "sparsity = 0.5",
	"snapshot":                "cycles = 2",
	"csgmcmc":                 "cycles = 2\nsamples = 1\nlr = 1e-5",
	"sgld":                    "burn_in = 1\nsamples = 2\nlr = 1e-5",
	"psgld":                   "burn_in = 1\nsamples = 2\nlr = 1e-8",
	"sghmc":                   "burn_in = 1\nsamples = 2\nlr = 1e-5",
	"hmc":                     "step_size = 1e-4\nleapfrog = 1\nburn_in = 1\nsamples = 2",
	"bayesian-dark-knowledge": "burn_in = 1\nlr = 1e-5",
	"svgd":                    "particles = 2",
	"distill":                 "[method.teacher]\nname = \"deterministic\"",
	"ensemble":                "members = 2\n[method.of]\nname = \"deterministic\"",
	"external":                command("honest"),
}

// photographs makes a folder of 32x32 pictures, so many of each of two classes.
func photographs(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range 3 * n {
		split := "train"
		if i >= 2*n {
			split = "val"
		}
		m := image.NewRGBA(image.Rect(0, 0, 32, 32))
		for p := range 32 * 32 {
			m.Set(p%32, p/32, color.RGBA{uint8(p * (i + 3)), uint8(p + 90*(i%2)), uint8(p * p / (i + 1)), 255})
		}
		class := filepath.Join(dir, split, string(rune('a'+i%2)))
		if err := os.MkdirAll(class, 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(class, fmt.Sprint(i, ".png")))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, m); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Every method trains and predicts on every kind of convolutional network, in its smallest width
// and on the smallest images that it bears; under -short every second method on one of them. That
// the large ones can be planned, methodtest checks.
func TestEveryMethodOnEveryNetwork(t *testing.T) {
	dir := photographs(t, 4)
	networks := map[string]int{"vgg-like-0.03125": 32, "resnet-20": 8, "resnet-20-frn": 8, "wide-resnet-28-1": 8}
	if testing.Short() {
		networks = map[string]int{"vgg-like-0.03125": 32} // with batch normalisation, as two of the others
	}
	for model, size := range networks {
		t.Run(model, func(t *testing.T) {
			text := fmt.Sprintf(`name = "networks"
model = %q
backend = "gonum"
[data]
name = "imagenet-folder"
size = %d
[train]
epochs = 2
batch = 4
lr = 1e-4
[eval]
samples = 2
batch = 4
`, model, size)
			for i, d := range methods.Drivers() {
				if testing.Short() && i%2 != 0 {
					continue
				}
				text += fmt.Sprintf("[[method]]\nname = %q\n%s\n", d.Name, brief[d.Name])
			}
			s, err := suites.Parse(bench.Words(), "networks.toml", []byte(text), nil)
			if err != nil {
				t.Fatal(err)
			}
			jobs, err := bench.Plan(t.Context(), s, &bench.Sets{Options: data.Options{Dir: dir}})
			if err != nil {
				t.Fatal(err)
			}
			ids := make([]string, len(jobs))
			for i, j := range jobs {
				ids[i] = j.ID
			}
			run, err := results.Open(t.Context(), t.TempDir(), results.Plan{Suite: s.Name, Text: s.Text, Jobs: ids}, results.Alone, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer run.Close()
			var q quiet
			if _, err := bench.Run(t.Context(), run, jobs, &q); err != nil {
				t.Fatal(err)
			}
			for _, note := range q.notes {
				t.Error(note)
			}
			for i, o := range q.ended {
				t.Log(jobs[i].Title(), o.Elapsed)
				if len(o.Records) == 0 {
					t.Errorf("%s: no records", jobs[i].Title())
				}
				for _, r := range o.Records {
					if nll, ok := r.Value("nll"); ok && !(nll < 1e3) {
						t.Errorf("%s: nll %v at K=%d", jobs[i].Title(), nll, r.Samples)
					}
				}
			}
		})
	}
}
