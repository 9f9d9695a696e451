package report

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"strconv"
	"strings"
)

// flatCell is one cell with everything around it: a line of the CSV form, an object of the JSON
// form.
type flatCell struct {
	Table    string            `json:"table"`
	Row      map[string]string `json:"row"`
	Column   string            `json:"column"`
	Metric   string            `json:"metric"`
	Better   string            `json:"better,omitempty"`
	Runs     int               `json:"runs"`
	Over     string            `json:"over"` // what the runs differ in: seeds, splits, or "runs" for both
	Mean     *float64          `json:"mean"` // null where it is infinite
	SD       *float64          `json:"sd"`   // over the runs
	Baseline string            `json:"baseline,omitempty"`
	Pairs    int               `json:"pairs,omitempty"`
	Delta    *float64          `json:"delta,omitempty"`
	P        *float64          `json:"p,omitempty"`
	MinP     *float64          `json:"min_p,omitempty"`
	Adjusted *float64          `json:"p_holm,omitempty"`
	Verdict  Verdict           `json:"verdict,omitempty"`
	Explored bool              `json:"exploratory,omitempty"`
	Mark     string            `json:"mark,omitempty"`
	Selected string            `json:"selected_by,omitempty"` // nll@validation
	Settings string            `json:"settings,omitempty"`    // that were selected
	Tried    int               `json:"tried,omitempty"`       // settings
	labels   []string
}

func flatten(t *Table) []flatCell {
	var flat []flatCell
	for _, r := range t.Rows {
		row := map[string]string{}
		for k, head := range t.RowHeads {
			row[head] = r.Labels[k]
		}
		for j, c := range r.Cells {
			if c.N == 0 {
				continue
			}
			f := flatCell{
				Table: t.Title, Row: row, Column: t.Columns[j].Head, Metric: t.Columns[j].Unit,
				Better: string(t.Columns[j].Better), Runs: c.N, Over: t.Over, Mean: finite(c.Mean), SD: finite(c.SD), labels: r.Labels, Mark: r.Mark,
			}
			if r.Pick != nil {
				f.Selected, f.Settings, f.Tried = r.Pick.By.String(), r.Pick.Settings, r.Pick.Tried
			}
			if c.Comparison != nil {
				f.Baseline, f.Pairs, f.Verdict, f.Explored = t.Baseline, c.Pairs, c.Verdict, c.Exploratory
				f.Delta, f.P, f.MinP, f.Adjusted = finite(c.Delta), finite(c.P), finite(c.MinP), finite(c.Adjusted)
			}
			flat = append(flat, f)
		}
	}
	return flat
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// WriteJSON writes the tables as one JSON object: {"tables": [{"title", "notes", "cells": […]}]}.
// Numbers have full precision.
func WriteJSON(w io.Writer, tables []Table) error {
	type jsonTable struct {
		Title string     `json:"title"`
		Notes []string   `json:"notes"`
		Cells []flatCell `json:"cells"`
	}
	doc := struct {
		Tables []jsonTable `json:"tables"`
	}{Tables: []jsonTable{}}
	for i := range tables {
		doc.Tables = append(doc.Tables, jsonTable{tables[i].Title, tables[i].legend(), flatten(&tables[i])})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}

// inert puts an apostrophe before a name that a spreadsheet would take for a formula.
func inert(name string) string {
	if strings.IndexAny(name, "=+-@") == 0 {
		return "'" + name
	}
	return name
}

// WriteCSV writes one line a cell with full precision.
func WriteCSV(w io.Writer, tables []Table) error {
	out := csv.NewWriter(w)
	out.Write([]string{"table", "row", "column", "metric", "better", "runs", "over", "mean", "sd", "baseline", "pairs", "delta", "p", "min_p", "p_holm", "verdict", "exploratory", "mark", "selected_by", "settings", "tried"})
	text := func(v *float64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'g', -1, 64)
	}
	count := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	for i := range tables {
		for _, f := range flatten(&tables[i]) {
			out.Write([]string{inert(f.Table), inert(strings.TrimSpace(strings.Join(f.labels, " "))), inert(f.Column), inert(f.Metric), f.Better,
				strconv.Itoa(f.Runs), f.Over, text(f.Mean), text(f.SD), inert(f.Baseline), strconv.Itoa(f.Pairs), text(f.Delta), text(f.P), text(f.MinP), text(f.Adjusted), string(f.Verdict), strconv.FormatBool(f.Explored), f.Mark,
				f.Selected, inert(f.Settings), count(f.Tried)})
		}
	}
	out.Flush()
	return out.Error()
}
