package external

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"bayesbench/internal/nearest"
	"bayesbench/internal/npy"
)

// Prediction is a posterior sample of one set of inputs that the program wrote.
type Prediction struct {
	Set    Set
	Number int // of the sample, from 0
	Form   string
	Array  *npy.Array // open until the receiver returns
}

// Taker takes predictions in the order in which they are numbered, one file each,
//
//	out/SET/NUMBER.FORM.npy
//
// such as out/test/000.logits.npy. A file is taken when the next of its set is there, or when the
// program has ended, so that none is read which is still being written; what was taken is removed.
type Taker struct {
	folder *Folder
	job    Job
	give   func(Prediction) error
	form   string // of the first that was taken
	next   map[string]int
}

// Take is a taker of the job's predictions, which give receives.
func (f *Folder) Take(j Job, give func(Prediction) error) *Taker {
	return &Taker{folder: f, job: j, give: give, next: map[string]int{}}
}

// Look takes what is ready. Ended says that the program writes no more.
func (t *Taker) Look(ended bool) error {
	for _, set := range t.job.Inputs {
		for {
			number := t.next[set.Name]
			name, form, err := t.find(set, number)
			if err != nil {
				return err
			}
			if name == "" {
				break
			}
			if number == set.Samples {
				return fmt.Errorf("%s: want at most %d posterior samples of the set %s, numbered from 0", name, set.Samples, set.Name)
			}
			if after, _, err := t.find(set, number+1); err != nil || after == "" && !ended {
				return err
			}
			if err := t.take(set, number, name, form); err != nil {
				return err
			}
			t.next[set.Name]++
		}
	}
	return nil
}

// find is the file of a sample, with its form; no name where there is none.
func (t *Taker) find(set Set, number int) (name, form string, err error) {
	for _, f := range t.job.Forms {
		at := fmt.Sprintf("%s/%03d.%s.npy", set.Out, number, f)
		_, err := t.folder.root.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return "", "", fmt.Errorf("%s: %w", at, err)
		case name != "":
			return "", "", fmt.Errorf("%s and %s: want one file for a posterior sample", name, at)
		default:
			name, form = at, f
		}
	}
	return name, form, nil
}

func (t *Taker) take(set Set, number int, name, form string) error {
	if t.form == "" {
		t.form = form
	}
	if form != t.form {
		return fmt.Errorf("%s: want all predictions in one form, and the first are %s", name, t.form)
	}
	file, info, err := t.folder.open(name)
	if err != nil {
		return err
	}
	array, err := npy.New(name, file, info.Size())
	if err != nil {
		return errors.Join(err, file.Close())
	}
	if !array.Type.Float() {
		err = fmt.Errorf("%s: want float numbers, found %s", name, array.Type)
	} else if err = t.give(Prediction{set, number, form, array}); err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	if err := errors.Join(err, array.Close()); err != nil {
		return err
	}
	return t.folder.root.Remove(name)
}

// Ended takes what is left of a program that has ended, and says how many posterior samples it
// gave. Each set must have as many, or all that are wanted of it where these are fewer, and
// nothing else may lie in out, so that no file is passed over for its name.
func (t *Taker) Ended() (samples int, err error) {
	if err := t.Look(true); err != nil {
		return 0, err
	}
	if err := t.nothingElse(); err != nil {
		return 0, err
	}
	for _, set := range t.job.Inputs {
		samples = max(samples, t.next[set.Name])
	}
	for _, set := range t.job.Inputs {
		if n := t.next[set.Name]; samples == 0 || n < min(samples, set.Samples) {
			return 0, fmt.Errorf("%s: want %s, found %d: the files 000.FORM.npy, 001.FORM.npy, …, FORM one of %s",
				set.Out, wanted(min(samples, set.Samples)), n, strings.Join(t.job.Forms, ", "))
		}
	}
	return samples, nil
}

func wanted(samples int) string {
	switch samples {
	case 0:
		return "a posterior sample at least"
	case 1:
		return "1 posterior sample"
	}
	return fmt.Sprintf("%d posterior samples, as another set has", samples)
}

// nothingElse refuses files that have not been taken. Those whose names begin with a dot or end in
// .tmp are the program's.
func (t *Taker) nothingElse() error {
	var outs []string
	for _, s := range t.job.Inputs {
		outs = append(outs, strings.TrimPrefix(s.Out, outDir+"/"))
	}
	top, err := fs.ReadDir(t.folder.root.FS(), outDir)
	if err != nil {
		return err
	}
	for _, e := range top {
		name := e.Name()
		switch {
		case passedOver(name) || name == scalarsFile:
		case !slices.Contains(outs, name):
			return fmt.Errorf("%s/%s: no such set of inputs%s", outDir, name, nearest.Hint(name, append(outs, scalarsFile)))
		default:
			if err := t.nothingIn(outDir+"/"+name, t.next[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *Taker) nothingIn(dir string, next int) error {
	left, err := fs.ReadDir(t.folder.root.FS(), dir)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	for _, e := range left {
		if !passedOver(e.Name()) {
			return fmt.Errorf("%s/%s: want %03d.FORM.npy as the next name, FORM one of %s", dir, e.Name(), next, strings.Join(t.job.Forms, ", "))
		}
	}
	return nil
}

func passedOver(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".tmp")
}
