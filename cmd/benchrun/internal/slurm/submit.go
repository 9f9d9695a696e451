package slurm

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"bayesbench/results"
)

// Job is what a cluster need know of one.
type Job struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Needs      []string `json:"needs,omitempty"` // ids
	FLOPs      float64  `json:"flops"`
	TrainFLOPs float64  `json:"train_flops"` // of them
	// Origin is the submission that named the job first: its directory has the
	// suite, its record the arguments of benchrun job.
	Origin int `json:"origin"`
}

// Array is a job array that Slurm has accepted.
type Array struct {
	Slurm string   `json:"slurm"` // its job id
	Jobs  []string `json:"jobs"`  // ids, from task 1
}

// Submission is the record of one call: submission.json.
type Submission struct {
	Format  int       `json:"format"`
	Number  int       `json:"-"` // the name of its directory
	At      time.Time `json:"at"`
	Args    []string  `json:"args"` // of benchrun job, before the id
	Options Options   `json:"options"`
	Arrays  []Array   `json:"arrays"`
	// Sending is what sbatch was given and has not yet answered.
	Sending *Sending `json:"sending,omitempty"`
}

// Sending is an array on its way to Slurm. It is recorded before sbatch is called,
// so that whoever finds it there, after a kill or a lost answer, can ask Slurm by
// the name whether the array was taken.
type Sending struct {
	Name  string    `json:"name"` // of the Slurm job, which no other has
	Jobs  []string  `json:"jobs"`
	At    time.Time `json:"at"`
	Ended bool      `json:"ended,omitempty"` // sbatch is not at work any more
}

// Campaign is all that was submitted for a run directory.
type Campaign struct {
	Dir         string // of the run
	Jobs        []Job  // needs before what needs them
	Submissions []Submission
}

// The files below a run directory.
const (
	folder         = "slurm"
	jobsFile       = "jobs.json"
	submissionFile = "submission.json"
	suiteFile      = "suite.toml"
	lockFile       = ".lock"
)

// maxTasks is how many tasks an array has at most: Slurm's default MaxArraySize
// is 1001, and its tasks count from 0.
const maxTasks = 1000

type jobList struct {
	Format int   `json:"format"`
	Jobs   []Job `json:"jobs"`
}

// Read reads what was submitted for a run directory: nothing where there is no
// record.
func Read(dir string) (*Campaign, error) {
	c := &Campaign{Dir: dir}
	path := c.path(jobsFile)
	text, err := c.readRecord(jobsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err == nil {
		c.Jobs, err = decodeJobs(text, path)
	}
	if err != nil {
		return nil, err
	}
	for n := 1; ; n++ {
		path := c.path(strconv.Itoa(n), submissionFile)
		text, err := c.readRecord(strconv.Itoa(n), submissionFile)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, err
		}
		s, err := decodeSubmission(text, path)
		if err != nil {
			return nil, err
		}
		s.Number = n
		c.Submissions = append(c.Submissions, s)
	}
	for _, j := range c.Jobs {
		if j.Origin > len(c.Submissions) {
			return nil, fmt.Errorf("%s: job %s is of submission %d of %d", path, j.ID, j.Origin, len(c.Submissions))
		}
	}
	return c, nil
}

func (c *Campaign) path(elem ...string) string {
	return filepath.Join(append([]string{c.Dir, folder}, elem...)...)
}

// readRecord reads a file below the folder.
func (c *Campaign) readRecord(elem ...string) ([]byte, error) {
	return results.ReadText(c.Dir, filepath.Join(append([]string{folder}, elem...)...), maxRecord)
}

// Lock keeps other submissions away from the run directory until the returned
// function is called.
func Lock(dir string) (unlock func() error, err error) {
	own := filepath.Join(dir, folder)
	if err := results.OwnDir(own); err != nil {
		return nil, err
	}
	unlock, err = results.Exclusive(filepath.Join(own, lockFile), own)
	var locked *results.LockedError
	if errors.As(err, &locked) {
		return nil, fmt.Errorf("another benchrun slurm is at work: %w", locked)
	}
	return unlock, err
}

