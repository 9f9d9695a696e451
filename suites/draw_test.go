package suites

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

const sweeping = `name = "sweep"
model = "m"
seed = [0, 1]
[data]
name = "mnist"
[train]
lr = {from = 1e-4, to = 1e-1, log = true, draws = 20}
[[method]]
name = "ffg"
prior_sigma = {from = 0.1, to = 2, draws = 20}
[[method]]
name = "ffg"
label = "plain"
`

func parseSweep(t *testing.T, text string, set ...string) []Config {
	t.Helper()
	s, err := Parse(words, "sweep.toml", []byte(text), set)
	if err != nil {
		t.Fatal(err)
	}
	return s.Jobs
}

// sigma is the prior_sigma of a job's method.
func sigma(t *testing.T, c Config) float64 {
	t.Helper()
	own := struct {
		Sigma float64 `toml:"prior_sigma"`
	}{}
	if err := c.Method.Own("of").Decode(&own); err != nil {
		t.Fatal(err)
	}
	return own.Sigma
}

// Keys that are drawn are drawn together, lists multiply, seeds vary fastest. The shared key has
// the same draws for both methods, and a longer sweep begins with a shorter one.
func TestDrawsAreJoint(t *testing.T) {
	jobs := parseSweep(t, sweeping)
	if len(jobs) != 2*20*2 {
		t.Fatalf("%d jobs, want 20 draws at 2 seeds for each of 2 methods", len(jobs))
	}
	for i := range 20 {
		a, b, plain := jobs[2*i], jobs[2*i+1], jobs[40+2*i]
		if a.Seed != 0 || b.Seed != 1 || a.Train.LR != b.Train.LR || sigma(t, a) != sigma(t, b) {
			t.Errorf("draw %d: seeds %d and %d, rates %v and %v", i, a.Seed, b.Seed, a.Train.LR, b.Train.LR)
		}
		if plain.Train.LR != a.Train.LR {
			t.Errorf("draw %d: rate %v of one method, %v of the other", i, a.Train.LR, plain.Train.LR)
		}
	}
	shorter := parseSweep(t, strings.ReplaceAll(sweeping, "draws = 20", "draws = 5"))
	if len(shorter) != 2*5*2 || shorter[8].Train.LR != jobs[8].Train.LR || sigma(t, shorter[9]) != sigma(t, jobs[9]) {
		t.Errorf("%d jobs; draw 4 is %v, in a longer sweep %v", len(shorter), shorter[8].Train.LR, jobs[8].Train.LR)
	}
	listed := parseSweep(t, strings.Replace(sweeping, "draws = 20}\n[[method]]\nname = \"ffg\"\nprior", "draws = 20}\n[eval]\nbatch = [100, 200]\n[[method]]\nname = \"ffg\"\nprior", 1))
	if len(listed) != 2*20*2*2 {
		t.Errorf("%d jobs, want twice as many with a list of two values", len(listed))
	}
}

// A drawn value is in the job as a listed one: the jobs have the same ids.
func TestDrawsAreValues(t *testing.T) {
	jobs := parseSweep(t, strings.Replace(sweeping, "prior_sigma = {from = 0.1, to = 2, draws = 20}\n", "", 1), "seed=3")
	var list []string
	for _, c := range jobs[:20] {
		list = append(list, fmt.Sprint(c.Train.LR))
	}
	text := strings.Replace(sweeping, "{from = 1e-4, to = 1e-1, log = true, draws = 20}", "["+strings.Join(list, ", ")+"]", 1)
	for i, c := range parseSweep(t, strings.Replace(text, "prior_sigma = {from = 0.1, to = 2, draws = 20}\n", "", 1), "seed=3")[:20] {
		if c.ID() != jobs[i].ID() {
			t.Errorf("rate %s: job %s, drawn %s", list[i], c.ID(), jobs[i].ID())
		}
		if len(list[i]) > len("0.0001234") && len(list[i]) > len("1.234e-05") {
			t.Errorf("a rate is spelt %s", list[i])
		}
	}
}

// The draws of a key are these, on every machine. They are from another program, in Python, of
// Threefry2x32-20 (Salmon et al. 2011) under the 64-bit FNV-1a hash of the path.
func TestDrawsAreTheSameEverywhere(t *testing.T) {
	for _, c := range []struct {
		d    draw
		path string
		want string
	}{
		{draw{From: 1e-4, To: 1e-1, Log: true, Draws: 6}, "train.lr", "[0.008644 0.0005957 0.05021 0.0003284 0.0001997 0.0002641]"},
		{draw{From: 0.1, To: 2, Draws: 6}, "prior_sigma", "[1.123 1.357 0.9412 0.6757 1.934 1.89]"},
		{draw{From: 0.99, To: 0.999, Draws: 6}, "train.momentum", "[0.991757 0.9985 0.991137 0.992309 0.997434 0.996094]"},
		{draw{From: 1, To: 1000, Log: true, Integer: true, Draws: 6}, "train.epochs", "[779 56 1 37 2 554]"},
	} {
		if got := fmt.Sprint(c.d.values(c.path)); got != c.want {
			t.Errorf("%s: %s, want %s", c.path, got, c.want)
		}
	}
}

