package report

import (
	"bytes"
	"strings"
	"testing"

	"bayesbench/results"
	"bayesbench/results/report/papers"
)

func TestTraceable(t *testing.T) {
	for version, want := range map[string]bool{"devel": false, "(devel)": false, "v0.0.0-20261128172159-4abbb2e3db5a+dirty": false, "v1.2.0+dirty": false,
		"v0.0.0-20261128165707-2e7328d987f4": true, "v1.2.0": true} {
		if traceable(version) != want {
			t.Errorf("%s is traceable: %v", version, !want)
		}
	}
	for version, want := range map[string]string{"v0.0.0-20261128172159-4abbb2e3db5a+dirty": "4abbb2e3db5a+dirty", "v1.3.1-0.20261128172159-4abbb2e3db5a": "4abbb2e3db5a",
		"v1.2.0": "v1.2.0", "devel": "devel"} {
		if got := shortVersion(version); got != want {
			t.Errorf("%s is %s, want %s", version, got, want)
		}
	}
}

// versioned is a record of a version.
func versioned(method, version, predict, unit string) *results.Record {
	r := record(method, "0", 1, results.Value{Unit: unit, Value: 0.5})
	r.Config = append(r.Config, results.Pair{Key: "version", Value: version})
	r.Sweep = []results.Pair{{Key: "predict", Value: predict}}
	return &r
}

// Each entry of the registry concerns what it names in results of earlier commits, and nothing
// else.
func TestOutdated(t *testing.T) {
	const before, after = "v0.0.0-20261128165707-2e7328d987f4", "v0.0.0-20991231235959-2e7328d987f4"
	o := outdating{Until: "20261130232151", Methods: []string{"learned-dropout"}, Units: []string{"nll"}, Predict: []string{"sample"}}
	for _, c := range []struct {
		r    *results.Record
		unit string
		want bool
	}{
		{versioned("learned-dropout", before, "sample", "nll"), "nll", true},
		{versioned("ensemble(learned-dropout)", before, "sample", "nll"), "nll", true},
		{versioned("distill(ensemble(learned-dropout))", before, "sample", "nll"), "nll", true},
		{versioned("learned-dropout", before+"+dirty", "sample", "nll"), "nll", true},
		{versioned("learned-dropout", after, "sample", "nll"), "nll", false},
		{versioned("learned-dropout", "v0.0.0-20261130232151-ac55f42a7a5a", "sample", "nll"), "nll", false},
		{versioned("learned-dropout", before, "mean", "nll"), "nll", false},
		{versioned("learned-dropout", before, "sample", "nll"), "error", false},
		{versioned("dropout", before, "sample", "nll"), "nll", false},
		{versioned("learned-dropout", "v1.0.0", "sample", "nll"), "nll", false},
	} {
		if got := o.concerns(c.r, c.unit); got != c.want {
			t.Errorf("%s of %s: %v", c.unit, c.r.Name(), got)
		}
	}
	wide := versioned("learned-dropout", before, "sample", "nll")
	wide.Model = "vgg-like-0.25"
	if o.Models = []string{"resnet", "vgg-like"}; !o.concerns(wide, "nll") {
		t.Error("a part of the model's name is not enough")
	}
	if o.Models = []string{"resnet"}; o.concerns(wide, "nll") {
		t.Error("another model is concerned")
	}
	if len(outdatings) == 0 {
		t.Fatal("the registry is empty")
	}
	for _, o := range outdatings {
		if len(o.Until) != 14 || strings.Trim(o.Until, "0123456789") != "" || !strings.HasPrefix(o.Why, "before ") {
			t.Errorf("%+v", o)
		}
	}
}

// The marks stand in every format of every verb, with a note.
func TestMarks(t *testing.T) {
	set := results.Set{Units: results.Units{"error": demoUnits["error"], "aurc": {Name: "aurc", Better: results.Lower}}}
	add := func(method, version, unit string) {
		set.Records = append(set.Records, *versioned(method, version, "mean", unit))
	}
	add("plain", "v0.0.0-20991231235959-2e7328d987f4", "aurc")
	add("loose", "devel", "aurc")
	add("aged", "v0.0.0-20261128165707-2e7328d987f4", "aurc")
	tables := build(t, set, Query{Metrics: []string{"aurc"}})
	marks := map[string]string{}
	for _, r := range tables[0].Rows {
		marks[r.Labels[0]] = r.Mark
	}
	if marks["plain"] != "" || marks["loose"] != Untraceable || marks["aged"] != Outdated {
		t.Errorf("marks %v", marks)
	}
	var text, markdown, latex, csv, json, page bytes.Buffer
	for _, err := range []error{WriteText(&text, tables, Style{}), WriteMarkdown(&markdown, tables), WriteLaTeX(&latex, tables), WriteCSV(&csv, tables), WriteJSON(&json, tables),
		WriteHTML(&page, Data{Set: set}, Query{Metrics: []string{"aurc"}})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for format, out := range map[string]*bytes.Buffer{"text": &text, "markdown": &markdown, "latex": &latex, "csv": &csv, "json": &json, "html": &page} {
		if !strings.Contains(out.String(), Untraceable) || !strings.Contains(out.String(), "(old)") {
			t.Errorf("%s has no marks:\n%s", format, out.String())
		}
		if format != "csv" && !strings.Contains(out.String(), "cannot be traced to a commit: devel") {
			t.Errorf("%s has no note:\n%s", format, out.String())
		}
	}
	a, err := BuildAggregate(set, Query{Metrics: []string{"aurc"}, Baseline: "plain"})
	if err != nil || !strings.Contains(strings.Join(a.Notes, " "), "cannot be traced") || a.Rows[1].Mark == "" {
		t.Errorf("%+v, %v", a, err)
	}
	changes, err := Compare(set, set, Query{})
	if err != nil || !strings.Contains(strings.Join(changes.Notes, " "), "cannot be traced") {
		t.Errorf("%+v, %v", changes, err)
	}
	p, err := papers.Get("sparse-vd")
	if err != nil {
		t.Fatal(err)
	}
	ours := paperSet()
	for i := range ours.Records {
		ours.Records[i].Config = append(ours.Records[i].Config, results.Pair{Key: "version", Value: "devel"})
	}
	paper, err := BuildPaper(ours, p, "", 0.05)
	if err != nil || !strings.HasSuffix(paper.Rows[4].Pairs[0].Ours, "(4) (?)") || !strings.Contains(strings.Join(paper.Notes, " "), "cannot be traced") {
		t.Errorf("%+v, %v", paper.Rows[4], err)
	}
}
