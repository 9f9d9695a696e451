package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"bayesbench/internal/nearest"
	"bayesbench/internal/npy"
	"bayesbench/suites/data/fetch"
)

// The published test sets of CIFAR-10's classes: CIFAR-10-C (Hendrycks, Dietterich 2019), the test
// set under 19 corruptions at five severities, of which eval.shift = ["published-fog-3"] is one;
// and CIFAR-10.1 (Recht et al. 2018, version 6), new photographs, eval.shift = ["cifar10.1"].
const (
	publishedPrefix = "published-"
	cifar101        = "cifar10.1"
	cifar10c        = "cifar10-c"
	cifarTests      = 10000
	severities      = 5
)

// cifar10cKinds are the files of CIFAR-10-C without their endings, with hyphens.
var cifar10cKinds = []string{
	"brightness", "contrast", "defocus-blur", "elastic-transform", "fog", "frost", "gaussian-blur", "gaussian-noise", "glass-blur",
	"impulse-noise", "jpeg-compression", "motion-blur", "pixelate", "saturate", "shot-noise", "snow", "spatter", "speckle-noise", "zoom-blur",
}

// npyHeader is more than the header of a .npy file of images has.
const npyHeader = 1 << 10

// No hash of single files is published of the two. The MD5 sum of CIFAR-10-C.tar is
// 56bf5dcef84df0e2308c6dcbcbbd8499.
var (
	cifar10cLabels = fetch.File{Name: "labels.npy", Size: 8*severities*cifarTests + npyHeader}
	cifar101Files  = []fetch.File{
		{Name: "cifar10.1_v6_data.npy", Size: 2000*cifarImage + npyHeader},
		{Name: "cifar10.1_v6_labels.npy", Size: 8*2000 + npyHeader},
	}
	cifar10cSource = fetch.ByHand("https://zenodo.org/records/2535967, CIFAR-10-C.tar, unpacked")
	cifar101Source = fetch.ByHand("https://github.com/modestyachts/CIFAR-10.1, folder datasets")
)

func cifar10cFile(kind string) fetch.File {
	return fetch.File{Name: strings.ReplaceAll(kind, "-", "_") + ".npy", Size: severities*cifarTests*cifarImage + npyHeader}
}

func init() {
	shape, classes := Examples{Pixels, []int{3, cifarSide, cifarSide}}, Targets{Classes: 10}
	all := []fetch.File{cifar10cLabels}
	for _, kind := range cifar10cKinds {
		all = append(all, cifar10cFile(kind))
	}
	register(&source{
		Info: Info{
			Name: cifar10c, Examples: shape, Targets: classes, Licence: "CC BY 4.0",
			About: "CIFAR-10-C: CIFAR-10's test set under 19 corruptions, for eval.shift of cifar10 as published-fog-3 (Hendrycks, Dietterich 2019)",
		},
		files: all, aliases: cifar10cFolders, providers: []fetch.Provider{cifar10cSource},
		load: func(context.Context, Info, string, Options) (*Set, error) {
			return nil, errors.New("it is read by eval.shift of cifar10, as in eval.shift = [\"published-fog-3\"]")
		},
	})
	register(&source{
		Info: Info{
			Name: cifar101, Examples: shape, Targets: classes, Licence: "MIT for the set; the photographs are their makers'",
			About: "CIFAR-10.1, version 6: 2,000 new photographs of CIFAR-10's classes, test only, and eval.shift of cifar10 (Recht et al. 2018)",
		},
		files: cifar101Files, aliases: cifar101Folders, providers: []fetch.Provider{cifar101Source},
		load: func(_ context.Context, info Info, dir string, _ Options) (*Set, error) {
			test, err := readPublished(dir, cifar101Files[0], cifar101Files[1], 0)
			if err != nil {
				return nil, err
			}
			return memorySet(info, nil, test), nil
		},
	})
}

