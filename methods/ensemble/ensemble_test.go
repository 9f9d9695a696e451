package ensemble_test

import (
	"testing"

	"bayesbench/methods"
	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
)

// An ensemble of one is the plain job: its only member runs the method of the
// table under the ensemble's own seed.
func TestOneMemberIsThePlainJob(t *testing.T) {
	m, err := methodtest.New("ensemble", "members = 1\n[of]\nname = \"deterministic\"")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := m.Plan(methodtest.MLP, methodtest.Toy())
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Members) != 1 || plan.Members[0].Key != "of" {
		t.Fatalf("members: %v", plan.Members)
	}
	for _, seed := range []uint32{0, 1, 1 << 31} {
		if got := plan.Members[0].Seed(seed); got != seed {
			t.Errorf("the member's seed under %d is %d", seed, got)
		}
	}
}

// Members of one ensemble, and of the ensembles of neighbouring seeds, differ.
func TestSeedsDiffer(t *testing.T) {
	seen := map[uint32]bool{}
	for seed := range uint32(20) {
		for k := range uint32(50) {
			s := methods.Part{Stream: k}.Seed(seed)
			if seen[s] {
				t.Fatalf("member %d of seed %d has the seed %d of another", k, seed, s)
			}
			seen[s] = true
		}
	}
}

func TestRefusals(t *testing.T) {
	for keys, key := range map[string]string{
		"members = 0\n[of]\nname = \"deterministic\"": "members",
		"members = 2":                                     "of",
		"[of]\nname = \"dropout\"\np = 1.0":               "p =",
		"[of]\nname = \"sparse-vd\"\nwarmup_end = 100":    "of: warmup_end",
		"[of]\nname = \"determinist\"":                    "deterministic",
		"[of]\nname = \"ffg\"\nprior_sigma = 1\nk = true": "k",
	} {
		methodtest.Refused(t, "ensemble", keys, key)
	}
}
