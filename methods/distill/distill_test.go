package distill_test

import (
	"slices"
	"testing"

	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
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
