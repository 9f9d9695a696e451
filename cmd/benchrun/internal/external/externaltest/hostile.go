package externaltest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"bayesbench/cmd/benchrun/internal/external"
)

func init() {
	maps.Copy(programs, map[string]func(args []string) error{
		"hangs":         hangs,
		"ignores-term":  ignoresTerm,
		"forks":         forks,
		"child":         child,
		"prints":        prints,
		"exits":         func([]string) error { fmt.Println("the last", "\x1b[31mwords"); return errors.New("no data") },
		"kills-itself":  killsItself,
		"fills":         fills,
		"one-file":      oneFile,
		"many-files":    manyFiles,
		"labels":        labels,
		"says-nothing":  func([]string) error { return nil },
		"resumes":       resumes,
		"predicts":      predicts,
		"reports":       reports,
		"far-and-wide":  farAndWide,
		"environment":   environment,
		"counts":        counts,
		"names-a-set":   func(args []string) error { return named(args, "out/tset/000.logits.npy") },
		"starts-at-one": func(args []string) error { return named(args, "out/test/001.logits.npy") },
		"wrong-form":    func(args []string) error { return named(args, "out/test/000.logit.npy") },
		"links":         links,
	})
}

// hangs writes where it is, for the test to see, and waits.
func hangs(args []string) error {
	fmt.Println("waiting for nothing")
	time.Sleep(time.Hour)
	return nil
}

func ignoresTerm(args []string) error {
	signal.Ignore(syscall.SIGTERM)
	return hangs(args)
}

