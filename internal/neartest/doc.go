// Package neartest states in tests how close a number must come to the one that is wanted.
package neartest
