// Package atomicfile replaces files whole: a reader finds what was there before or what was
// written, and nothing between.
//
// The new content goes to a temporary file beside the old one, whose name is a dot, the name of the
// file to be and at least twelve digits at random, with few exceptions. It takes the old one's
// place by a rename. On Unix this is renameio's work. On Windows, for which renameio has no code,
// os.Rename replaces a file of the same volume in one step, though not one that a program has open.
package atomicfile
