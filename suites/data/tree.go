package data

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	unicodenorm "golang.org/x/text/unicode/norm"

	"bayesbench/internal/nearest"
	"bayesbench/suites/data/fetch"
	"bayesbench/suites/data/pixel"
)

// tree is a collection of image files, train/<class>/… and val/<class>/…, in a folder or a tar,
// which it reads in place. A file's class is the folder below train or val, however deep below that
// the file lies. Val may be flat with val_annotations.txt beside it, as in Tiny-ImageNet.
type tree struct {
	root string // the folder or tar
	// names are what the folders train, val and held are called on disk; nil where they are called
	// so. "." is root itself, of a tree that is not divided.
	names   map[string]string
	tar     *os.File // nil for a folder
	classes []string // folder names in byte order; the place is the label
	train   []entry
	val     []entry
	held    []entry      // for validation, in trees of the user's own alone
	skipped []Skipped    // what was left out
	faults  []FileReport // what should be an image and cannot be read, by path
}

// entry is one image file.
type entry struct {
	path   string // from train/ or val/ on, with slashes
	offset int64  // in the tar
	size   int64
	class  string
	label  int32
}

const (
	maxImageBytes = 64 << 20
	maxAnnotated  = 8 << 20 // ILSVRC's 50,000 lines are 3 MB
	maxClasses    = 1 << 16 // ImageNet-21k has 21,841
	// Above this much, reading all of a tree just to hash it would take minutes.
	maxHashedBytes = 1 << 30
	// Up to this much, a tree's images are decoded before training, which takes a second or less.
	maxTriedBytes = 16 << 20
)

const annotations = "val/val_annotations.txt"

// openTree lists the images of a folder or a tar. Where only some cannot be read, it returns the
// tree with its faults.
func openTree(place string) (*tree, error) {
	t := &tree{root: place}
	st, err := os.Stat(place)
	if err != nil {
		return nil, err
	}
	var all []found
	if st.IsDir() {
		all, err = listFolder(place, func(name string) bool { return name == "train" || name == "val" })
	} else {
		if t.tar, err = fetch.OpenRegular(place); err != nil {
			return nil, err
		}
		all, err = listTar(t.tar)
	}
	if err == nil {
		err = t.sort(all)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", place, err), t.close())
	}
	return t, nil
}

func (t *tree) close() error {
	if t.tar == nil {
		return nil
	}
	return t.tar.Close()
}

// fault notes that a file cannot be read.
func (t *tree) fault(path string, err error) {
	t.faults = append(t.faults, FileReport{Path: t.at(path), Err: err})
}

// at is where a file of the tree lies, for messages.
func (t *tree) at(path string) string { return fetch.Printable(t.file(path)) }

// file is the path of a file of a folder.
func (t *tree) file(path string) string {
	first, rest, _ := strings.Cut(path, "/")
	if name, ok := t.names[first]; ok {
		return filepath.Join(t.root, name, filepath.FromSlash(rest))
	}
	return filepath.Join(t.root, filepath.FromSlash(path))
}

// name is what a folder of the tree is called on disk.
func (t *tree) name(folder string) string { return cmp.Or(t.names[folder], folder) }

// err says which files cannot be read; it is nil if all can.
func (t *tree) err() error {
	const most = 3
	var errs []error
	for _, f := range t.faults[:min(len(t.faults), most)] {
		errs = append(errs, f.Err)
	}
	if n := len(t.faults) - most; n > 0 {
		errs = append(errs, fmt.Errorf("and %d more files that cannot be read; benchrun data verify lists all", n))
	}
	return errors.Join(errs...)
}

// classFolder is what lies in a folder right below train or val.
type classFolder struct {
	images int     // by their names, whether they can be read or not
	other  Skipped // files in formats that are not read
}

