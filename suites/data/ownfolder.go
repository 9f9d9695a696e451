package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// openFolder opens a folder of images of the user's own: train/CLASS/… and test/CLASS/…, with
// validation below val, valid or validation; or, where there is no test, with the test images
// there, as in the trees of ImageNet; or CLASS/…, of which test_share is drawn.
func (o *Own) openFolder(ctx context.Context, info Info, opt Options) (*Set, error) {
	info.Examples = Examples{Pixels, []int{3, 0, 0}}
	info.Mean, info.Std = imagenetMean, imagenetStd
	if err := info.checkOptions(opt); err != nil {
		return nil, err
	}
	if err := checkSide(opt.side()); err != nil {
		return nil, err
	}
	t, err := o.openTree()
	if err != nil {
		return nil, keyed("folder", err)
	}
	set, err := t.set(ctx, info, opt)
	if err != nil {
		return nil, keyed("folder", err)
	}
	set.From = o.Folder
	if !t.undivided() {
		return set, nil
	}
	n := len(t.train)
	if test := o.tested(n); test < 1 || test >= n {
		return nil, misfit("test_share", "test_share: %v of %d images are %d for testing, want at least one, and one that stays", o.TestShare, n, test)
	}
	d := o.division(n, opt.Split)
	slices.Sort(d.train) // by class, as in a tree that is divided on disk
	slices.Sort(d.test)
	set.Test, set.Train = subset{set.Train, d.test}, subset{set.Train, d.train}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %v %d", set.Hash, o.TestShare, max(o.Splits, 1)))
	prefix, _, _ := strings.Cut(set.Hash, ":")
	set.Hash = prefix + ":" + hex.EncodeToString(sum[:])
	return set, nil
}

// openTree lists the images.
func (o *Own) openTree() (*tree, error) {
	st, err := os.Stat(o.Folder)
	if err != nil {
		return nil, err
	}
	if !st.IsDir() {
		return nil, fmt.Errorf("%s: is no folder; unpack an archive, and name the folder", o.Folder)
	}
	is := func(name string) bool {
		st, err := os.Stat(filepath.Join(o.Folder, name))
		return err == nil && st.IsDir()
	}
	t := &tree{root: o.Folder, names: map[string]string{"train": "."}}
	if is("train") {
		t.names = map[string]string{"train": "train"}
		for _, name := range []string{"val", "valid", "validation"} {
			if is(name) {
				t.names["held"] = name
				break
			}
		}
		switch {
		case is("test"):
			t.names["val"] = "test"
		case t.names["held"] != "":
			t.names["val"] = t.names["held"]
			delete(t.names, "held")
		default:
			return nil, fmt.Errorf("%s: has a folder train and none of test, val, valid and validation", o.Folder)
		}
		if o.TestShare > 0 {
			return nil, misfit("test_share", "test_share: %s has folders of its own for training and testing", o.Folder)
		}
	} else if o.TestShare == 0 {
		return nil, misfit("test_share", "want test_share, the share of the images that is drawn for the test split, such as 0.2; or folders train and test in %s", o.Folder)
	}
	canonical := map[string]string{} // by the name on disk
	for folder, name := range t.names {
		canonical[name] = folder
	}
	all, err := listFolder(o.Folder, func(name string) bool { return t.undivided() || canonical[name] != "" })
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Folder, err)
	}
	kept := all[:0]
	for _, f := range all {
		first, rest, below := strings.Cut(f.path, "/")
		switch {
		case f.path == ".":
		case t.undivided() && !f.folder && !below:
			continue // a file beside the classes
		case t.undivided():
			f.path = path.Join("train", f.path)
		case canonical[first] != "":
			f.path = path.Join(canonical[first], rest)
		}
		kept = append(kept, f)
	}
	if err := t.sort(kept); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Folder, err)
	}
	return t, nil
}
