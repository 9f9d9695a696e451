package darkknowledge_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
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
