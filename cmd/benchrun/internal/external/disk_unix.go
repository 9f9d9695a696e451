//go:build unix

package external

import (
	"io/fs"
	"syscall"
)

// taken is how many bytes a file takes on the disk: of one with holes, less than it is long.
func taken(info fs.FileInfo) int64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return int64(s.Blocks) * 512
	}
	return info.Size()
}