// sort gives each image its class and label, and both splits their order: by class, then by path.
// It notes what is skipped and what cannot be read.
func (t *tree) sort(all []found) error {
	byName := map[string]string{}
	if i := slices.IndexFunc(all, func(f found) bool { return f.path == annotations }); i >= 0 {
		var err error
		if byName, err = t.annotated(all[i]); err != nil {
			return err
		}
	}
	skip := skips{}
	skippedFolders := map[string]bool{}
	leave := func(why Reason, path string) {
		if !skippedFolders[path] {
			skippedFolders[path] = true
			skip.add(why, path)
		}
	}
	folders := map[string]map[string]*classFolder{"train": {}, "val": {}}
	if t.names["held"] != "" {
		folders["held"] = map[string]*classFolder{}
	}
	listed := map[string]bool{} // in the annotations, and there
	for _, f := range all {
		parts := strings.Split(f.path, "/")
		if f.path == "." {
			t.fault(f.path, f.fault)
			continue
		}
		if i := slices.IndexFunc(parts, hidden); i >= 0 {
			leave(Hidden, path.Join(parts[:i+1]...))
			continue
		}
		in, ok := folders[parts[0]]
		if !ok {
			leave(Beside, parts[0])
			continue
		}
		folder := new(classFolder) // of a file right below train or val: it counts for none
		if len(parts) > 2 || len(parts) == 2 && f.folder {
			if in[parts[1]] == nil {
				in[parts[1]] = folder
			}
			folder = in[parts[1]]
		}
		kind := kindOf(f.path)
		switch {
		case f.folder && f.fault != nil:
			t.fault(f.path, f.fault)
		case f.folder || f.path == annotations:
		case len(parts) == 1:
			t.fault(f.path, cmp.Or(f.fault, fmt.Errorf("%s: is a file, want a folder", t.at(f.path))))
		case kind == isText:
			skip.add(NoImage, f.path)
		case kind == isOther && f.fault == nil:
			skip.add(Unsupported, f.path)
			folder.other.add(f.path)
		case f.fault != nil:
			folder.images++
			t.fault(f.path, f.fault)
		default:
			folder.images++
			e := entry{path: f.path, offset: f.offset, size: f.size, class: parts[1]}
			if class, ok := byName[path.Base(f.path)]; ok && parts[0] == "val" {
				e.class = class
				listed[path.Base(f.path)] = true
			} else if len(parts) < 3 {
				return fmt.Errorf("%s: lies in no class folder; want %s/<class>/%s", fetch.Printable(f.path), parts[0], fetch.Printable(parts[1]))
			}
			switch err := t.measure(e); {
			case err != nil:
				t.fault(f.path, err)
			case parts[0] == "train":
				t.train = append(t.train, e)
			case parts[0] == "held":
				t.held = append(t.held, e)
			default:
				t.val = append(t.val, e)
			}
		}
	}
	for name := range byName {
		if !listed[name] {
			skip.add(NotListed, name)
		}
	}
	slices.SortFunc(t.faults, func(a, b FileReport) int { return cmp.Compare(a.Path, b.Path) })
	err := t.inhabited(folders, skip)
	if err == nil {
		err = t.label(skip)
	}
	t.skipped = skip.list()
	if len(t.faults) > 0 { // of which the rest may be a consequence
		return nil
	}
	return err
}

// measure refuses a file of no possible size.
func (t *tree) measure(e entry) error {
	switch {
	case e.size == 0:
		return fmt.Errorf("%s: is empty", t.at(e.path))
	case e.size > maxImageBytes:
		return fmt.Errorf("%s: %d bytes, an image has at most %d", t.at(e.path), e.size, maxImageBytes)
	}
	return nil
}

