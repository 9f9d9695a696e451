// Package npytest makes .npy files for tests, byte by byte and as wrong as a test wants them.
package npytest
