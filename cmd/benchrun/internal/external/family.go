package external

import (
	"fmt"
	"syscall"
	"time"
)

// end tells the family to end, and kills it when the grace is over. It returns when the program has
// been waited for.
func (f *family) end(ended <-chan error, grace time.Duration) {
	f.signal(syscall.SIGTERM)
	select {
	case <-ended:
		return
	case <-time.After(grace):
	}
	f.signal(syscall.SIGKILL)
	<-ended
}

// rest kills what is left of the family, after the grace for what is about to end, and says how
// many processes it had to kill.
func (f *family) rest(grace time.Duration) (killed int, err error) {
	const pause = 10 * time.Millisecond
	for deadline := time.Now().Add(grace); len(f.living()) > 0 && time.Now().Before(deadline); {
		time.Sleep(pause)
	}
	// Each round may meet those that the last one's victims had just started.
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(pause) {
		n := f.signal(syscall.SIGKILL)
		if killed = max(killed, n); n == 0 {
			return killed, nil
		}
		if time.Now().After(deadline) {
			return killed, fmt.Errorf("%d processes that it started cannot be ended", n)
		}
	}
}
