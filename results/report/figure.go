package report

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"io"
	"regexp"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	_ "gonum.org/v1/plot/vg/vgimg" // PNG
	_ "gonum.org/v1/plot/vg/vgpdf" // PDF
	"gonum.org/v1/plot/vg/vgsvg"
)

// Figure is one drawing. Its legend stands beside or below the axes, where it covers no data.
type Figure struct {
	Name    string // such as nll-samples
	Title   string
	Caption string // what is drawn and what its bars mean
	plot    *plot.Plot
	legend  []legendEntry
	x, y    axis
	series  []series
	left    int  // series and bars that found no room
	thinned bool // some series has more points than are drawn

	reference *series // a thin grey line that data are compared with, or nil
}

// series is one line of a figure.
type series struct {
	look   look
	label  string
	points points
	marks  bool
}

// look is colour, dash and glyph of a series. The method chooses the colour, which is the same in
// all figures of a page; variants of a method, such as its predictors, have other dashes and
// glyphs.
type look struct{ method, variant int }

func (l look) colour() color.RGBA { return palette[l.method%len(palette)] }

func (l look) dashes() []vg.Length { return dashes[(2*(l.method/len(palette))+l.variant)%len(dashes)] }

func (l look) glyph() draw.GlyphDrawer { return glyphs[(l.method+len(glyphs)/2*l.variant)%len(glyphs)] }

type legendEntry struct {
	label  string
	thumbs []plot.Thumbnailer
}

// The size of a figure on paper.
const (
	figureWidth  = 16 * vg.Centimeter
	figureHeight = 9 * vg.Centimeter
)

// palette is that of Okabe and Ito without black and yellow: told apart with any colour vision, on
// white and on black.
var palette = []color.RGBA{
	{0x00, 0x72, 0xB2, 0xff}, {0xD5, 0x5E, 0x00, 0xff}, {0x00, 0x9E, 0x73, 0xff},
	{0xCC, 0x79, 0xA7, 0xff}, {0xE6, 0x9F, 0x00, 0xff}, {0x56, 0xB4, 0xE9, 0xff},
}

var (
	glyphs = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.TriangleGlyph{}, draw.SquareGlyph{}, draw.PyramidGlyph{}, draw.BoxGlyph{}, draw.RingGlyph{}}
	dashes = [][]vg.Length{nil, {vg.Points(5), vg.Points(2)}, {vg.Points(2), vg.Points(2)}, {vg.Points(7), vg.Points(2), vg.Points(2), vg.Points(2)},
		{vg.Points(10), vg.Points(4)}, {vg.Points(1), vg.Points(4)}, {vg.Points(7), vg.Points(2), vg.Points(1), vg.Points(2), vg.Points(1), vg.Points(2)}}
	grey  = color.RGBA{0x99, 0x99, 0x99, 0xff}
	faint = color.RGBA{0xcc, 0xcc, 0xcc, 0xff}
)

func init() { plot.DefaultFont.Variant = "Sans" }

func newFigure(name, title, x, y, caption string) *Figure {
	f := &Figure{Name: name, Title: title, Caption: caption, plot: plot.New()}
	f.plot.Title.Text = shortLabel(title)
	f.plot.Title.Padding = vg.Points(4)
	f.plot.X.Label.Text, f.plot.Y.Label.Text = x, y
	f.plot.BackgroundColor = nil // that of what it stands on
	grid := plotter.NewGrid()
	grid.Vertical.Color = color.RGBA{0xdd, 0xdd, 0xdd, 0xff}
	grid.Horizontal.Color = color.RGBA{0xdd, 0xdd, 0xdd, 0xff}
	f.plot.Add(grid)
	return f
}

// point is one measurement in a figure. Spread is the half height of its error bar, 0 for none.
type point struct{ x, y, spread float64 }

type points []point

func (p points) Len() int                      { return len(p) }
func (p points) XY(i int) (x, y float64)       { return p[i].x, p[i].y }
func (p points) YError(i int) (lo, hi float64) { return p[i].spread, p[i].spread }

