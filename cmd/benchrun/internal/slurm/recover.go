package slurm

import (
	"context"
	"fmt"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"bayesbench/results"
)

// Recover asks Slurm what became of arrays that were on their way when a
// submission was cut short, and records the answer: those that it knows by their
// name are taken up, the jobs of others count as not submitted. It returns the
// Slurm ids of what was taken up. The caller holds the lock.
func (c *Campaign) Recover(ctx context.Context) (ids []string, err error) {
	settled, err := c.settled(ctx)
	if err != nil {
		return nil, err
	}
	for i, s := range settled.Submissions {
		old := c.Submissions[i]
		if old.Sending == nil {
			continue
		}
		if err := results.WriteJSON(c.path(strconv.Itoa(s.Number), submissionFile), s); err != nil {
			return nil, err
		}
		for _, a := range s.Arrays[len(old.Arrays):] {
			ids = append(ids, a.Slurm)
		}
	}
	c.Submissions = settled.Submissions
	return ids, nil
}

// tooSoonError says that an sbatch whose caller was killed may still be at work.
type tooSoonError struct {
	name string
	ago  time.Duration
}

func (e *tooSoonError) Error() string {
	return fmt.Sprintf("the submission of %s was cut short %s ago, and Slurm does not know it yet; try again in a minute", e.name, e.ago)
}

// patient is how long an sbatch may take that nobody waits for any more.
const patient = time.Minute

// settled is the campaign with nothing on its way any more.
func (c *Campaign) settled(ctx context.Context) (*Campaign, error) {
	out := *c
	out.Submissions = slices.Clone(c.Submissions)
	for i := range out.Submissions {
		s := &out.Submissions[i]
		if s.Sending == nil {
			continue
		}
		id, err := find(ctx, s.Sending.Name, s.Sending.At)
		if err != nil {
			return c, err
		}
		if ago := time.Since(s.Sending.At).Round(time.Second); id == "" && !s.Sending.Ended && ago >= 0 && ago < patient {
			return c, &tooSoonError{s.Sending.Name, ago}
		}
		if id != "" {
			s.Arrays = append(slices.Clone(s.Arrays), Array{id, s.Sending.Jobs})
		}
		s.Sending = nil
	}
	return &out, nil
}

// find asks squeue, and sacct where there is one, for the user's job array of that
// name; "" says that Slurm knows of none.
func find(ctx context.Context, name string, since time.Time) (id string, err error) {
	if _, err := exec.LookPath("squeue"); err != nil {
		return "", errNoSlurm
	}
	args := []string{"--noheader", "--states=all", "--name=" + name, "--format=%F|%j"}
	if u, err := user.Current(); err == nil {
		args = append(args, "--user="+u.Username) // of others, anything may have the name
	}
	out, err := output(ctx, "squeue", args...)
	if err != nil {
		return "", err
	}
	if id := named(out, name); id != "" {
		return id, nil
	}
	if _, err := exec.LookPath("sacct"); err != nil {
		return "", nil
	}
	out, err = output(ctx, "sacct", "--noheader", "--parsable2", "--allocations", "--name="+name,
		"--starttime="+since.Local().Add(-24*time.Hour).Format("2006-01-02T15:04:05"), "--format=JobID,JobName")
	if err != nil {
		return "", nil // no accounts are kept
	}
	return named(out, name), nil
}

// named is the array of the first line "ID|NAME" or "ID_TASK|NAME" with the name.
func named(text, name string) string {
	for line := range strings.Lines(text) {
		id, found, _ := strings.Cut(strings.TrimSpace(line), "|")
		array, _, _ := strings.Cut(id, "_")
		if found == name && arrayForm.MatchString(array) {
			return array
		}
	}
	return ""
}