func cifar10cFolders(Options) []string { return []string{"CIFAR-10-C"} }
func cifar101Folders(Options) []string { return []string{"CIFAR-10.1", "datasets"} }

// published tells whether a shift of the set is a published test set, not made by the program.
func (s *Set) published(shift string) bool {
	return s.Name == "cifar10" && (strings.HasPrefix(shift, publishedPrefix) || shift == cifar101)
}

// shiftPublished takes the test split from a published set.
func (s *Set) shiftPublished(ctx context.Context, shift string, opt Options) error {
	files := fetch.Set{Name: cifar101, Aliases: cifar101Folders(opt), Files: cifar101Files, Providers: []fetch.Provider{cifar101Source}}
	severity := 0
	if shift != cifar101 {
		kind := strings.TrimPrefix(shift, publishedPrefix)
		if i := strings.LastIndexByte(kind, '-'); i >= 0 && i == len(kind)-2 {
			kind, severity = kind[:i], int(kind[i+1]-'0')
		}
		if !slices.Contains(cifar10cKinds, kind) || severity < 1 || severity > severities {
			return fmt.Errorf("shift %q: want published-KIND-N of CIFAR-10-C with N from 1 to %d; did you mean %q?", shift, severities,
				publishedPrefix+nearest.Name(kind, cifar10cKinds)+"-1")
		}
		files = fetch.Set{
			Name: cifar10c, Aliases: cifar10cFolders(opt), Files: []fetch.File{cifar10cFile(kind), cifar10cLabels},
			Providers: []fetch.Provider{cifar10cSource},
		}
	}
	dir, err := files.Locate(ctx, fetch.Options{Dir: opt.Dir, Offline: opt.Offline, Progress: opt.Progress})
	if err != nil {
		return err
	}
	test, err := readPublished(dir, files.Files[0], files.Files[1], severity)
	if err != nil {
		return err
	}
	s.Name += "+" + shift
	s.Test = test
	both := sha256.Sum256([]byte(s.Hash + " " + hashMemory(s.Info, &memory{}, test)))
	s.Hash = "sha256:" + hex.EncodeToString(both[:])
	return nil
}

// readPublished reads images and labels that numpy wrote: all, or those of a severity.
func readPublished(dir string, images, labels fetch.File, severity int) (*memory, error) {
	open := func(f fetch.File) (*npy.Array, error) {
		path, err := f.Find(dir)
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(path, ".gz") {
			return nil, fmt.Errorf("%s: unpack it", path)
		}
		return npy.Open(path)
	}
	y, err := open(labels)
	if err != nil {
		return nil, err
	}
	defer y.Close()
	if len(y.Shape) != 1 || y.Len() > severities*cifarTests {
		return nil, fmt.Errorf("%s: shape %v, want a label for each image, at most %d", y.Path, y.Shape, severities*cifarTests)
	}
	known, err := y.Float64s()
	if err != nil {
		return nil, err
	}
	x, err := open(images)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	if want := []int{len(known), cifarSide, cifarSide, 3}; !slices.Equal(x.Shape, want) || x.Type != npy.Uint8 {
		return nil, fmt.Errorf("%s: shape %v of %s, want %v of uint8 as there are labels in %s", x.Path, x.Shape, x.Type, want, filepath.Base(y.Path))
	}
	pix, err := x.Uint8s()
	if err != nil {
		return nil, err
	}
	if severity > 0 {
		n := len(known) / severities
		from, to := (severity-1)*n, severity*n
		known, pix = known[from:to], pix[from*cifarImage:to*cifarImage]
	}
	classes := make([]uint8, len(known))
	for i, v := range known {
		if classes[i] = uint8(v); !(v >= 0 && v < 10) || float64(classes[i]) != v {
			return nil, fmt.Errorf("%s: label of image %d: want 0 to 9, found %v", y.Path, i, v)
		}
	}
	shape := [3]int{3, cifarSide, cifarSide}
	return newMemory(planes(pix, shape), classes, 10, shape)
}