// line adds one series to be drawn by [Figure.panels], and makes room for it on the axes. Points
// that have no place on them, such as those of a diverged run, are left out.
func (f *Figure) line(l look, label string, all points, marks bool) {
	ps := make(points, 0, min(len(all), mostPoints))
	for _, p := range all {
		if f.x.bears(p.x) && f.y.bears(p.y) {
			if !f.y.bears(p.y-p.spread) || !f.y.bears(p.y+p.spread) {
				p.spread = 0
			}
			ps = append(ps, p)
		}
	}
	if len(ps) == 0 {
		return
	}
	if len(f.series) == mostSeries {
		f.left++
		return
	}
	if stride := (len(ps) + mostPoints - 1) / mostPoints; stride > 1 {
		f.thinned = true
		last := ps[len(ps)-1]
		for i := range len(ps) / stride {
			ps[i] = ps[i*stride]
		}
		ps = append(ps[:len(ps)/stride], last)
	}
	for _, p := range ps {
		f.plot.X.Min, f.plot.X.Max = min(f.plot.X.Min, p.x), max(f.plot.X.Max, p.x)
		f.plot.Y.Min, f.plot.Y.Max = min(f.plot.Y.Min, p.y-p.spread), max(f.plot.Y.Max, p.y+p.spread)
	}
	f.series = append(f.series, series{l, shortLabel(label), ps, marks})
}

// empty reports that there is nothing to draw.
func (f *Figure) empty() bool { return len(f.series) == 0 && len(f.legend) == 0 }

// More series than one panel bears are drawn in several, as evenly as may be.
const (
	onePanel = 12
	perPanel = 8
)

// panels draws the series. Too many to be told apart are spread over several figures with the same
// axes, in each of which the others stand behind in grey.
func (f *Figure) panels() ([]*Figure, error) {
	if f.empty() {
		return nil, nil
	}
	f.x.fit(&f.plot.X)
	f.y.fit(&f.plot.Y)
	if f.left > 0 {
		f.Caption += fmt.Sprintf(" %d more are left out for want of room: choose by a filter.", f.left)
	}
	if f.thinned {
		f.Caption += fmt.Sprintf(" Of longer series about %d points are drawn, evenly spaced.", mostPoints)
	}
	n := 1
	if len(f.series) > onePanel {
		n = (len(f.series) + perPanel - 1) / perPanel
	}
	if n == 1 {
		return []*Figure{f}, f.draws(f.series)
	}
	var panels []*Figure
	for k := range n {
		lo, hi := k*len(f.series)/n, (k+1)*len(f.series)/n
		p := newFigure(fmt.Sprintf("%s-%d", f.Name, k+1), fmt.Sprintf("%s (%d of %d)", f.Title, k+1, n), "", "", f.Caption+" Grey: the methods of the other panels.")
		p.plot.X, p.plot.Y, p.reference = f.plot.X, f.plot.Y, f.reference
		for j, s := range f.series {
			if j >= lo && j < hi {
				continue
			}
			line, err := plotter.NewLine(s.points)
			if err != nil {
				return nil, err
			}
			line.Color, line.Width = faint, vg.Points(0.7)
			p.plot.Add(line)
		}
		if err := p.draws(f.series[lo:hi]); err != nil {
			return nil, err
		}
		panels = append(panels, p)
	}
	return panels, nil
}

// draws draws series and the reference, and enters them in the legend.
func (f *Figure) draws(all []series) error {
	for _, s := range all {
		colour := s.look.colour()
		line, err := plotter.NewLine(s.points)
		if err != nil {
			return err
		}
		line.Color, line.Width = colour, vg.Points(1.5)
		line.Dashes = s.look.dashes()
		thumbs := []plot.Thumbnailer{line}
		f.plot.Add(line)
		if s.marks {
			scatter, err := plotter.NewScatter(s.points)
			if err != nil {
				return err
			}
			scatter.GlyphStyle = draw.GlyphStyle{Color: colour, Radius: vg.Points(2.8), Shape: s.look.glyph()}
			f.plot.Add(scatter)
			thumbs = append(thumbs, scatter)
		}
		bars, err := plotter.NewYErrorBars(s.points)
		if err != nil {
			return err
		}
		bars.LineStyle.Color, bars.LineStyle.Width = colour, vg.Points(0.8)
		if slices.ContainsFunc(s.points, func(p point) bool { return p.spread > 0 }) {
			f.plot.Add(bars)
		}
		f.legend = append(f.legend, legendEntry{s.label, thumbs})
	}
	if f.reference == nil {
		return nil
	}
	line, err := plotter.NewLine(f.reference.points)
	if err != nil {
		return err
	}
	line.Color, line.Dashes = grey, dashes[1]
	f.plot.Add(line)
	f.legend = append(f.legend, legendEntry{f.reference.label, []plot.Thumbnailer{line}})
	return nil
}

// A legend narrower than this stands at the right of the axes, a wider one in rows below them. In
// points.
const legendBeside vg.Length = 95

