// Package nearest finds what a mistyped name was meant to be.
package nearest
