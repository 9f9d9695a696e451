package external

import (
	"errors"
	"os"
	"strings"
	"sync"
	"time"
)

// maxPrinted bounds what a program may print, and so its log. maxSaid and maxLines bound its last
// words.
const (
	maxPrinted = 64 << 20
	maxSaid    = 4 << 10
	maxLines   = 30
)

// listener reads what a program prints, into a log and for its last words.
type listener struct {
	to   *os.File      // the program's end of the pipe
	full chan struct{} // closed when too much was printed
	from *os.File
	log  *os.File
	done chan struct{} // closed when no more is read

	mu   sync.Mutex
	tail []byte
}

// listen makes a listener with a new log.
func listen(log string) (*listener, error) {
	file, err := os.OpenFile(log, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, err
	}
	from, to, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	l := &listener{to: to, full: make(chan struct{}), from: from, log: file, done: make(chan struct{})}
	go l.read()
	return l, nil
}

// started gives up the program's end of the pipe, which the program has now.
func (l *listener) started() {
	l.to.Close()
	l.to = nil
}

func (l *listener) read() {
	defer close(l.done)
	var buffer [1 << 15]byte
	printed := 0
	for {
		n, err := l.from.Read(buffer[:])
		if part := buffer[:min(n, maxPrinted-printed)]; len(part) > 0 {
			l.log.Write(part) // a full disk must not stop the program
		}
		l.mu.Lock()
		l.tail = append(l.tail, buffer[:n]...)
		l.tail = l.tail[max(0, len(l.tail)-maxSaid):]
		l.mu.Unlock()
		if printed < maxPrinted && printed+n >= maxPrinted {
			close(l.full)
		}
		printed = min(printed+n, maxPrinted)
		if err != nil {
			return
		}
	}
}

// last is the end of what was printed, whole lines of it. It waits a moment for what the pipe
// holds.
func (l *listener) last() string {
	l.settle()
	l.mu.Lock()
	defer l.mu.Unlock()
	text := string(l.tail)
	if len(text) == maxSaid {
		if _, rest, ok := strings.Cut(text, "\n"); ok && rest != "" {
			text = rest
		}
	}
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(text, "\r", "\n")), "\n")
	return strings.Join(lines[max(0, len(lines)-maxLines):], "\n")
}

// settle has the rest of the pipe read. A process that cannot be found may hold its other end, so
// the wait is short.
func (l *listener) settle() {
	l.from.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	<-l.done
}

func (l *listener) close() {
	if l.to != nil {
		l.to.Close()
	}
	l.settle()
	l.from.Close()
	l.log.Close()
}
