// Package key is the error for a key of a suite whose value does not fit, which names the key, so
// that whoever knows the file can name its line.
package key
