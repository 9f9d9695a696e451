package report

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	_ "gonum.org/v1/plot/vg/vgimg" // PNG
	_ "gonum.org/v1/plot/vg/vgpdf" // PDF
	"gonum.org/v1/plot/vg/vgsvg"
)

// A Figure is one drawing. Its legend stands beside the axes, where it covers no data.
type Figure struct {
	Name    string // such as nll-samples
	Title   string
	Caption string // what is drawn and what its bars mean
	plot    *plot.Plot
	legend  []legendEntry
	zero    bool // the y axis starts at 0
}

type legendEntry struct {
	label  string
	thumbs []plot.Thumbnailer
}

// The size of a figure on paper.
const (
	figureWidth  = 16 * vg.Centimeter
	figureHeight = 9 * vg.Centimeter
)

// palette is that of Okabe and Ito without black and yellow: told apart with any colour vision, on white and on black.
var palette = []color.RGBA{
	{0x00, 0x72, 0xB2, 0xff}, {0xD5, 0x5E, 0x00, 0xff}, {0x00, 0x9E, 0x73, 0xff},
	{0xCC, 0x79, 0xA7, 0xff}, {0xE6, 0x9F, 0x00, 0xff}, {0x56, 0xB4, 0xE9, 0xff},
}

var (
	glyphs = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.TriangleGlyph{}, draw.SquareGlyph{}, draw.PyramidGlyph{}, draw.BoxGlyph{}, draw.RingGlyph{}}
	dashes = [][]vg.Length{nil, {vg.Points(5), vg.Points(2)}, {vg.Points(2), vg.Points(2)}, {vg.Points(7), vg.Points(2), vg.Points(2), vg.Points(2)}}
	grey   = color.RGBA{0x99, 0x99, 0x99, 0xff}
)

func init() { plot.DefaultFont.Variant = "Sans" }

func newFigure(name, title, x, y, caption string) *Figure {
	f := &Figure{Name: name, Title: title, Caption: caption, plot: plot.New()}
	f.plot.Title.Text = title
	f.plot.Title.Padding = vg.Points(4)
	f.plot.X.Label.Text, f.plot.Y.Label.Text = x, y
	f.plot.BackgroundColor = nil // that of what it stands on
	f.plot.X.Tick.Marker, f.plot.Y.Tick.Marker = ticker{}, ticker{}
	grid := plotter.NewGrid()
	grid.Vertical.Color = color.RGBA{0xdd, 0xdd, 0xdd, 0xff}
	grid.Horizontal.Color = color.RGBA{0xdd, 0xdd, 0xdd, 0xff}
	f.plot.Add(grid)
	return f
}

// ticker labels four to eight round numbers (plot.DefaultTicks labels three).
type ticker struct{}

func (ticker) Ticks(low, high float64) []plot.Tick {
	step := math.Pow10(int(math.Floor(math.Log10((high - low) / 4))))
	for _, by := range []float64{2, 2.5, 2} { // 1, 2, 5, 10
		if (high-low)/step <= 8 {
			break
		}
		step *= by
	}
	decimals := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	var ticks []plot.Tick
	for i := math.Ceil(low/step-1e-9) + 0; i*step <= high+step*1e-9; i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: strconv.FormatFloat(i*step, 'f', decimals, 64)})
	}
	return ticks
}

// A point is one measurement in a figure. Spread is the half height of its error bar, 0 for none.
type point struct{ x, y, spread float64 }

type points []point

func (p points) Len() int                      { return len(p) }
func (p points) XY(i int) (x, y float64)       { return p[i].x, p[i].y }
func (p points) YError(i int) (lo, hi float64) { return p[i].spread, p[i].spread }

