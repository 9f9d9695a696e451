//go:build !unix

package external

import "io/fs"

// taken is how many bytes a file takes on the disk.
func taken(info fs.FileInfo) int64 { return info.Size() }
