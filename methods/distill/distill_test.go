package distill_test

import (
	"math"
	"slices"
	"testing"

	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
	"bayesbench/methods/task"
)

// From a one-hot teacher, which the caller puts in place of the labels, it is
// plain training bit for bit.
func TestOneHotTeacherIsPlainTraining(t *testing.T) {
	j := methodtest.Toy()
	d := methodtest.Blobs(j, j.Task.Examples) // y is one-hot
	fit := func(name, keys string) *methodtest.Fitted {
		return methodtest.Trained(t, name, keys, methodtest.MLP, j, d, 3)
	}
	plain, student := fit("deterministic", ""), fit("distill", "[teacher]\nname = \"sgld\"")
	if student.Plan.Teacher == nil || student.Plan.Teacher.Key != "teacher" || student.Plan.Teacher.Seed(7) != 7 {
		t.Errorf("teacher: %v", student.Plan.Teacher)
	}
	for name, v := range plain.State {
		if !slices.Equal(v, student.State[name]) {
			t.Errorf("slot %s differs", name)
		}
	}
}

// Of numbers a teacher says mean and variance. A student whose noise is an output learns both,
// where both are functions that it has: here of one linear layer.
func TestStudentLearnsMomentsOfNumbers(t *testing.T) {
	l := methodtest.NewLinear(20, 2)
	l.Job.Epochs, l.Job.Train.LR, l.Job.Train.Schedule = 4000, 0.05, "linear"
	l.Job.Task.Likelihood = task.Gaussian{Noise: task.Heteroscedastic, Width: 1}
	said := methodtest.Data{X: l.Data.X}
	var means, logVars []float64
	for x := range slices.Chunk(l.Data.X, 2) {
		mean, logVar := 0.5+0.8*x[0]-1.1*x[1], -0.7+0.4*x[0]+0.2*x[1]
		means, logVars = append(means, float64(mean)), append(logVars, float64(logVar))
		said.Y = append(said.Y, mean, float32(math.Exp(float64(logVar))))
	}
	f := methodtest.Trained(t, "distill", "prior_sigma = inf\n[teacher]\nname = \"sgld\"", l.Model, l.Job, said, 3)
	draws, err := f.Draws(0, "mean", said, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range means {
		m, s := float64(draws[0]["mean"][i]), float64(draws[0]["log_var"][i])
		if math.Abs(m-means[i]) > 2e-3 || math.Abs(s-logVars[i]) > 2e-3 {
			t.Errorf("example %d: mean %v and log variance %v, the teacher says %v and %v", i, m, s, means[i], logVars[i])
		}
	}
}

// A noise that is no output is learnt from what the teacher's variance leaves: with a prior that is
// nothing beside so many examples it is their mean, where the student's means are the teacher's.
func TestStudentsNoise(t *testing.T) {
	l := methodtest.NewLinear(400, 2).Learnt()
	l.Job.Epochs, l.Job.Train.LR, l.Job.Train.Schedule = 2000, 0.05, "linear"
	said := methodtest.Data{X: l.Data.X}
	total := 0.0
	for i, x := 0, l.Data.X; i < 400; i++ {
		variance := 0.5 + 0.4*math.Sin(float64(i))
		total += variance
		said.Y = append(said.Y, 0.5+0.8*x[2*i]-1.1*x[2*i+1], float32(variance))
	}
	f := methodtest.Trained(t, "distill", "prior_sigma = inf\n[teacher]\nname = \"sgld\"", l.Model, l.Job, said, 3)
	for i, want := range []float64{0.8, -1.1, 0.5} {
		if x := float64(append(f.State["fc1.w"], f.State["fc1.b"]...)[i]); math.Abs(x-want) > 2e-3 {
			t.Errorf("parameter %d is %v, the teacher's %v", i, x, want)
		}
	}
	// With the prior Gamma(1, 0.1): (Σv + 0.2)/(N + 2).
	if v, want := math.Exp(float64(f.State["noise.log_var"][0])), (total+0.2)/402; math.Abs(v/want-1) > 2e-3 {
		t.Errorf("the noise's variance is %v, want %v", v, want)
	}
}

// The student may be another network.
func TestStudentsModel(t *testing.T) {
	m, err := methodtest.New("distill", "student = \"softmax-regression\"\n[teacher]\nname = \"ensemble\"\n[teacher.of]\nname = \"ffg\"")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := m.Plan(methodtest.MLP, methodtest.Toy())
	if err != nil {
		t.Fatal(err)
	}
	for _, slot := range plan.State {
		if slot.Name == "fc2.w" {
			t.Error("the student has the suite's second layer")
		}
	}
}

func TestRefusals(t *testing.T) {
	for keys, key := range map[string]string{
		"prior_sigma = 1.0": "teacher",
		"student = \"lenet\"\n[teacher]\nname = \"deterministic\"": "student",
		"prior_sigma = 0\n[teacher]\nname = \"deterministic\"":     "prior_sigma",
		"[teacher]\nname = \"sgld\"\nsamples = 100":                "teacher: samples",
	} {
		methodtest.Refused(t, "distill", keys, key)
	}
}
