// Package helptest tries the examples that a command's help gives.
package helptest
