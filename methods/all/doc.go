// Package all registers every method: import it for its effect.
package all