// inhabited refuses a tree without images, and a class folder of train without one: another number
// of classes is another task.
func (t *tree) inhabited(folders map[string]map[string]*classFolder, skip skips) error {
	for _, folder := range []string{"val", "held"} {
		for name, in := range folders[folder] {
			if in.images == 0 {
				skip.add(Empty, t.name(folder)+"/"+name)
			}
		}
	}
	var barren []string
	for name, in := range folders["train"] {
		if in.images == 0 {
			barren = append(barren, name)
		}
	}
	if len(barren) > 0 {
		name := slices.Min(barren)
		why := "has no image"
		if other := folders["train"][name].other; other.Count > 0 {
			why = fmt.Sprintf("has no image that is read, and %d files in other formats, such as %s", other.Count, fetch.Printable(other.Examples[0]))
		}
		return fmt.Errorf("class folder %s %s; want %s, or no such folder (%d of %d classes are so)",
			path.Join(t.name("train"), name), why, pixel.Formats, len(barren), len(folders["train"]))
	}
	if len(t.train) > 0 && (len(t.val) > 0 || t.undivided()) {
		return nil
	}
	if t.undivided() {
		return fmt.Errorf("no image in <class>/ (%s)", pixel.Formats)
	}
	hint := ""
	if len(folders["val"]) == 0 {
		for _, other := range []string{"valid", "validation", "test", "Val", "VAL"} {
			if slices.Contains(skip[Beside].paths(), other) {
				hint = fmt.Sprintf("; if its folder %s is meant, call it val", other)
				break
			}
		}
	}
	return fmt.Errorf("%d images in train/<class>/ and %d in %s/<class>/, want some in both (%s)%s",
		len(t.train), len(t.val), t.name("val"), pixel.Formats, hint)
}

// label numbers the classes of train, and sorts both splits by the number and the path.
func (t *tree) label(skip skips) error {
	label := map[string]int32{}
	for _, e := range t.train {
		label[e.class] = 0
	}
	for class := range label {
		t.classes = append(t.classes, class)
	}
	slices.Sort(t.classes)
	if len(t.classes) > maxClasses {
		return fmt.Errorf("%d classes in train, at most %d are read", len(t.classes), maxClasses)
	}
	alike := map[string]string{} // classes by what they look like
	for i, class := range t.classes {
		label[class] = int32(i)
		if other, twice := alike[unicodenorm.NFC.String(class)]; twice {
			return fmt.Errorf("classes %+q and %+q of train look the same and differ in how Unicode composes their letters: "+
				"rename one, or put its images into the other", other, class)
		}
		alike[unicodenorm.NFC.String(class)] = class
	}
	tested := make([]bool, len(t.classes))
	for _, split := range t.splits() {
		for i := range split {
			e := &split[i]
			l, ok := label[e.class]
			if !ok {
				if same, ok := alike[unicodenorm.NFC.String(e.class)]; ok {
					return fmt.Errorf("%s: class %+q of val and class %+q of train look the same and differ in how Unicode composes "+
						"their letters (a system between has changed names to NFD or to NFC): rename the folder of val as that of train",
						fetch.Printable(e.path), e.class, same)
				}
				return fmt.Errorf("%s: class %q has no images in train; the nearest that has is %q", fetch.Printable(e.path), e.class, nearest.Name(e.class, t.classes))
			}
			e.label = l
		}
		slices.SortFunc(split, func(a, b entry) int {
			return cmp.Or(cmp.Compare(a.label, b.label), cmp.Compare(a.path, b.path))
		})
		for i := 1; i < len(split); i++ {
			if split[i].path == split[i-1].path {
				return fmt.Errorf("%s: is there twice", split[i].path)
			}
		}
	}
	for _, e := range t.val {
		tested[e.label] = true
	}
	for l, ok := range tested {
		if !ok && !t.undivided() {
			skip.add(Untested, t.classes[l])
		}
	}
	return nil
}

// splits are the lists of images.
func (t *tree) splits() [][]entry { return [][]entry{t.train, t.val, t.held} }

// undivided tells whether train and val have not been drawn yet.
func (t *tree) undivided() bool { return t.names["train"] == "." }

// annotated reads lines of file name, class and more.
func (t *tree) annotated(f found) (map[string]string, error) {
	switch {
	case f.fault != nil:
		return nil, f.fault
	case f.size > maxAnnotated:
		return nil, fmt.Errorf("%s: %d bytes, at most %d are read", f.path, f.size, maxAnnotated)
	}
	text, err := t.read(entry{path: f.path, offset: f.offset, size: f.size})
	if err != nil {
		return nil, err
	}
	return parseAnnotations(text)
}

