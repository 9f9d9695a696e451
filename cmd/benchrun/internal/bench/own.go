package bench

import (
	"context"
	"errors"
	"strings"

	"bayesbench/suites"
	"bayesbench/suites/data"
)

// Settle reads the suite's data sets of the user's own and completes the configurations of its
// jobs: the hashes of the sets that a job reads, which are part of its id, and the default of
// data.normalise.
func (s *Sets) Settle(ctx context.Context, suite *suites.Suite) error {
	if len(suite.Datasets) == 0 {
		return nil
	}
	s.Options.Own = map[string]*data.Own{}
	for name, d := range suite.Datasets {
		s.Options.Own[name] = &data.Own{Files: data.Files(d.Files)}
	}
	hashes := map[string]string{}
	hash := func(name string, size int) (string, error) {
		if h, ok := hashes[name]; ok {
			return h, nil
		}
		opt := s.Options
		opt.Size = size
		set, err := data.Open(ctx, name, opt)
		if err != nil {
			return "", ofDataset(suite, name, err)
		}
		hashes[name] = set.Hash
		return set.Hash, nil
	}
	for i := range suite.Jobs {
		c := &suite.Jobs[i]
		for _, name := range append([]string{c.Data.Name}, c.Eval.OOD...) {
			base, _, _ := strings.Cut(name, "+")
			if suite.Datasets[base] == nil {
				continue
			}
			h, err := hash(base, c.Data.Size)
			if err != nil {
				return err
			}
			if c.Content == nil {
				c.Content = map[string]string{}
			}
			c.Content[base] = shortHash(h)
		}
		if base, _, _ := strings.Cut(c.Data.Name, "+"); suite.Datasets[base] != nil && c.Data.Normalise == "" {
			set, err := s.Open(ctx, c.Data)
			if err != nil {
				return ofData(c, ofDataset(suite, base, err))
			}
			c.Data.Normalise = string(data.Normalisations(set.Info)[0])
		}
	}
	return nil
}

// ofDataset puts the line of the suite to an error of a table [dataset.NAME].
func ofDataset(suite *suites.Suite, name string, err error) error {
	if wrong := new(data.FileError); errors.As(err, &wrong) {
		return suite.Datasets[name].Errorf(wrong.Key, "dataset.%s: %w", name, wrong.Err)
	}
	return err
}

// ofData puts the line of the suite to an error of one of the keys of [data].
func ofData(c *suites.Config, err error) error {
	if unfit := new(data.OptionError); errors.As(err, &unfit) {
		return c.Errorf("data."+unfit.Option, "data.%s: %w", unfit.Option, err)
	}
	return err
}
