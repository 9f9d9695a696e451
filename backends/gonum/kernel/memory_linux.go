package kernel

import "syscall"

// adviseHuge asks for huge pages from the address on. The system may refuse,
// which costs speed alone.
func adviseHuge(from, length uintptr) {
	syscall.Syscall(syscall.SYS_MADVISE, from, length, syscall.MADV_HUGEPAGE)
}
