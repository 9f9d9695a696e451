package fetch

// Progress is told how far a long step is: bytes or items done of total (0: unknown).
type Progress func(what string, done, total int64)

// Report tells p, which may be nil.
func (p Progress) Report(what string, done, total int64) {
	if p != nil {
		p(what, done, total)
	}
}