// line adds one series: the i-th of the figure, which chooses colour, dash and glyph.
func (f *Figure) line(i int, label string, ps points, marks bool) error {
	if len(ps) == 0 {
		return nil
	}
	line, err := plotter.NewLine(ps)
	if err != nil {
		return fmt.Errorf("figure %s, %s: %w", f.Name, label, err)
	}
	line.Color, line.Width = palette[i%len(palette)], vg.Points(1.5)
	line.Dashes = dashes[i/len(palette)%len(dashes)]
	thumbs := []plot.Thumbnailer{line}
	f.plot.Add(line)
	if marks {
		scatter, err := plotter.NewScatter(ps)
		if err != nil {
			return fmt.Errorf("figure %s, %s: %w", f.Name, label, err)
		}
		scatter.GlyphStyle = draw.GlyphStyle{Color: palette[i%len(palette)], Radius: vg.Points(2.8), Shape: glyphs[i%len(glyphs)]}
		f.plot.Add(scatter)
		thumbs = append(thumbs, scatter)
	}
	bars, err := plotter.NewYErrorBars(ps)
	if err != nil {
		return fmt.Errorf("figure %s, %s: %w", f.Name, label, err)
	}
	bars.LineStyle.Color, bars.LineStyle.Width = palette[i%len(palette)], vg.Points(0.8)
	for _, p := range ps {
		if p.spread > 0 {
			f.plot.Add(bars)
			break
		}
	}
	f.legend = append(f.legend, legendEntry{label, thumbs})
	return nil
}

// reference adds a thin grey line that data are compared with.
func (f *Figure) reference(label string, ps points) error {
	line, err := plotter.NewLine(ps)
	if err != nil {
		return err
	}
	line.Color, line.Dashes = grey, dashes[1]
	f.plot.Add(line)
	f.legend = append(f.legend, legendEntry{label, []plot.Thumbnailer{line}})
	return nil
}

// draw draws the figure with its legend at the right.
func (f *Figure) draw(c draw.Canvas) {
	legend := plot.NewLegend()
	legend.Top, legend.Left = true, true
	legend.ThumbnailWidth = vg.Points(22)
	legend.Padding = vg.Points(3)
	width := vg.Length(0)
	for _, e := range f.legend {
		legend.Add(e.label, e.thumbs...)
		width = max(width, legend.TextStyle.Width(e.label))
	}
	if f.zero {
		f.plot.Y.Min = 0
	}
	space := vg.Length(0)
	if len(f.legend) > 0 {
		space = width + legend.ThumbnailWidth + vg.Points(12)
	}
	c = draw.Crop(c, vg.Points(4), -vg.Points(4), vg.Points(4), -vg.Points(4))
	f.plot.Draw(draw.Crop(c, 0, -space, 0, 0))
	legend.Draw(draw.Crop(c, c.Max.X-c.Min.X-space+vg.Points(8), 0, vg.Points(30), -vg.Points(24)))
}

// Write draws the figure in a format: svg, png or pdf.
func (f *Figure) Write(w io.Writer, format string) error {
	switch format {
	case "svg", "png", "pdf":
	default:
		return fmt.Errorf("figure format %q: want svg, png or pdf", format)
	}
	canvas, err := draw.NewFormattedCanvas(figureWidth, figureHeight, format)
	if err != nil {
		return err
	}
	if format != "svg" { // paper is white; an SVG takes the colour of what it stands on
		c := draw.New(canvas)
		c.SetColor(color.White)
		c.Fill(c.Rectangle.Path())
	}
	f.draw(draw.New(canvas))
	_, err = canvas.WriteTo(w)
	return err
}

var svgProlog = regexp.MustCompile(`(?s)^.*?<svg[^>]*>`)

// Inline draws the figure as an SVG element for HTML: it takes the text colour and font of the page and scales with
// its column.
func (f *Figure) Inline() (string, error) {
	canvas := vgsvg.New(figureWidth, figureHeight)
	f.draw(draw.New(canvas))
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return "", err
	}
	svg := out.String()
	open := svgProlog.FindString(svg)
	svg = strings.TrimPrefix(svg, open)
	svg = strings.ReplaceAll(svg, "#000000", "currentColor")
	svg = strings.ReplaceAll(svg, "#DDDDDD", "var(--grid)")
	svg = strings.ReplaceAll(svg, "#0072B2", "var(--blue)")
	svg = strings.ReplaceAll(svg, "font-family:Liberation Sans", "font-family:Liberation Sans,Arial,Helvetica,sans-serif")
	return fmt.Sprintf(`<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, figureWidth.Points(), figureHeight.Points(), html.EscapeString(f.Title)) + svg, nil
}
