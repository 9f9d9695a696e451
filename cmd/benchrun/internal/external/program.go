package external

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Program is a command that is run on a folder. The path of the folder is its last argument.
type Program struct {
	Command []string
	Dir     string // where it runs: the folder of the suite, in which relative paths of the command start
	Folder  *Folder
	Log     string        // file for what it prints
	Seed    uint32        // of Python's hashes
	Threads int           // for the libraries that ask the environment
	Timeout time.Duration // after which it is ended
	Disk    int64         // bytes that it may have in the folder at a time
	Files   int           // files and folders that it may have there at a time
	Grace   time.Duration // between being told to end and being killed
}

// Cost is what a program took, as the system counted it.
type Cost struct {
	Wall   time.Duration // from its start to its end
	CPU    time.Duration // of it and of the processes that it waited for
	Memory int64         // bytes: the most that one of these processes held, 0 where the system does not say
}

// EndedError says that a program did not do what was wanted.
type EndedError struct {
	Cause error
	Said  string // the end of what it printed
}

func (e *EndedError) Error() string {
	if e.Said == "" {
		return e.Cause.Error() + "; it printed nothing"
	}
	return e.Cause.Error() + "; its last words:\n" + e.Said
}

func (e *EndedError) Unwrap() error { return e.Cause }

// look is how often the program's files are looked at, and walk how often all of them are counted.
const (
	look = 50 * time.Millisecond
	walk = time.Second
)

// threadVariables are the variables by which libraries of numbers are told how many threads to use.
var threadVariables = []string{"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "RAYON_NUM_THREADS"}

// folderVariable marks the processes of a program, for those that find them.
const folderVariable = "BAYESBENCH_FOLDER"

// environment is the process's own, with the number of threads and the seed.
func (p *Program) environment() []string {
	env := os.Environ()
	for _, name := range threadVariables {
		env = append(env, fmt.Sprintf("%s=%d", name, p.Threads))
	}
	// Python buffers what it prints into a pipe: the last words of one that is killed would be
	// lost.
	return append(env, "PYTHONUNBUFFERED=1", fmt.Sprintf("PYTHONHASHSEED=%d", p.Seed), folderVariable+"="+p.Folder.Dir)
}

// command is the command of the process.
func (p *Program) command() (*exec.Cmd, error) {
	name := p.Command[0]
	if strings.ContainsRune(name, filepath.Separator) && !filepath.IsAbs(name) {
		name = filepath.Join(p.Dir, name)
	}
	name, err := exec.LookPath(name)
	if err != nil {
		return nil, fmt.Errorf("command %q: %w", p.Command[0], errors.Unwrap(err))
	}
	if name, err = filepath.Abs(name); err != nil {
		return nil, err
	}
	args := append(p.Command[1:len(p.Command):len(p.Command)], p.Folder.Dir)
	cmd := exec.Command(name, args...)
	cmd.Args[0] = p.Command[0]
	cmd.Dir, cmd.Env = p.Dir, p.environment()
	return cmd, nil
}

// Run runs the program to its end. Every so often it calls poll, by which the caller takes what
// the program has written; an error of poll's ends the program. When ctx ends, the program is told
// to end and Run returns ctx's error. Whatever the end, no process that the program started and
// that can be found stays (see [family]).
func (p *Program) Run(ctx context.Context, poll func() error) (Cost, error) {
	// Linux ends the program when the thread that started it ends: this one, which must stay.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := endLeft(p.Folder.Dir); err != nil {
		return Cost{}, err
	}
	cmd, err := p.command()
	if err != nil {
		return Cost{}, err
	}
	said, err := listen(p.Log)
	if err != nil {
		return Cost{}, err
	}
	defer said.close()
	cmd.Stdout, cmd.Stderr = said.to, said.to
	cmd.SysProcAttr = attributes()
	begun := time.Now()
	if err := start(cmd); err != nil {
		return Cost{}, fmt.Errorf("command %q: %w", p.Command[0], err)
	}
	family := newFamily(cmd.Process.Pid, p.Folder.Dir)
	family.limitFiles(p.Disk)
	said.started()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	why := p.watch(ctx, ended, poll, said)
	if why.atWork {
		family.end(ended, p.Grace)
	}
	cost := Cost{Wall: time.Since(begun)}
	if s := cmd.ProcessState; s != nil {
		cost.CPU, cost.Memory = s.UserTime()+s.SystemTime(), largest(s)
	}
	patience := p.Grace
	if why.err != nil {
		patience = 0
	}
	left, err := family.rest(patience)
	switch {
	case err != nil:
		why.err = errors.Join(why.err, err)
	case why.told:
		return cost, ctx.Err()
	case left > 0 && why.err == nil:
		why.err = fmt.Errorf("it ended and left %d of the processes that it started at work, which were killed", left)
	}
	if why.err != nil {
		return cost, &EndedError{why.err, said.last()}
	}
	return cost, nil
}

// cause is why a program has ended, or must.
type cause struct {
	err    error // nil where it ended well
	atWork bool  // it has not ended yet
	told   bool  // it must end because the context has
}

// watch waits for the end of the program, or for a reason to end it.
func (p *Program) watch(ctx context.Context, ended <-chan error, poll func() error, said *listener) cause {
	timeout := time.NewTimer(p.Timeout)
	defer timeout.Stop()
	tick := time.NewTicker(look)
	defer tick.Stop()
	counted := time.Now()
	for {
		select {
		case err := <-ended:
			return cause{err: p.whyEnded(err, said)}
		case <-ctx.Done():
			return cause{err: ctx.Err(), atWork: true, told: true}
		case <-timeout.C:
			return cause{err: fmt.Errorf("it took more than the %v s of its timeout (method.timeout)", p.Timeout.Seconds()), atWork: true}
		case <-said.full:
			return cause{err: errPrinted, atWork: true}
		case <-tick.C:
			if err := poll(); err != nil {
				return cause{err: err, atWork: true}
			}
			if time.Since(counted) < walk {
				continue
			}
			if err := p.room(); err != nil {
				return cause{err: err, atWork: true}
			}
			counted = time.Now()
		}
	}
}

var errPrinted = fmt.Errorf("it printed more than %d MiB", maxPrinted>>20)

// whyEnded is why a program ended by itself, of which Wait says err: a limit that it met first, nil
// where it did well.
func (p *Program) whyEnded(err error, said *listener) error {
	if full := p.room(); full != nil {
		return full
	}
	select {
	case <-said.full:
		return errPrinted
	default:
		return exited(err)
	}
}

// room refuses more in the folder than there may be.
func (p *Program) room() error {
	now, files, err := p.Folder.size(".")
	if err != nil {
		return err
	}
	if files > p.Files {
		return fmt.Errorf("it has more than %d files and folders in its folder", p.Files)
	}
	if grown := now - p.Folder.given; grown > p.Disk {
		return fmt.Errorf("it has %.3g GiB in its folder, at most %.3g may be (method.disk)", gib(grown), gib(p.Disk))
	}
	return nil
}

func gib(bytes int64) float64 { return float64(bytes) / (1 << 30) }

// exited says how a process ended of which Wait says err.
func exited(err error) error {
	var e *exec.ExitError
	if !errors.As(err, &e) {
		return err
	}
	if code := e.ExitCode(); code >= 0 {
		return fmt.Errorf("it exited with %d", code)
	}
	how := strings.TrimPrefix(e.ProcessState.String(), "signal: ")
	if how == os.Kill.String() {
		how += " (the system kills a program where memory runs out)"
	}
	return fmt.Errorf("it was ended by a signal: %s", how)
}