func parseAnnotations(text []byte) (class map[string]string, err error) {
	class = map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			return nil, fmt.Errorf("%s:%d: want a file name and a class, found %.100q", annotations, n, lines.Text())
		}
		class[fields[0]] = fields[1]
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", annotations, err)
	}
	return class, nil
}

// read returns the bytes of a file.
func (t *tree) read(e entry) ([]byte, error) {
	if e.size > maxImageBytes {
		return nil, fmt.Errorf("%s: %d bytes, at most %d are read", e.path, e.size, maxImageBytes)
	}
	b := make([]byte, e.size)
	if t.tar != nil {
		if _, err := t.tar.ReadAt(b, e.offset); err != nil {
			return nil, fmt.Errorf("%s: %w", t.at(e.path), err)
		}
		return b, nil
	}
	name := t.file(e.path)
	f, err := fetch.OpenRegular(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, fmt.Errorf("%s: has changed: %w", name, err)
	}
	return b, nil
}

func (t *tree) decode(e entry) (pixel.Picture, error) {
	b, err := t.read(e)
	if err != nil {
		return pixel.Picture{}, err
	}
	p, err := pixel.Open(b)
	if err != nil {
		return p, fmt.Errorf("%s: %w", t.at(e.path), err)
	}
	return p, nil
}

// bytes is how much the images have.
func (t *tree) bytes() int64 {
	var n int64
	for _, split := range t.splits() {
		for _, e := range split {
			n += e.size
		}
	}
	return n
}

// hash covers path, size and content of every image in order, so that a folder and its tar have the
// same. For trees too large to read just for this it covers paths and sizes, and says so in its
// prefix. A file that is read and is no image is a fault of the tree.
func (t *tree) hash(ctx context.Context, progress fetch.Progress) (string, error) {
	total, done := t.bytes(), int64(0)
	prefix := "sha256:"
	if total > maxHashedBytes {
		prefix = "listing-sha256:"
	}
	h := sha256.New()
	for _, split := range t.splits() {
		for i, e := range split {
			fmt.Fprintf(h, "%s %d\n", e.path, e.size)
			if total > maxHashedBytes {
				continue
			}
			b, err := t.read(e)
			if err != nil {
				return "", err
			}
			if err := pixel.Check(b); err != nil {
				t.fault(e.path, fmt.Errorf("%s: %w", t.at(e.path), err))
			}
			h.Write(b)
			done += e.size
			if i%256 == 0 {
				if ctx.Err() != nil {
					return "", context.Cause(ctx)
				}
				progress.Report("hashing "+t.root, done, total)
			}
		}
	}
	return prefix + hex.EncodeToString(h.Sum(nil)), nil
}

// try decodes every image, on all processors, and notes those that fail.
func (t *tree) try(ctx context.Context) error {
	all := slices.Concat(t.splits()...)
	faults := make([]error, len(all))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(all) {
					return
				}
				_, faults[i] = t.decode(all[i])
			}
		})
	}
	workers.Wait()
	for i, err := range faults {
		if err != nil {
			t.fault(all[i].path, err)
		}
	}
	return context.Cause(ctx)
}

// images is a split whose files are decoded when they are asked for.
type images struct {
	tree    *tree
	entries []entry
	size    int
	kept    *kept
}

func newImages(t *tree, entries []entry, size int, budget *atomic.Int64) *images {
	return &images{t, entries, size, newKept(len(entries), budget)}
}

func (s *images) Len() int                    { return len(s.entries) }
func (s *images) Examples() Examples          { return Examples{Pixels, []int{3, s.size, s.size}} }
func (s *images) Targets() Targets            { return Targets{Classes: len(s.tree.classes)} }
func (s *images) Target(dst []float64, i int) { oneHot(dst, int(s.entries[i].label)) }

func (s *images) Example(i int) (Example, error) {
	p, err := s.kept.picture(i, func() (pixel.Picture, error) { return s.tree.decode(s.entries[i]) })
	return Example{Picture: p}, err
}