// Lengths of text are measured in Liberation Sans, which is as wide as Arial and Helvetica. A
// reader without any of them sees an SVG in what there is; the widest usual one is DejaVu Sans.
const widestFont = 1.2

// legendColumns returns the widths of the columns in which the legend stands below the axes, as
// many as fit beside each other, or no columns but one width for a legend at the right.
func (f *Figure) legendColumns() (columns []vg.Length, beside vg.Length) {
	style := plot.NewLegend().TextStyle
	var widths []vg.Length
	for _, e := range f.legend {
		widths = append(widths, thumbnail+vg.Points(16)+widestFont*style.Width(e.label))
	}
	if len(widths) == 0 {
		return nil, 0
	}
	if widest := slices.Max(widths); widest <= thumbnail+vg.Points(16)+legendBeside {
		return nil, widest
	}
	for n := len(widths); n > 1; n-- {
		columns, total := make([]vg.Length, n), vg.Length(0)
		for i, w := range widths {
			columns[i%n] = max(columns[i%n], w)
		}
		for _, w := range columns {
			total += w
		}
		if total <= figureWidth {
			return columns, 0
		}
	}
	return widths[:1], 0
}

// In points, as all lengths here.
const (
	thumbnail   vg.Length = 22
	legendLine  vg.Length = 15
	legendGap   vg.Length = 6 // between the axes and the rows below them
	figureEdge  vg.Length = 4
	titleHeight vg.Length = 24
)

// legendRows is how tall a legend of so many columns is below the axes.
func (f *Figure) legendRows(columns int) vg.Length {
	if columns == 0 {
		return 0
	}
	return legendGap + legendLine*vg.Length((len(f.legend)+columns-1)/columns)
}

// height is that of the axes and the legend rows below them.
func (f *Figure) height() vg.Length {
	columns, _ := f.legendColumns()
	return figureHeight + f.legendRows(len(columns))
}

// draw draws the figure with its legend.
func (f *Figure) draw(c draw.Canvas) {
	columns, beside := f.legendColumns()
	below := f.legendRows(len(columns))
	c = draw.Crop(c, figureEdge, -figureEdge, figureEdge, -figureEdge)
	if len(columns) == 0 {
		f.plot.Draw(draw.Crop(c, 0, -beside, 0, 0))
		f.drawLegend(f.legend, draw.Crop(c, c.Max.X-c.Min.X-beside+figureEdge, 0, 0, -titleHeight))
		return
	}
	f.plot.Draw(draw.Crop(c, 0, 0, below, 0))
	x := vg.Length(0)
	for i, e := range f.legend {
		if i%len(columns) == 0 {
			x = 0
		}
		y := legendLine * vg.Length(i/len(columns))
		f.drawLegend([]legendEntry{e}, draw.Crop(c, x, 0, 0, -(c.Max.Y-c.Min.Y-below)-legendGap-y))
		x += columns[i%len(columns)]
	}
}

func (f *Figure) drawLegend(entries []legendEntry, c draw.Canvas) {
	legend := plot.NewLegend()
	legend.Top, legend.Left = true, true
	legend.ThumbnailWidth = thumbnail
	legend.Padding = vg.Points(3)
	for _, e := range entries {
		legend.Add(e.label, e.thumbs...)
	}
	legend.Draw(c)
}

// Write draws the figure in a format: svg, png or pdf.
func (f *Figure) Write(w io.Writer, format string) error {
	switch format {
	case "svg", "png", "pdf":
	default:
		return fmt.Errorf("figure format %q: want svg, png or pdf", format)
	}
	canvas, err := draw.NewFormattedCanvas(figureWidth, f.height(), format)
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

// Inline draws the figure as an SVG element for HTML: it takes the text colour and font of the page
// and scales with its column.
func (f *Figure) Inline() (string, error) {
	canvas := vgsvg.New(figureWidth, f.height())
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
	svg = strings.ReplaceAll(svg, "#CCCCCC", "var(--faint)")
	svg = strings.ReplaceAll(svg, "#0072B2", "var(--blue)")
	svg = strings.ReplaceAll(svg, "#56B4E9", "var(--sky)")
	svg = strings.ReplaceAll(svg, "font-family:Liberation Sans", "font-family:Liberation Sans,Arial,Helvetica,sans-serif")
	return fmt.Sprintf(`<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, figureWidth.Points(), f.height().Points(), html.EscapeString(f.Title)) + svg, nil
}