// arrays lists the Slurm ids of all arrays.
func (c *Campaign) arrays() []string {
	var ids []string
	for _, s := range c.Submissions {
		for _, a := range s.Arrays {
			ids = append(ids, a.Slurm)
		}
	}
	return ids
}

// log is the file that a task writes to, "" if it is not there yet.
func (c *Campaign) log(t string) string {
	for _, s := range c.Submissions {
		path := c.path(strconv.Itoa(s.Number), t+".log")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

// tasks lists what a job was submitted as, the latest last.
func (c *Campaign) tasks() map[string][]task {
	out := map[string][]task{}
	for _, s := range c.Submissions {
		for _, a := range s.Arrays {
			for i, id := range a.Jobs {
				out[id] = append(out[id], task{a.Slurm, i + 1})
			}
		}
	}
	return out
}

// Batch is one array to be submitted.
type Batch struct {
	Name   string   // of the Slurm job
	Script string   // its text
	Path   string   // where it goes
	Jobs   []string // ids
	after  []int    // the batches of the same submission that must end before
	behind []string // the arrays of earlier ones
}

// Plan is a submission worked out.
type Plan struct {
	Submission Submission
	Batches    []Batch
	Move       []string // tasks that wait for what is submitted now: they are cancelled and go behind it
	campaign   *Campaign
	suite      []byte // nil where nothing new is named
	program    string
}

// New plans the jobs of a suite that were never submitted. Args are those of
// benchrun job before the id, program is benchrun itself, absolute as dir is.
// Finished jobs are left out.
func (c *Campaign) New(ctx context.Context, jobs []Job, suite []byte, args []string, program string, o Options) (*Plan, error) {
	if settled, err := c.settled(ctx); err == nil { // what is not, Recover or Status says
		c = settled
	}
	number := len(c.Submissions) + 1
	submitted := c.tasks()
	origin := map[string]int{}
	for _, j := range c.Jobs {
		origin[j.ID] = j.Origin
	}
	next := &Campaign{Dir: c.Dir, Submissions: c.Submissions}
	var todo []string
	here := map[string]bool{}
	for _, j := range jobs {
		here[j.ID] = true
		j.Origin = number
		if len(submitted[j.ID]) > 0 {
			j.Origin = origin[j.ID]
		} else if !results.IsDone(c.Dir, j.ID) {
			todo = append(todo, j.ID)
		}
		next.Jobs = append(next.Jobs, j)
	}
	for _, j := range c.Jobs {
		if !here[j.ID] {
			next.Jobs = append(next.Jobs, j)
		}
	}
	status, err := next.Status(ctx)
	if err != nil {
		return nil, err
	}
	p := &Plan{Submission: Submission{Number: number, Args: args, Options: o}, campaign: next, suite: suite, program: program}
	return p, p.arrange(todo, status)
}

// Missing plans again what was submitted and is neither done nor in the queue
// nor at work. Options that o leaves empty are those of the last submission.
func (c *Campaign) Missing(ctx context.Context, program string, o Options) (*Plan, error) {
	if len(c.Submissions) == 0 {
		return nil, fmt.Errorf("%s: nothing was submitted from it yet; leave out -resubmit", c.Dir)
	}
	status, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	if status.NoSlurm {
		return nil, errNoSlurm
	}
	last := c.Submissions[len(c.Submissions)-1]
	p := &Plan{Submission: Submission{Number: last.Number + 1, Options: o.over(last.Options)}, campaign: c, program: program}
	var todo []string
	again := map[string]bool{}
	for i, j := range c.Jobs {
		s := status.Jobs[i]
		needed := slices.ContainsFunc(j.Needs, func(n string) bool { return again[n] })
		switch {
		case s.State == Failed || s.State == Lost:
		case s.State == Pending && needed:
			p.Move = append(p.Move, s.Slurm)
		default:
			continue
		}
		again[j.ID] = true
		todo = append(todo, j.ID)
	}
	return p, p.arrange(todo, status)
}

// over fills what o leaves empty.
func (o Options) over(last Options) Options {
	fill := func(s *string, with string) {
		if *s == "" {
			*s = with
		}
	}
	fill(&o.Partition, last.Partition)
	fill(&o.Gres, last.Gres)
	fill(&o.Time, last.Time)
	fill(&o.Mem, last.Mem)
	if o.CPUs == 0 {
		o.CPUs = last.CPUs
	}
	if o.Parallel == 0 {
		o.Parallel = last.Parallel
	}
	if len(o.Sbatch) == 0 {
		o.Sbatch = last.Sbatch
	}
	return o
}

// arrange puts the jobs into arrays, one for every level of dependency (and
// origin, and thousand): what a job needs is in an array of a lower level, or
// done, or on its way in an earlier submission.
func (p *Plan) arrange(todo []string, status *Status) error {
	copied, err := p.programCopy()
	if err != nil {
		return err
	}
	byID := map[string]Job{}
	for _, j := range p.campaign.Jobs {
		byID[j.ID] = j
	}
	statusOf := map[string]JobStatus{}
	for _, s := range status.Jobs {
		statusOf[s.ID] = s
	}
	level := map[string]int{}
	batchOf := map[string]int{}
	type place struct{ level, origin int }
	places := map[place][]string{}
	var order []place
	for _, id := range todo {
		j := byID[id]
		level[id] = 1
		for _, n := range j.Needs {
			level[id] = max(level[id], level[n]+1) // 0+1 where the need is not among todo
		}
		at := place{level[id], j.Origin}
		if places[at] == nil {
			order = append(order, at)
		}
		places[at] = append(places[at], id)
	}
	slices.SortFunc(order, func(a, b place) int {
		if a.level != b.level {
			return a.level - b.level
		}
		return a.origin - b.origin
	})
	own := p.campaign.path(strconv.Itoa(p.Submission.Number))
	token := make([]byte, 4)
	rand.Read(token)
	for _, at := range order {
		args := p.Submission.Args
		if at.origin != p.Submission.Number {
			args = p.campaign.Submissions[at.origin-1].Args
		}
		for ids := range slices.Chunk(places[at], maxTasks) {
			n := len(p.Batches)
			b := Batch{
				Name: fmt.Sprintf("%s-%d-%x", filepath.Base(p.campaign.Dir), n+1, token),
				Jobs: ids, Path: filepath.Join(own, fmt.Sprintf("array-%d.sh", n+1)),
			}
			for _, id := range ids {
				batchOf[id] = n
				for _, need := range byID[id].Needs {
					if i, ok := batchOf[need]; ok {
						b.after = append(b.after, i)
					} else if s := statusOf[need]; s.State == Pending || s.State == Running && s.Slurm != "" {
						array, _, _ := strings.Cut(s.Slurm, "_")
						b.behind = append(b.behind, array)
					}
				}
			}
			slices.Sort(b.after)
			slices.Sort(b.behind)
			b.after, b.behind = slices.Compact(b.after), slices.Compact(b.behind)
			s := script{
				name: b.Name, logs: own, program: copied, args: args,
				suite: p.campaign.path(strconv.Itoa(at.origin), suiteFile), ids: ids, Options: p.Submission.Options,
			}
			if err := s.check(); err != nil {
				return err
			}
			b.Script = s.text()
			p.Batches = append(p.Batches, b)
		}
	}
	return nil
}

// command is how sbatch is called for a batch; ids are those of the batches
// before.
func (b *Batch) command(ids []string) []string {
	after := slices.Clone(b.behind)
	for _, i := range b.after {
		after = append(after, ids[i])
	}
	args := []string{"sbatch", "--parsable"}
	if len(after) > 0 {
		args = append(args, "--dependency=afterany:"+strings.Join(after, ":"))
	}
	return append(args, b.Path)
}

// Preview writes what Submit would do.
func (p *Plan) Preview(w io.Writer) error {
	var text bytes.Buffer
	var ids []string
	for _, m := range p.Move {
		fmt.Fprintf(&text, "scancel %s\n", m)
	}
	for i := range p.Batches {
		b := &p.Batches[i]
		words := b.command(ids)
		for k := range words {
			if !strings.Contains(words[k], "<array ") {
				words[k] = quote(words[k])
			}
		}
		fmt.Fprintf(&text, "== %s\n%s\n", strings.Join(words, " "), b.Script)
		ids = append(ids, fmt.Sprintf("<array %d>", i+1))
	}
	_, err := w.Write(text.Bytes())
	return err
}

// Submit writes the scripts and the record below the run directory and submits
// them. The record is written before and after every array, so that what Slurm has
// taken is known whatever happens, see [Campaign.Recover].
func (p *Plan) Submit(ctx context.Context) error {
	if _, err := exec.LookPath("sbatch"); err != nil {
		return errors.New("sbatch is not on the PATH: submit from a machine of the cluster, or see -dry-run")
	}
	c := p.campaign
	own := c.path(strconv.Itoa(p.Submission.Number))
	if err := results.OwnDir(own); err != nil {
		return err
	}
	if err := p.copyProgram(); err != nil {
		return err
	}
	if p.suite != nil {
		if err := results.WriteText(filepath.Join(own, suiteFile), p.suite); err != nil {
			return err
		}
	}
	for _, b := range p.Batches {
		if err := results.WriteText(b.Path, []byte(b.Script)); err != nil {
			return err
		}
	}
	p.Submission.Format, p.Submission.At = results.FormatVersion, time.Now().UTC().Truncate(time.Second)
	record := func() error { return results.WriteJSON(filepath.Join(own, submissionFile), p.Submission) }
	if err := record(); err != nil {
		return err
	}
	if err := results.WriteJSON(c.path(jobsFile), jobList{results.FormatVersion, c.Jobs}); err != nil {
		return err
	}
	if len(p.Move) > 0 {
		if _, err := output(ctx, "scancel", p.Move...); err != nil {
			return err
		}
	}
	var ids []string
	for i := range p.Batches {
		b := &p.Batches[i]
		command := b.command(ids)
		p.Submission.Sending = &Sending{Name: b.Name, Jobs: b.Jobs, At: time.Now().UTC().Truncate(time.Second)}
		if err := record(); err != nil {
			return err
		}
		out, err := output(ctx, command[0], command[1:]...)
		if err != nil {
			// Slurm may have taken it all the same, and only the answer was lost.
			p.Submission.Sending.Ended = true
			return errors.Join(err, record())
		}
		id, _, _ := strings.Cut(strings.TrimSpace(out), ";") // id;cluster
		if _, err := strconv.ParseUint(id, 10, 64); err != nil {
			return fmt.Errorf("sbatch: want a job id, found %q", strings.TrimSpace(out))
		}
		ids = append(ids, id)
		p.Submission.Arrays = append(p.Submission.Arrays, Array{id, b.Jobs})
		p.Submission.Sending = nil
		if err := record(); err != nil {
			return err
		}
	}
	return nil
}

// programCopy is where the program lies below the run directory, so that a
// build made while jobs wait does not change them (and go run leaves none).
func (p *Plan) programCopy() (string, error) {
	f, err := os.Open(p.program)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return p.campaign.path("benchrun-" + hex.EncodeToString(sum.Sum(nil))[:12]), nil
}

func (p *Plan) copyProgram() error {
	path, err := p.programCopy()
	if err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
		return nil
	}
	f, err := os.Open(p.program)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := results.WriteFile(path, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	}); err != nil {
		return err
	}
	return os.Chmod(path, 0o755)
}