// Draws are spread as they say: the largest distance between the share of draws below a value and
// its probability is no larger than chance has it (Kolmogorov's limit at 1 in 1000), and draws of
// two keys are not correlated.
func TestDrawsAreSpread(t *testing.T) {
	const n = 4000
	limit := 1.95 / math.Sqrt(n)
	share := map[string][]float64{}
	for path, c := range map[string]struct {
		d  draw
		of func(x float64) float64
	}{
		"train.lr":    {draw{From: 1e-4, To: 1e-1, Log: true, Draws: n}, func(x float64) float64 { return math.Log(x/1e-4) / math.Log(1e3) }},
		"prior_sigma": {draw{From: 0.1, To: 2, Draws: n}, func(x float64) float64 { return (x - 0.1) / 1.9 }},
		"tau":         {draw{From: -3, To: 5, Draws: n}, func(x float64) float64 { return (x + 3) / 8 }},
	} {
		for _, v := range c.d.values(path) {
			share[path] = append(share[path], c.of(v.(float64)))
		}
		sorted := slices.Sorted(slices.Values(share[path]))
		for i, u := range sorted {
			if off := math.Abs(u - (float64(i)+0.5)/n); off > limit {
				t.Errorf("%s: draw %d of %d in order is at %v of the range", path, i, n, u)
				break
			}
		}
	}
	sum := 0.0
	for i, u := range share["train.lr"] {
		sum += (u - 0.5) * (share["prior_sigma"][i] - 0.5) * 12 / n
	}
	if math.Abs(sum) > 3.3/math.Sqrt(n) {
		t.Errorf("two keys have the correlation %v", sum)
	}
}

// Each whole number is drawn about as often as another, from and to among them, and what is drawn
// twice is one job.
func TestDrawsOfWholeNumbers(t *testing.T) {
	counts := map[int64]float64{}
	for _, v := range (draw{From: 1, To: 5, Integer: true, Draws: 5000}).values("members") {
		counts[v.(int64)]++
	}
	chi := 0.0
	for n := range int64(5) {
		chi += math.Pow(counts[n+1]-1000, 2) / 1000
	}
	if len(counts) != 5 || chi > 18.5 { // 4 degrees of freedom, 1 in 1000
		t.Errorf("%v", counts)
	}
	jobs := parseSweep(t, strings.Replace(sweeping, "[train]\nlr = {from = 1e-4, to = 1e-1, log = true, draws = 20}", "[train]\nepochs = {from = 1, to = 3, draws = 20}", 1), "seed=0")
	var plain []int
	for _, c := range jobs {
		if c.Method.Label() == "plain" {
			plain = append(plain, c.Train.Epochs)
		}
	}
	if slices.Sort(plain); !slices.Equal(plain, []int{1, 2, 3}) || len(jobs) != 20+3 {
		t.Errorf("%d jobs, epochs %v", len(jobs), plain)
	}
}

func TestDrawsRefused(t *testing.T) {
	const lr = "lr = {from = 1e-4, to = 1e-1, log = true, draws = 20}"
	for _, c := range []struct{ old, new, want string }{
		{lr, "lr = {from = 1e-4, to = 1e-1, log = true}", "sweep.toml:7: train.lr: want draws from 1 to 100000, found 0"},
		{lr, "lr = {from = 1e-4, to = 1e-1, draws = 100001}", "sweep.toml:7: train.lr: want draws from 1 to 100000, found 100001"},
		{lr, "lr = {from = 1e-4, to = 1e-1, draws = 9223372036854775807}", "sweep.toml:7: train.lr: want draws from 1 to 100000"},
		{lr, "lr = {from = 1e-4, to = 1e-1, draws = 2.5}", "sweep.toml:7: train.lr.draws: want a whole number, found a number"},
		{lr, "lr = {from = 1e-1, to = 1e-4, draws = 20}", "sweep.toml:7: train.lr: want from below to, found from = 0.1, to = 0.0001"},
		{lr, "lr = {from = 0, to = 1e-4, log = true, draws = 20}", "sweep.toml:7: train.lr: want from above 0 with log = true, found 0"},
		{lr, "lr = {from = nan, to = 1, draws = 20}", "sweep.toml:7: train.lr: want a finite number, found NaN"},
		{lr, "lr = {from = 1, to = inf, draws = 20}", "sweep.toml:7: train.lr: want finite bounds, found +Inf"},
		{lr, "lr = {from = 1, to = 1e300, draws = 20}", "sweep.toml:7: train.lr: want a number that float32 holds"},
		{lr, "lr = {from = 1, to = 2, scale = \"log\", draws = 20}", `sweep.toml:7: unknown key "train.lr.scale"`},
		{lr, "lr = {from = 1e-4, to = 1e-1, log = true, draws = 10}", "sweep.toml:10: method.prior_sigma: want the 10 draws of train.lr, found 20: keys of one method are drawn together"},
		{lr, "optimizer = {from = 1, to = 2, draws = 20}", "sweep.toml:7: train.optimizer: want a value or a list of values: only numbers can be drawn"},
		{lr, "epochs = {from = 1, to = 2.5, draws = 20}", "sweep.toml:7: train.epochs: want whole numbers for from and to, found 1 and 2.5"},
		{lr, "momentum = {from = 0.5, to = 1.5, draws = 20}", "sweep.toml:7: train.momentum: want at least 0 and less than 1"},
		{"seed = [0, 1]", "seed = {from = 0, to = 9, draws = 3}", "sweep.toml:3: seed: want a list: it pairs results"},
		{"name = \"mnist\"", "name = \"mnist\"\nsplit = {from = 0, to = 9, draws = 3}", "sweep.toml:6: data.split: want a list: it pairs results"},
		{"label = \"plain\"", "label = \"plain\"\n[method.choose]\nmetric = \"nll\"\n[method.choose.among]\np = {from = 0.1, to = 0.5, draws = 5}",
			"method.choose.among.p: want a list of values to choose among, found values to draw"},
	} {
		text := strings.Replace(sweeping, c.old, c.new, 1)
		if s, err := Parse(words, "sweep.toml", []byte(text), nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v\nwant %s", c.new, s != nil, err, c.want)
		}
	}
}
