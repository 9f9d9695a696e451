//go:build !amd64 || noasm

package kernel

// variants lists the sets that this CPU can run beyond the portable one.
func variants() []set { return nil }
