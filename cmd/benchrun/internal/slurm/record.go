package slurm

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"bayesbench/results"
)

// maxRecord bounds jobs.json and submission.json: 100,000 jobs are 30 MB. JSON
// takes up to 64 times its length in memory.
const maxRecord = 64 << 20

// A run directory may come from elsewhere, and what its records say becomes
// words of a script and of commands: an id is one such word.
var (
	idForm    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)
	arrayForm = regexp.MustCompile(`^[0-9]+$`)
)

func checkIDs(ids []string) error {
	for _, id := range ids {
		if !idForm.MatchString(id) {
			return fmt.Errorf("job id %q: want letters, digits, '-', '_', '.'", id)
		}
	}
	return nil
}

func decodeJobs(text []byte, path string) ([]Job, error) {
	var list jobList
	if err := results.DecodeJSON(text, path, &list); err != nil {
		return nil, err
	}
	for _, j := range list.Jobs {
		if err := checkIDs(append([]string{j.ID}, j.Needs...)); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if j.Origin < 1 {
			return nil, fmt.Errorf("%s: job %s is of submission %d", path, j.ID, j.Origin)
		}
	}
	return list.Jobs, nil
}

func decodeSubmission(text []byte, path string) (Submission, error) {
	var s Submission
	if err := results.DecodeJSON(text, path, &s); err != nil {
		return s, err
	}
	err := s.Options.Check()
	for _, a := range s.Arrays {
		if err == nil && !arrayForm.MatchString(a.Slurm) {
			err = fmt.Errorf("array %q: want Slurm's number", a.Slurm)
		}
		if err == nil {
			err = checkIDs(a.Jobs)
		}
	}
	if err == nil && s.Sending != nil {
		err = checkIDs(append([]string{s.Sending.Name}, s.Sending.Jobs...))
	}
	for _, arg := range s.Args {
		if err == nil {
			err = CheckWord("argument", arg)
		}
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// printable puts a question mark for what a terminal would obey and not show.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}
