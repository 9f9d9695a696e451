// Package reference holds what Pillow, NumPy, SciPy, scikit-image, OpenCV and ImageMagick make of
// synthetic pictures, for the tests of pixel, augment and corrupt. reference.py computes
// reference.json.
package reference
