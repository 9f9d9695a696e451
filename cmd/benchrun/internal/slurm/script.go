package slurm

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Requeue is the exit code with which benchrun job says that it was told to
// end, has saved what it had, and would go on from there: EX_TEMPFAIL of
// sysexits.h.
const Requeue = 75

// Options are what a person asks of the cluster. An empty one is left to it.
type Options struct {
	Partition string   `json:"partition,omitempty"`
	Gres      string   `json:"gres,omitempty"` // as in gpu:1
	Time      string   `json:"time,omitempty"` // limit for one task, in Slurm's notation
	Mem       string   `json:"mem,omitempty"`
	CPUs      int      `json:"cpus,omitempty"`     // of one task
	Parallel  int      `json:"parallel,omitempty"` // tasks of one array at work at a time
	Sbatch    []string `json:"sbatch,omitempty"`   // further options, as in --account=x
}

// Check refuses what would not be one word of a script.
func (o *Options) Check() error {
	for _, c := range []struct{ flag, value string }{
		{"partition", o.Partition}, {"gres", o.Gres}, {"time", o.Time}, {"mem", o.Mem},
	} {
		if strings.ContainsFunc(c.value, unicode.IsSpace) || CheckWord("", c.value) != nil {
			return fmt.Errorf("-%s %q: want one word", c.flag, c.value)
		}
	}
	if o.Time != "" {
		if _, err := parseLimit(o.Time); err != nil {
			return fmt.Errorf("-time %s: %w", o.Time, err)
		}
	}
	for _, c := range []struct {
		flag  string
		value int
	}{{"cpus", o.CPUs}, {"max-parallel", o.Parallel}} {
		if c.value < 0 {
			return fmt.Errorf("-%s %d: want a positive number", c.flag, c.value)
		}
	}
	for _, s := range o.Sbatch {
		if !strings.HasPrefix(s, "-") || CheckWord("", s) != nil {
			return fmt.Errorf("-sbatch %q: want an option of sbatch, as in -sbatch --account=x", s)
		}
	}
	return nil
}

// CheckWord refuses a path or an argument that a script cannot hold: behind a
// newline in the header, the rest would be a line of the shell. What is not
// UTF-8 would read back from the record as another text.
func CheckWord(what, word string) error {
	if !utf8.ValidString(word) || strings.ContainsFunc(word, unicode.IsControl) {
		return fmt.Errorf("%s %q: want text without control characters, which a job script cannot hold", what, word)
	}
	return nil
}

var limitForm = regexp.MustCompile(`^(?:(\d+)-(\d+)(?::(\d+))?(?::(\d+))?|(\d+)(?::(\d+))?(?::(\d+))?)$`)

// parseLimit reads a time limit as sbatch does: minutes, minutes:seconds,
// hours:minutes:seconds, days-hours, days-hours:minutes,
// days-hours:minutes:seconds.
func parseLimit(text string) (time.Duration, error) {
	m := limitForm.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("want minutes, hours:minutes:seconds or days-hours")
	}
	part := func(i int, unit time.Duration) time.Duration {
		n, _ := strconv.ParseUint(m[i], 10, 20) // "" and what is out of range count nothing
		return time.Duration(n) * unit
	}
	switch {
	case m[1] != "":
		return part(1, 24*time.Hour) + part(2, time.Hour) + part(3, time.Minute) + part(4, time.Second), nil
	case m[7] != "":
		return part(5, time.Hour) + part(6, time.Minute) + part(7, time.Second), nil
	}
	return part(5, time.Minute) + part(6, time.Second), nil
}

// grace is how long before its time limit a task is told to save and end.
// Slurm looks once in up to a minute.
func (o *Options) grace() time.Duration {
	const most = 2 * time.Minute
	limit, err := parseLimit(o.Time)
	if err != nil || limit == 0 {
		return most // the partition has its own limit, or none
	}
	return min(most, limit/4)
}

