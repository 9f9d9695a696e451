package darkknowledge_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
	"bayesbench/methods/task"
)

// With no temperature the chain is a point, and the student learns that
// point's predictions; labels never reach it.
func TestStudentFollowsTheTeacher(t *testing.T) {
	j := methodtest.Toy()
	j.Epochs, j.EvalBatch = 100, 48
	d := methodtest.Blobs(j, j.Task.Examples)
	f := methodtest.Trained(t, "bayesian-dark-knowledge", "temperature = 0\nnoise = 0.01\nstudent_sigma = inf", methodtest.MLP, j, d, 1)
	student, err := f.LogProbs("mean", d, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	teacher, err := f.LogProbs("teacher", d, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	distance := 0.0 // mean total variation
	for i := range student[0] {
		distance += math.Abs(math.Exp(float64(student[0][i]))-math.Exp(float64(teacher[0][i]))) / 2 / 48
	}
	if distance > 0.03 {
		t.Errorf("student and teacher are %v apart", distance)
	}
}

// Of numbers the point says mean and variance, and the student learns both.
func TestStudentFollowsTheTeacherOfNumbers(t *testing.T) {
	j := methodtest.ToyRegression(task.Heteroscedastic)
	j.Epochs, j.EvalBatch, j.Train.Schedule = 600, 48, "linear"
	d := methodtest.Examples(j)
	f := methodtest.Trained(t, "bayesian-dark-knowledge", "temperature = 0\nnoise = 0.01\nstudent_sigma = inf", methodtest.MLP, j, d, 1)
	said := map[string][]float32{}
	for _, predictor := range []string{"mean", "teacher"} {
		draws, err := f.Draws(0, predictor, d, 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range draws[0] {
			said[predictor+"/"+name] = v
		}
	}
	divergence := 0.0 // mean of KL(teacher ‖ student) a number
	for i := range said["mean/mean"] {
		off := float64(said["mean/mean"][i] - said["teacher/mean"][i])
		ratio := float64(said["teacher/log_var"][i] - said["mean/log_var"][i])
		divergence += (math.Exp(ratio) - 1 - ratio + off*off*math.Exp(-float64(said["mean/log_var"][i]))) / 2 / 96
	}
	if divergence > 0.02 {
		t.Errorf("student and teacher are %v nats apart", divergence)
	}
}

// The student learns the chain's mean and no single state of it: of linear regression with a given
// noise, where the student's best weights are the mean of the teacher's, the exact posterior's
// mean. A state of the chain is a standard deviation off.
func TestStudentLearnsThePosteriorMean(t *testing.T) {
	l := methodtest.NewLinear(20, 2)
	l.Job.Epochs, l.Job.Train.LR, l.Job.Train.Schedule = 40000, 0.01, "linear"
	mean, cov := l.Posterior(1)
	f := methodtest.Trained(t, "bayesian-dark-knowledge", "lr = 0.05\nnoise = 0.0\nstudent_sigma = inf", l.Model, l.Job, l.Data, 3)
	square := 0.0 // of the teacher's last state, in standard deviations
	for i, x := range append(f.State["fc1.w"], f.State["fc1.b"]...) {
		sd := math.Sqrt(cov.At(i, i))
		if d := (float64(x) - mean.AtVec(i)) / sd; math.Abs(d) > 0.15 {
			t.Errorf("parameter %d is %.3f standard deviations from the posterior's mean", i, d)
		}
		teacher := append(f.State["teacher/fc1.w"], f.State["teacher/fc1.b"]...)[i]
		square += math.Pow((float64(teacher)-mean.AtVec(i))/sd, 2) / 3
	}
	if square < 0.05 {
		t.Errorf("the teacher's last state is at the posterior's mean: the chain does not move")
	}
}

func TestRefusals(t *testing.T) {
	for keys, key := range map[string]string{
		"burn_in = 12.0": "burn_in", "temperature = -1": "temperature", "lr = 0": "lr", "noise = -1": "noise",
		"prior_sigma = 0": "prior_sigma", "student_sigma = 0": "student_sigma",
	} {
		methodtest.Refused(t, "bayesian-dark-knowledge", keys, key)
	}
}

// The teacher is a chain of its own: whatever noise the student's inputs have, its
// weights and its running statistics of batch normalisation are the same.
func TestTeacherIgnoresTheStudentsNoise(t *testing.T) {
	j := methodtest.Toy()
	d := methodtest.Blobs(j, j.Task.Examples)
	quiet := methodtest.Trained(t, "bayesian-dark-knowledge", "noise = 0.0", methodtest.ConvNet, j, d, 3)
	noisy := methodtest.Trained(t, "bayesian-dark-knowledge", "noise = 5.0", methodtest.ConvNet, j, d, 3)
	compared := 0
	for name, want := range quiet.State {
		if !strings.HasPrefix(name, "teacher/") {
			continue
		}
		compared++
		if !slices.Equal(noisy.State[name], want) {
			t.Errorf("slot %s depends on the noise of the student's inputs", name)
		}
	}
	if _, ok := quiet.State["teacher/bn1.mean"]; !ok || compared < 8 {
		t.Errorf("%d slots of the teacher compared", compared)
	}
}
