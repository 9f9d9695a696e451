// Package pixel holds 8-bit images as planes (channel, row, column) and their geometry: decoding
// within limits, resizing as Pillow does, affine and other warps. It knows neither data sets nor
// randomness.
package pixel
