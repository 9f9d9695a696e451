package data

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"bayesbench/internal/nearest"
	"bayesbench/suites/data/pixel"
)

// tree is a collection of image files, train/<class>/… and val/<class>/…, in a folder or a tar, which it reads in place.
// Between the class and the file there may be a folder images, and val may be flat with val_annotations.txt beside it,
// as in Tiny-ImageNet.
type tree struct {
	root    string   // the folder or tar
	tar     *os.File // nil for a folder
	classes []string // folder names in byte order; the place is the label
	train   []entry
	val     []entry
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
	maxTarMembers = 4 << 20 // ILSVRC has 1.3 million
	// Above this much, reading all of a tree just to hash it would take minutes.
	maxHashedBytes = 1 << 30
)

const annotations = "val/val_annotations.txt"

// openTree lists the images of a folder or a tar.
func openTree(place string) (*tree, error) {
	t := &tree{root: place}
	st, err := os.Stat(place)
	if err != nil {
		return nil, err
	}
	var all []entry
	if st.IsDir() {
		all, err = listFolder(place)
	} else {
		if t.tar, err = os.Open(place); err != nil {
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

// listFolder finds the files below root/train and root/val. Links are followed: the folder is the user's own.
func listFolder(root string) ([]entry, error) {
	var all []entry
	var walk func(rel string, depth int) error
	walk = func(rel string, depth int) error {
		dir, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(rel)))
		if err != nil {
			return err
		}
		for _, d := range dir {
			name := path.Join(rel, d.Name())
			st, err := os.Stat(filepath.Join(root, filepath.FromSlash(name)))
			if err != nil {
				return err
			}
			switch {
			case st.IsDir() && depth < 3:
				if err := walk(name, depth+1); err != nil {
					return err
				}
			case st.Mode().IsRegular():
				all = append(all, entry{path: name, size: st.Size()})
			}
		}
		return nil
	}
	for _, split := range []string{"train", "val"} {
		if err := walk(split, 1); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return all, nil
}

// listTar finds the files below train/ and val/, at whatever depth these lie. A tar with a link, a path that leads out of
// it, or a sparse file is refused: it is not one that was packed from a tree of images.
func listTar(f io.ReadSeeker) ([]entry, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	var all []entry
	var end int64 // of the last member's content
	members := tar.NewReader(f)
	for n := 0; ; n++ {
		m, err := members.Next()
		if err == io.EOF {
			// The reader also takes a file that was cut between members for complete. A complete one has zeros behind.
			if size < (end+511)/512*512+512 {
				return nil, fmt.Errorf("truncated after %d members: the end mark is missing", n)
			}
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if n == maxTarMembers {
			return nil, fmt.Errorf("more than %d members", maxTarMembers)
		}
		if strings.HasPrefix(m.Name, "/") || slices.Contains(strings.Split(m.Name, "/"), "..") {
			return nil, fmt.Errorf("member %q leads out of the archive", m.Name)
		}
		for key := range m.PAXRecords {
			if strings.HasPrefix(key, "GNU.sparse.") {
				return nil, fmt.Errorf("member %q is a sparse file", m.Name)
			}
		}
		switch m.Typeflag {
		case tar.TypeDir, tar.TypeXGlobalHeader:
		case tar.TypeReg:
		default:
			return nil, fmt.Errorf("member %q is a link or a special file (type %q)", m.Name, m.Typeflag)
		}
		// The reader stands where the member's content begins: it reads whole blocks and no further.
		offset, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		end = offset
		if m.Typeflag != tar.TypeReg {
			continue
		}
		if m.Size > size-offset {
			return nil, fmt.Errorf("truncated: member %q has %d bytes, the file goes on for %d", m.Name, m.Size, size-offset)
		}
		end += m.Size
		name := path.Clean(m.Name)
		for _, split := range []string{"train/", "val/"} {
			if i := strings.Index("/"+name, "/"+split); i >= 0 {
				all = append(all, entry{path: name[i:], offset: offset, size: m.Size})
				break
			}
		}
	}
}

// sort gives each image its class and label, and both splits their order: by class, then by path.
func (t *tree) sort(all []entry) error {
	byName := map[string]string{}
	if i := slices.IndexFunc(all, func(e entry) bool { return e.path == annotations }); i >= 0 {
		var err error
		if byName, err = t.annotated(all[i]); err != nil {
			return err
		}
	}
	for _, e := range all {
		switch strings.ToLower(path.Ext(e.path)) {
		case ".jpeg", ".jpg", ".png":
		default:
			continue
		}
		if e.size > maxImageBytes {
			return fmt.Errorf("%s: %d bytes, an image has at most %d", e.path, e.size, maxImageBytes)
		}
		parts := strings.Split(e.path, "/")
		e.class = parts[1]
		if class, ok := byName[path.Base(e.path)]; ok && parts[0] == "val" {
			e.class = class
		} else if len(parts) < 3 {
			return fmt.Errorf("%s: lies in no class folder; expected %s/<class>/%s", e.path, parts[0], parts[1])
		}
		if parts[0] == "train" {
			t.train = append(t.train, e)
		} else {
			t.val = append(t.val, e)
		}
	}
	if len(t.train) == 0 || len(t.val) == 0 {
		return fmt.Errorf("%d images in train/<class>/ and %d in val/<class>/ (.JPEG, .jpg, .jpeg, .png), expected some in both",
			len(t.train), len(t.val))
	}
	label := map[string]int32{}
	for _, e := range t.train {
		label[e.class] = 0
	}
	for class := range label {
		t.classes = append(t.classes, class)
	}
	slices.Sort(t.classes)
	for i, class := range t.classes {
		label[class] = int32(i)
	}
	for _, split := range [][]entry{t.train, t.val} {
		for i := range split {
			e := &split[i]
			l, ok := label[e.class]
			if !ok {
				return fmt.Errorf("%s: class %q has no images in train; the nearest that has is %q", e.path, e.class, nearest.Name(e.class, t.classes))
			}
			e.label = l
		}
		slices.SortFunc(split, func(a, b entry) int {
			return cmp.Or(cmp.Compare(a.label, b.label), cmp.Compare(a.path, b.path))
		})
		for i := range split[1:] {
			if split[i].path == split[i+1].path {
				return fmt.Errorf("%s: is there twice", split[i].path)
			}
		}
	}
	return nil
}

// annotated reads lines of file name, class and more.
func (t *tree) annotated(e entry) (map[string]string, error) {
	if e.size > maxAnnotated {
		return nil, fmt.Errorf("%s: %d bytes, at most %d are read", e.path, e.size, maxAnnotated)
	}
	text, err := t.read(e)
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
			return nil, fmt.Errorf("%s:%d: %.100q, expected a file name and a class", annotations, n, lines.Text())
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
			return nil, fmt.Errorf("%s: %s: %w", t.root, e.path, err)
		}
		return b, nil
	}
	name := filepath.Join(t.root, filepath.FromSlash(e.path))
	f, err := os.Open(name)
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
		return p, fmt.Errorf("%s: %s: %w", t.root, e.path, err)
	}
	return p, nil
}

