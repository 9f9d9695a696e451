package external

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"syscall"

	"bayesbench/internal/npy"
	"bayesbench/results"
)

// The names in a folder.
const (
	jobFile     = "job.json"
	outDir      = "out"
	stateDir    = "state"
	inputsDir   = "inputs"
	scalarsFile = "scalars.json"
)

// Folder is where one job's program reads and writes. Of what an earlier try left there only the
// folder state, which is the program's own, stays.
type Folder struct {
	Dir     string // absolute
	Resumed bool   // state is there from an earlier try
	root    *os.Root
	given   int64 // bytes of what the program was given
}

// Open makes the folder at dir, or empties the one that is there. The caller closes it.
func Open(dir string) (*Folder, error) {
	dir, err := filepath.Abs(dir) // the program runs elsewhere
	if err != nil {
		return nil, err
	}
	if err := results.OwnDir(dir); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	f := &Folder{Dir: dir, root: root}
	if err := f.clear(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (f *Folder) clear() error {
	if err := f.Clean(); err != nil {
		return err
	}
	info, err := f.root.Lstat(stateDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case info.IsDir():
		f.Resumed = true
	default:
		if err := f.root.Remove(stateDir); err != nil {
			return err
		}
	}
	for _, dir := range []string{stateDir, inputsDir, outDir} {
		if err := f.root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// Clean removes all but the folder state.
func (f *Folder) Clean() error {
	dir, err := f.root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == stateDir {
			continue
		}
		if err := f.root.RemoveAll(name); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the use of the folder, which stays as it is.
func (f *Folder) Close() error { return f.root.Close() }

// setName is what a set of inputs may be called: it names a file and a folder.
var setName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.+-]*$`)

// NewSet is the set of that name.
func NewSet(name string, rows, samples int) (Set, error) {
	if !setName.MatchString(name) {
		return Set{}, fmt.Errorf("inputs %q: want a name of letters, digits, '-', '_', '.', '+', since it names a file for the program", name)
	}
	return Set{Name: name, Inputs: inputsDir + "/" + name + ".npy", Rows: rows, Samples: samples, Out: outDir + "/" + name}, nil
}

// Write writes an array, whose numbers fill gives, to a file of the folder.
func Write[T npy.Number](f *Folder, name string, shape []int, fill func(w *npy.Writer[T]) error) (err error) {
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", filepath.Join(f.Dir, name), err)
		}
	}()
	w, err := npy.NewWriter[T](file, shape...)
	if err == nil {
		err = fill(w)
	}
	if err == nil {
		err = w.Close()
	}
	return errors.Join(err, file.Close())
}

// Begin writes job.json, with a folder for the predictions of each set. The program may then start.
func (f *Folder) Begin(j Job) error {
	for _, s := range j.Inputs {
		if err := f.root.Mkdir(s.Out, 0o755); err != nil {
			return err
		}
	}
	j.Protocol, j.Resumed = Protocol, f.Resumed
	text, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return err
	}
	if err := f.root.WriteFile(jobFile, append(text, '\n'), 0o644); err != nil {
		return err
	}
	all, _, err := f.size(".")
	if err != nil {
		return err
	}
	state, _, err := f.size(stateDir)
	f.given = all - state
	return err
}

// size is how many bytes the files below a part of the folder take on the disk, and how many files
// and folders there are.
func (f *Folder) size(part string) (bytes int64, files int, err error) {
	err = fs.WalkDir(f.root.FS(), part, func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // the program has just removed it
			return nil
		}
		if err != nil {
			return err
		}
		files++
		if info, err := d.Info(); err == nil {
			bytes += taken(info)
		}
		return nil
	})
	return bytes, files, err
}

// readFile reads a regular file of the folder that the program wrote, of at most so many bytes.
func (f *Folder) readFile(name string, most int64) ([]byte, error) {
	file, info, err := f.open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info.Size() > most {
		return nil, fmt.Errorf("%s: %d bytes, want at most %d", name, info.Size(), most)
	}
	return io.ReadAll(io.LimitReader(file, most))
}

// open opens a file that the program wrote: a regular one that stands in the folder itself. A link
// is refused, wherever it leads, and so is a pipe, for which reading would wait.
func (f *Folder) open(name string) (*os.File, fs.FileInfo, error) {
	info, err := f.root.Lstat(name)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s: want a regular file, found %s", name, what(info.Mode()))
	}
	file, err := f.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	if info, err = file.Stat(); err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: want a regular file, found %s", name, what(info.Mode()))
	}
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return file, info, nil
}

// what says what stands in a file's place.
func what(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeSymlink != 0:
		return "a link"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	}
	return "something else (" + m.Type().String() + ")"
}
