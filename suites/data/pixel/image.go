package pixel

// Image is C planes of H rows of W bytes. C is 1 (gray) or 3 (red, green, blue).
type Image struct {
	C, H, W int
	Pix     []uint8
}

// New returns a black image.
func New(c, h, w int) Image { return Image{C: c, H: h, W: w, Pix: make([]uint8, c*h*w)} }

// Reshape gives m the shape c, h, w, keeping its memory where that is large enough. The pixels are
// undefined.
func (m *Image) Reshape(c, h, w int) {
	n := c * h * w
	if cap(m.Pix) < n {
		m.Pix = make([]uint8, n)
	}
	m.C, m.H, m.W, m.Pix = c, h, w, m.Pix[:n]
}

// Plane returns channel c.
func (m Image) Plane(c int) []uint8 { return m.Pix[c*m.H*m.W:][: m.H*m.W : m.H*m.W] }

// CopyFrom makes m a copy of src.
func (m *Image) CopyFrom(src Image) {
	m.Reshape(src.C, src.H, src.W)
	copy(m.Pix, src.Pix)
}

// Crop copies the h x w window of src whose top left corner is (y, x) to m. The window must lie
// inside src.
func (m *Image) Crop(src Image, y, x, h, w int) {
	m.Reshape(src.C, h, w)
	for c := range src.C {
		from, to := src.Plane(c), m.Plane(c)
		for r := range h {
			copy(to[r*w:(r+1)*w], from[(y+r)*src.W+x:])
		}
	}
}
