package nearest

import "testing"

func TestName(t *testing.T) {
	names := []string{"resnet-50", "lenet-5-caffe", "lenet-300-100"}
	for s, want := range map[string]string{
		"lenet-5": "lenet-5-caffe", "resnet50": "resnet-50", "lenet-300": "lenet-300-100", "": "resnet-50",
	} {
		if got := Name(s, names); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
	if got := Name("x", nil); got != "" {
		t.Errorf("no names: %q", got)
	}
}
