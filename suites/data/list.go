package data

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"bayesbench/suites/data/fetch"
	"bayesbench/suites/data/pixel"
)

// found is a file, a folder or something else at or below the root of an image tree, as a folder or
// a tar lists it.
type found struct {
	path   string // from the root on, with slashes
	folder bool
	offset int64 // in the tar
	size   int64
	fault  error // why it cannot be read
}

const (
	// maxFiles bounds what an image tree has, folders too; ILSVRC has 1.3 million files.
	maxFiles = 4 << 20
	// maxDepth bounds how deep a file lies below the root. It ends the walk where links lead in a
	// circle.
	maxDepth = 16
	maxPath  = 4096
)

// listFolder finds what lies in root and, below those of its folders that enter accepts, at any
// depth. Links are followed: the folder is the user's own. Hidden folders are not entered.
func listFolder(root string, enter func(name string) bool) ([]found, error) {
	var all []found
	var walk func(rel string, depth int) error
	walk = func(rel string, depth int) error {
		dir, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(rel)))
		if err != nil {
			all = append(all, found{path: rel, folder: true, fault: err})
			return nil
		}
		for _, d := range dir {
			f := found{path: path.Join(rel, d.Name())}
			if len(all) == maxFiles {
				return fmt.Errorf("more than %d files and folders", maxFiles)
			}
			if err := f.look(filepath.Join(root, filepath.FromSlash(f.path))); err != nil {
				f.fault = err
			}
			all = append(all, f)
			if !f.folder || hidden(d.Name()) || depth == 0 && !enter(d.Name()) {
				continue
			}
			if depth == maxDepth {
				return fmt.Errorf("%s: folders lie more than %d deep; does a link lead back to a folder it lies in?", fetch.Printable(f.path), maxDepth)
			}
			if err := walk(f.path, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(".", 0); err != nil {
		return nil, err
	}
	return all, nil
}

// look fills in what lies at the place. Its error is f's fault.
func (f *found) look(place string) error {
	st, err := os.Stat(place)
	if err != nil {
		if to, linkErr := os.Readlink(place); linkErr == nil && errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: is a link to %s, which is not there; mend the link or remove it", fetch.Printable(place), fetch.Printable(to))
		}
		return err
	}
	f.folder, f.size = st.IsDir(), st.Size()
	if f.folder {
		return nil
	}
	return fetch.Regular(place, st.Mode())
}

// listTar finds the files in a tar of a tree: those below the folder that holds train and val, at
// whatever depth that is. A tar with a link, a path that leads out of it, or a sparse file is
// refused: it is not one that was packed from a tree of images.
func listTar(f io.ReadSeeker) ([]found, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	var all []found
	var end int64 // of the last member's content
	members := tar.NewReader(f)
	for n := 0; ; n++ {
		m, err := members.Next()
		if err == io.EOF {
			// The reader also takes a file that was cut between members for complete. A complete
			// one has zeros behind.
			if size < (end+511)/512*512+512 {
				return nil, fmt.Errorf("truncated after %d members: the end mark is missing", n)
			}
			return fromRoot(all)
		}
		if err != nil {
			return nil, err
		}
		if n == maxFiles {
			return nil, fmt.Errorf("more than %d members", maxFiles)
		}
		name := path.Clean(m.Name)
		switch {
		case strings.HasPrefix(m.Name, "/") || slices.Contains(strings.Split(m.Name, "/"), ".."):
			return nil, fmt.Errorf("member %.200q leads out of the archive", m.Name)
		case len(name) > maxPath:
			return nil, fmt.Errorf("member %.200q…: its path has %d bytes, at most %d are read", name, len(name), maxPath)
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
			return nil, fmt.Errorf("member %q is a link or a special file (type %q); pack the files themselves, as tar -h does",
				m.Name, m.Typeflag)
		}
		// The reader stands where the member's content begins: it reads whole blocks and no
		// further.
		offset, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		end = offset
		switch m.Typeflag {
		case tar.TypeDir:
			all = append(all, found{path: name, folder: true})
		case tar.TypeReg:
			if m.Size > size-offset {
				return nil, fmt.Errorf("truncated: member %q has %d bytes, the file goes on for %d", m.Name, m.Size, size-offset)
			}
			end += m.Size
			all = append(all, found{path: name, offset: offset, size: m.Size})
		}
	}
}

// fromRoot makes the paths of a tar's members start at the folder that holds train and val, and
// leaves out the folders above it.
func fromRoot(all []found) ([]found, error) {
	root, known := "", false
	for _, f := range all {
		above, ok := rootOf(f)
		switch {
		case !ok:
		case !known:
			root, known = above, true
		case above != root:
			one, other := min(root, above), max(root, above)
			return nil, fmt.Errorf("holds train and val twice, in %s and in %s; unpack it and name one of them",
				path.Join("./", one), path.Join("./", other))
		}
	}
	kept := all[:0]
	for _, f := range all {
		switch {
		case f.path == "." || f.folder && (f.path == root || strings.HasPrefix(root, f.path+"/")):
			continue
		case root != "":
			below, ok := strings.CutPrefix(f.path, root+"/")
			if ok {
				f.path = below
			}
		}
		kept = append(kept, f)
	}
	return kept, nil
}

// rootOf is the folder that holds the first train or val of the path, "" for the top; ok is false
// where there is none, or only in what is hidden.
func rootOf(f found) (root string, ok bool) {
	parts := strings.Split(f.path, "/")
	if !f.folder {
		parts = parts[:len(parts)-1]
	}
	for i, part := range parts {
		if hidden(part) {
			return "", false
		}
		if part == "train" || part == "val" {
			return strings.Join(parts[:i], "/"), true
		}
	}
	return "", false
}

// hidden tells whether no set has files or folders of this name: they start with a dot, or a system
// or a program leaves them in folders.
func hidden(name string) bool {
	switch strings.ToLower(name) {
	case "__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "system volume information", "lost+found":
		return true
	}
	return strings.HasPrefix(name, ".")
}

// kind is what a file of a tree is by its name.
type kind int

const (
	isImage kind = iota
	isText
	isOther
)

func kindOf(name string) kind {
	base, ext := strings.ToLower(path.Base(name)), strings.ToLower(path.Ext(name))
	switch {
	case slices.Contains(pixel.Extensions, ext):
		return isImage
	case slices.Contains([]string{".txt", ".md", ".rst", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".toml",
		".html", ".htm", ".log", ".pdf", ".py", ".sh", ".md5", ".sha256"}, ext):
		return isText
	case ext == "" && slices.Contains([]string{"readme", "license", "licence", "copying", "notice", "citation", "makefile"}, base):
		return isText
	}
	return isOther
}