// hash covers path, size and content of every image in order, so that a folder and its tar have the same. For trees too
// large to read just for this it covers paths and sizes, and says so in its prefix.
func (t *tree) hash(ctx context.Context, progress Progress) (string, error) {
	var bytes, done int64
	for _, split := range [][]entry{t.train, t.val} {
		for _, e := range split {
			bytes += e.size
		}
	}
	prefix := "sha256:"
	if bytes > maxHashedBytes {
		prefix = "listing-sha256:"
	}
	h := sha256.New()
	for _, split := range [][]entry{t.train, t.val} {
		for i, e := range split {
			fmt.Fprintf(h, "%s %d\n", e.path, e.size)
			if bytes > maxHashedBytes {
				continue
			}
			b, err := t.read(e)
			if err != nil {
				return "", err
			}
			h.Write(b)
			done += e.size
			if i%256 == 0 {
				if ctx.Err() != nil {
					return "", context.Cause(ctx)
				}
				progress.report("hashing "+t.root, done, bytes)
			}
		}
	}
	return prefix + hex.EncodeToString(h.Sum(nil)), nil
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

func (s *images) Len() int        { return len(s.entries) }
func (s *images) Classes() int    { return len(s.tree.classes) }
func (s *images) Shape() [3]int   { return [3]int{3, s.size, s.size} }
func (s *images) Label(i int) int { return int(s.entries[i].label) }

func (s *images) Native(i int) (pixel.Picture, error) {
	return s.kept.picture(i, func() (pixel.Picture, error) { return s.tree.decode(s.entries[i]) })
}

func (s *images) Read(dst []uint8, i int) error {
	p, err := s.Native(i)
	if err != nil {
		return err
	}
	fitted := pixel.Image{Pix: dst}
	fitted.Fit(p, s.size)
	return nil
}

// verifyTree decodes every image, on all processors.
func verifyTree(ctx context.Context, report Report, progress Progress) (Report, error) {
	t, err := openTree(report.Place)
	if err != nil {
		report.Files = []FileReport{{report.Place, err}}
		return report, nil
	}
	defer t.close()
	all := slices.Concat(t.train, t.val)
	faults := make([]error, len(all))
	var next, done atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(all) {
					return
				}
				_, faults[i] = t.decode(all[i])
				done.Add(1)
			}
		})
	}
	workers.Wait()
	progress.report("verifying "+report.Name, done.Load(), int64(len(all)))
	if ctx.Err() != nil {
		return report, context.Cause(ctx)
	}
	report.Count = len(all)
	for i, err := range faults {
		if err != nil {
			report.Files = append(report.Files, FileReport{path.Join(t.root, all[i].path), err})
		}
	}
	return report, nil
}