// forks starts children that outlive it: one of its group, one that leaves the group, and one that
// leaves it and drops its environment. They write their pids into the file of the first argument.
// Then it predicts, as an honest program does.
func forks(args []string) error {
	pids := args[0]
	for i, prepare := range []func(*exec.Cmd){
		func(*exec.Cmd) {},
		leaveGroup,
		func(c *exec.Cmd) { leaveGroup(c); c.Env = []string{} },
	} {
		path := fmt.Sprint(pids, i)
		command := Command("child", path)
		c := exec.Command(command[0], command[1:]...)
		prepare(c)
		if err := c.Start(); err != nil {
			return err
		}
		for { // until it is at work
			if _, err := os.Stat(path); err == nil {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	return honest(last(args))
}

// child writes its pid to the file of its argument and stays.
func child(args []string) error {
	signal.Ignore(syscall.SIGTERM, syscall.SIGHUP)
	tmp := args[0] + ".tmp"
	if err := os.WriteFile(tmp, []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		return err
	}
	if err := os.Rename(tmp, args[0]); err != nil {
		return err
	}
	time.Sleep(time.Hour)
	return nil
}

// prints prints a GB.
func prints(args []string) error {
	line := strings.Repeat("all work and no play ", 50000)
	for range 1024 {
		if _, err := fmt.Println(line); err != nil {
			return err
		}
	}
	return honest(last(args))
}

func killsItself([]string) error {
	p, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	p.Kill()
	time.Sleep(time.Minute)
	return nil
}

// fills writes files without end into its folder.
func fills(args []string) error {
	block := make([]byte, 1<<20)
	for i := range 1 << 12 {
		if err := os.WriteFile(filepath.Join(last(args), "state", fmt.Sprint(i)), block, 0o644); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

// oneFile writes a file without end.
func oneFile(args []string) error {
	f, err := os.Create(filepath.Join(last(args), "state", "one"))
	if err != nil {
		return err
	}
	defer f.Close()
	block := make([]byte, 1<<20)
	for range 1 << 12 {
		if _, err := f.Write(block); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

func manyFiles(args []string) error {
	for i := range 1 << 20 {
		if err := os.WriteFile(filepath.Join(last(args), "state", fmt.Sprint(i)), nil, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// labels looks for the labels of the test set in every file that it was given.
func labels(args []string) error {
	folder := last(args)
	return filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.Contains(path, "test") && strings.Contains(path, "target") {
			return nil
		}
		if err == nil && path == filepath.Join(folder, "train_targets.npy") {
			_, err = os.ReadFile(filepath.Join(folder, "test_targets.npy"))
		}
		return err
	})
}

// resumes counts its tries in the folder state, hangs at the first, and predicts at the second, if
// it was told of it.
func resumes(args []string) error {
	j, err := job(last(args))
	if err != nil {
		return err
	}
	tries := filepath.Join(last(args), "state", "tries")
	if _, err := os.Stat(tries); errors.Is(err, os.ErrNotExist) {
		if j.Resumed {
			return errors.New("told of a try that was not")
		}
		if err := os.WriteFile(tries, nil, 0o644); err != nil {
			return err
		}
		return hangs(args)
	} else if err != nil {
		return err
	}
	if !j.Resumed {
		return errors.New("not told of the try before")
	}
	return honest(last(args))
}

// predicts writes one wrong prediction: its form, its shape with commas, "N" for the rows of the
// set, and what is wrong with the number 1.
func predicts(args []string) error {
	folder, form := last(args), args[0]
	j, err := job(folder)
	if err != nil {
		return err
	}
	s := j.Inputs[0]
	shape, n := []int{}, 1
	for d := range strings.SplitSeq(args[1], ",") {
		size := s.Rows
		if d != "N" {
			if size, err = strconv.Atoi(d); err != nil {
				return err
			}
		}
		shape, n = append(shape, size), n*size
	}
	numbers := make([]float64, n)
	for i := range numbers {
		numbers[i] = 0.25 // of four classes, sums to one
	}
	if numbers[1], err = strconv.ParseFloat(args[2], 64); err != nil {
		return err
	}
	return write(folder, s, 0, form, numbers, shape...)
}

// reports is honest but for scalars.json, which has the text of its argument.
func reports(args []string) error {
	if err := honest(last(args)); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(last(args), "out", "scalars.json"), []byte(args[0]), 0o644)
}

// farAndWide writes a file whose header claims more numbers than there can be, with as long a hole
// behind it.
func farAndWide(args []string) error {
	f, err := os.Create(filepath.Join(last(args), "out", "test", "000.logits.npy"))
	if err != nil {
		return err
	}
	defer f.Close()
	header := "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 4), }"
	header += strings.Repeat(" ", 117-len(header)) + "\n"
	if _, err := f.WriteString("\x93NUMPY\x01\x00\x76\x00" + header); err != nil {
		return err
	}
	return f.Truncate(128 + 8*4e6)
}

// named writes a good prediction under a name that is none.
func named(args []string, name string) error {
	folder := last(args)
	j, err := job(folder)
	if err != nil {
		return err
	}
	s := j.Inputs[0]
	if err := write(folder, s, 0, "logits", make([]float64, s.Rows*j.Targets.Classes), s.Rows, j.Targets.Classes); err != nil {
		return err
	}
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.Rename(filepath.Join(folder, s.Out, "000.logits.npy"), path)
}

// environment is honest where the environment says the seed and the threads of job.json.
func environment(args []string) error {
	j, err := job(last(args))
	if err != nil {
		return err
	}
	for name, want := range map[string]int{"OMP_NUM_THREADS": j.Threads, "MKL_NUM_THREADS": j.Threads, "PYTHONHASHSEED": int(j.Seed)} {
		if have := os.Getenv(name); have != strconv.Itoa(want) {
			return fmt.Errorf("%s=%s, want %d", name, have, want)
		}
	}
	if j.Protocol != external.Protocol || math.IsNaN(j.Timeout) {
		return fmt.Errorf("job.json: %+v", j)
	}
	text, err := json.Marshal(j.Args)
	if err != nil {
		return err
	}
	if string(text) != args[0] {
		return fmt.Errorf("args %s, want %s", text, args[0])
	}
	return honest(last(args))
}

// counts is honest, and adds a file to the folder of its first argument.
func counts(args []string) error {
	f, err := os.CreateTemp(args[0], "started")
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return honest(last(args))
}

// links puts something that is no file in the place of a prediction: a link to the file of the
// first argument, or a pipe where there is none.
func links(args []string) error {
	path := filepath.Join(last(args), "out", "test", "000.logits.npy")
	if args[0] == "pipe" {
		return pipe(path)
	}
	return os.Symlink(args[0], path)
}
