// Package draw reads random variates one after the other from a counter-based stream, for code that
// does not know beforehand how many it needs: augmentation and corruption of one image.
package draw