// script is one job array.
type script struct {
	name    string   // of the Slurm job
	logs    string   // directory
	program string   // benchrun
	args    []string // of benchrun job, before the id
	suite   string   // file
	ids     []string
	Options
}

// check refuses what the script cannot hold.
func (s *script) check() error {
	words := append([]string{s.name, s.logs, s.program, s.suite}, s.args...)
	for _, w := range words {
		if err := CheckWord("slurm:", w); err != nil {
			return err
		}
	}
	// sbatch takes a backslash of its header for an escape.
	if strings.Contains(s.logs, `\`) {
		return fmt.Errorf("slurm: %q: want a run directory without a backslash in its path", s.logs)
	}
	return errors.Join(checkIDs(s.ids), s.Options.Check())
}

// text is what sbatch gets. The tasks' ids stand in it, so that nothing which
// happens after the submission changes what a task is.
func (s *script) text() string {
	var b strings.Builder
	directive := func(format string, args ...any) { fmt.Fprintf(&b, "#SBATCH "+format+"\n", args...) }
	tasks := fmt.Sprintf("1-%d", len(s.ids))
	if s.Parallel > 0 {
		tasks += fmt.Sprintf("%%%d", s.Parallel)
	}
	b.WriteString("#!/bin/bash\n")
	directive("--job-name=%s", s.name)
	directive("--array=%s", tasks)
	directive("--output=%s", quote(strings.ReplaceAll(s.logs, "%", "%%")+"/%A_%a.log"))
	directive("--open-mode=append")
	directive("--requeue")
	directive("--signal=B:TERM@%d", int(s.grace().Seconds()))
	if s.Partition != "" {
		directive("--partition=%s", quote(s.Partition))
	}
	if s.Gres != "" {
		directive("--gres=%s", quote(s.Gres))
	}
	if s.Time != "" {
		directive("--time=%s", quote(s.Time))
	}
	if s.Mem != "" {
		directive("--mem=%s", quote(s.Mem))
	}
	if s.CPUs > 0 {
		directive("--cpus-per-task=%d", s.CPUs)
	}
	for _, o := range s.Sbatch {
		directive("%s", o)
	}
	b.WriteString("\n# One task is one job of the suite:\nset --")
	for _, id := range s.ids {
		b.WriteString(" \\\n  " + id)
	}
	command := []string{quote(s.program), "job"}
	for _, a := range s.args {
		command = append(command, quote(a))
	}
	command = append(command, `"$id"`, quote(s.suite), "&")
	fmt.Fprintf(&b, `
id=${!SLURM_ARRAY_TASK_ID}
export GOMAXPROCS="${SLURM_CPUS_PER_TASK:-${SLURM_CPUS_ON_NODE:-1}}"
echo "job $id on $(hostname), start $((${SLURM_RESTART_COUNT:-0} + 1))"

# TERM comes before the time limit and before a preemption. benchrun then saves
# and ends with %[1]d (143 if it had not begun), and the task goes back into the
# queue; not so one that was cancelled, which no longer counts as running. The id
# of the job alone would be that of the whole array in one of its tasks. What asks
# must not end of a second TERM, which the requeue itself brings.
task=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
job=
trap '[ -z "$job" ] || kill -TERM $job 2>/dev/null' TERM
%[2]s
job=$!
while kill -0 $job 2>/dev/null; do wait $job; done
wait $job
code=$?
if [ $code -eq %[1]d ] || [ $code -eq 143 ]; then
  trap '' TERM
  for pause in 1 4 10 0; do
    if state=$(squeue -h -j "$task" -o %%T); then
      case $state in
      RUNNING | SIGNALING) scontrol requeue "$task" && break ;;
      *) break ;;
      esac
    fi
    sleep $pause
  done
fi
exit $code
`, Requeue, strings.Join(command, " "))
	return b.String()
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_./=:,%@+-]+$`)

// quote makes one word of the shell.
func quote(s string) string {
	if plain.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
