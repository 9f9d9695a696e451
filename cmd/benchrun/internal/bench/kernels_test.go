package bench_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bayesbench/backends"
	"bayesbench/results"
)

// Of this test's own processes: the run directory that one is to bring to its end.
const kernelsDir = "BENCH_KERNELS_DIR"

const mixed = `name = "mixed"
model = "lenet-300-100"
seed = 0
[data]
name = "blobs"
train = 300
test = 60
[train]
epochs = 3
batch = 20
[eval]
samples = 2
batch = 30
[[method]]
name = "ensemble"
members = 2
[method.of]
name = "ffg"
`

// fewer turns off the instruction set whose kernels run here, so that a process has those of an
// older processor; "" where there is none.
func fewer(t *testing.T) string {
	t.Helper()
	switch k := kernelsHere(t); k {
	case "avx512":
		return "cpu.avx512f=off"
	case "avx2":
		return "cpu.avx2=off"
	default:
		return ""
	}
}

func kernelsHere(t *testing.T) string {
	t.Helper()
	be, err := backends.Open("gonum")
	if err != nil {
		t.Fatal(err)
	}
	defer be.Close()
	return be.Info().Kernels
}

// elsewhere brings a run directory to its end in a process with fewer instructions, and returns
// its kernels and what it said.
func elsewhere(t *testing.T, dir string) (kernels, said string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKernelsChild$", "-test.v")
	cmd.Env = append(os.Environ(), kernelsDir+"="+dir, "GODEBUG="+fewer(t))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.SplitSeq(string(out), "\n") {
		if k, ok := strings.CutPrefix(line, "kernels: "); ok {
			kernels = k
		}
	}
	return kernels, string(out)
}

// TestKernelsChild is what elsewhere runs.
func TestKernelsChild(t *testing.T) {
	dir := os.Getenv(kernelsDir)
	if dir == "" {
		return // it is a process of TestKernels alone
	}
	fmt.Printf("kernels: %s\n%s\n", kernelsHere(t), attempt(t, dir, mixed))
}

// A training that began on one kind of processor starts over on another, so that its bits are
// those of the second; what is made of members from both says so.
func TestKernels(t *testing.T) {
	here := kernelsHere(t)
	fresh := t.TempDir()
	there, said := elsewhere(t, fresh)
	if (there != here) != (fewer(t) != "") {
		t.Fatalf("kernels %s here and %s there: %s", here, there, said)
	}
	wrote := func(dir string) []string {
		t.Helper()
		jobs, err := results.ReadJobs(dir)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, j := range jobs {
			for _, r := range j.Records {
				all = append(all, r.ConfigValue("kernels"))
			}
			all = append(all, j.Manifest.Kernels)
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	if got := wrote(fresh); !slices.Equal(got, []string{there}) {
		t.Errorf("kernels %q are recorded, want %s", got, there)
	}

	begun := t.TempDir()
	s, jobs := plan(t, mixed)
	attemptJobs(t, begun, s, jobs, &quiet{stop: func(calls int) bool { return calls == 3 }})
	if _, err := os.Stat(filepath.Join(begun, "jobs", jobs[0].ID, "checkpoint.safetensors")); err != nil {
		t.Fatal(err)
	}
	_, said = elsewhere(t, begun)
	if over := strings.Contains(said, "starting over: ") && strings.Contains(said, "want "+there+", found "+here); over != (there != here) {
		t.Errorf("from %s to %s it says: %s", here, there, said)
	}
	if !bytes.Equal(resultsText(t, begun), resultsText(t, fresh)) {
		t.Error("begun here and ended there, the results are not those from there")
	}

	members := t.TempDir()
	attemptJobs(t, members, s, jobs, &quiet{stop: func(calls int) bool {
		_, err := os.Stat(filepath.Join(members, "jobs", jobs[0].ID, "manifest.json"))
		return err == nil
	}})
	elsewhere(t, members)
	both := here
	if there != here {
		both += "+" + there
	}
	run := results.Run{Dir: members}
	for i, want := range []string{here, there, both} {
		if m, err := run.Manifest(jobs[i].ID); err != nil || m.Kernels != want {
			t.Errorf("%s: kernels %q, want %q: %v", jobs[i].Title(), m.Kernels, want, err)
		}
	}
}
