package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"bayesbench/backends/rng"
	"bayesbench/suites/data"
	"bayesbench/suites/data/augment"
)

//go:embed loader.py
var loaderScript string

// loaderSides are the sides of the images made, in pixels.
var loaderSides = []int{64, 128, 224}

// loaderRow is one size, images by second of CPU time of each round.
type loaderRow struct {
	Side  int       `json:"side"`
	Ours  []float64 `json:"ours"`
	Torch []float64 `json:"torch"`
}

// compareLoader times the input pipeline in alternation with PyTorch's
// DataLoader and torchvision: decode, random resized crop, flip, normalise, in
// batches of 32, one worker. Only CPU time counts, so a busy machine disturbs
// it little.
func (p *peers) compareLoader(ctx context.Context) ([]*loaderRow, error) {
	python, err := pythonWith("torchvision", p.torchPython, "apt-get install python3-torch python3-torchvision")
	if err != nil && !p.alone {
		fmt.Fprintln(p.stderr, "peers: timing without PyTorch:", err)
	}
	var rows []*loaderRow
	for _, side := range loaderSides {
		rows = append(rows, &loaderRow{Side: side})
	}
	for round := range p.rounds {
		for _, r := range rows {
			if python != "" && !p.alone {
				torch := peer{name: "torchvision", python: python, script: loaderScript}
				out, err := torch.run(ctx, filepath.Join(p.photographs, "train"), strconv.Itoa(r.Side), fmt.Sprint(4*p.secs))
				if err != nil {
					return rows, fmt.Errorf("torchvision: %w", err)
				}
				var rate float64
				if err := json.Unmarshal(lastLine(out), &rate); err != nil {
					return rows, fmt.Errorf("torchvision: %w", err)
				}
				r.Torch = append(r.Torch, rate)
			}
			rate, err := loaderRate(ctx, p.photographs, r.Side, 4*p.secs)
			if err != nil {
				return rows, err
			}
			r.Ours = append(r.Ours, rate)
		}
		fmt.Fprintf(p.stderr, "[round %d/%d]\n", round+1, p.rounds)
	}
	return rows, nil
}

// loaderRate is this program's images by second of CPU time; no decoded image
// is kept.
func loaderRate(ctx context.Context, folder string, side int, secs float64) (float64, error) {
	set, err := data.Open(ctx, "imagenet-folder", data.Options{Dir: folder, Offline: true, Size: side, CacheBytes: 1})
	if err != nil {
		return 0, err
	}
	norm, err := data.NewNormalisation(data.Standard, set)
	if err != nil {
		return 0, err
	}
	const batch = 32
	loader, err := data.NewLoader(ctx, set.Train, data.LoaderConfig{
		Batch: batch, Key: rng.Key{1, 0}, Norm: norm, Workers: 1,
		Augment: []augment.Transform{augment.ResizedCrop{Side: side}, augment.Flip{}},
	})
	if err != nil {
		return 0, err
	}
	defer loader.Close()
	epoch := func(n int) (images int, err error) {
		for b, err := range loader.Epoch(n) {
			if err != nil {
				return 0, err
			}
			images += b.Valid
		}
		return images, nil
	}
	if _, err := epoch(0); err != nil { // warm up
		return 0, err
	}
	begun := readTicks().own
	if begun == 0 {
		return 0, errors.New("the CPU time of this process cannot be read here")
	}
	images, spent := 0, 0.0
	for n := 1; spent < secs; n++ {
		more, err := epoch(n)
		if err != nil {
			return 0, err
		}
		images += more
		spent = (readTicks().own - begun) / 100
	}
	return float64(images) / spent, nil
}

func renderLoader(rows []*loaderRow, markdown bool) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(table.Row{"images made", "ours, images by CPU second", "torchvision", "ratio"})
	for _, r := range rows {
		ours, _, _ := spread(r.Ours)
		torch, _, _ := spread(r.Torch)
		t.AppendRow(table.Row{fmt.Sprintf("%dx%d", r.Side, r.Side), fmt.Sprintf("%.0f", ours), fmt.Sprintf("%.0f", torch), over(r.Ours, r.Torch)})
	}
	legend := "Medians over rounds; decode, random resized crop, flip and normalise, one worker, nothing cached."
	if markdown {
		return t.RenderMarkdown() + "\n\n" + legend + "\n"
	}
	return t.Render() + "\n" + legend + "\n"
}
