// Package alloctest states in tests how much memory something may take.
package alloctest
