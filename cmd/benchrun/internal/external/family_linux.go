package external

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// family is the processes of one program: its own, those that it started and those that these did.
// They are found by their process group, by the variable folderVariable in their environment, and
// by their parents. One whose parents have ended becomes a child of this process, which is a
// subreaper; there it is known by its session or group, which are not this process's. A process
// that leaves its group and session, drops its environment, and whose parents end between two
// looks, is found so too. Only one that has itself adopted, or that runs as another user, is not.
type family struct {
	main   int // 0 where it is not known
	folder string
}

// attributes start a program in a process group of its own, and have it killed when this process
// ends in whatever way.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// adopt makes this process the parent of all that its children leave.
var adopt = sync.OnceFunc(func() {
	unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) // before Linux 3.4 it cannot be had
})

func newFamily(main int, folder string) *family { return &family{main: main, folder: folder} }

// started are the processes that this one started itself and waits for. A look at /proc excludes a
// start, so that none is seen before it stands here.
var started = struct {
	sync.RWMutex
	pids map[int]bool
}{pids: map[int]bool{}}

// start starts the command.
func start(cmd *exec.Cmd) error {
	started.Lock()
	defer started.Unlock()
	err := cmd.Start()
	if err == nil {
		started.pids[cmd.Process.Pid] = true
	}
	return err
}

// limitFiles bounds each file that the program writes from now on.
func (f *family) limitFiles(bytes int64) {
	limit := unix.Rlimit{Cur: uint64(bytes), Max: uint64(bytes)}
	unix.Prlimit(f.main, unix.RLIMIT_FSIZE, &limit, nil) // what is not limited is counted
}

// process is what /proc says of a process.
type process struct {
	pid, parent, group, session int
	dead                        bool // ended, and not yet waited for
}

// processes lists those of the machine that can be seen.
func processes() []process {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var all []process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue // it has ended
		}
		// pid (name) state parent group session …, and the name may hold anything.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) < 4 {
			continue
		}
		number := func(i int) int {
			n, _ := strconv.Atoi(fields[i])
			return n
		}
		all = append(all, process{pid, number(1), number(2), number(3), fields[0] == "Z" || fields[0] == "X"})
	}
	return all
}

// living lists the processes of the family that have not ended, and waits for those that have ended
// and were left to this process.
func (f *family) living() []int {
	started.RLock()
	all := processes()
	own := maps.Clone(started.pids)
	started.RUnlock()
	self := os.Getpid()
	group, session := unix.Getpgrp(), 0
	if s, err := unix.Getsid(0); err == nil {
		session = s
	}
	mark := []byte(folderVariable + "=" + f.folder)
	mine := map[int]bool{}
	children := map[int][]process{}
	for _, p := range all {
		children[p.parent] = append(children[p.parent], p)
		if p.pid == self || p.pid == 1 {
			continue
		}
		// A child in another group or session is adopted, and one with another folder's variable
		// is of another program.
		folder, known := folderOf(p.pid)
		adopted := p.parent == self && !own[p.pid] && !known && (p.group != group || p.session != session)
		if known && bytes.Equal(folder, mark) || f.main != 0 && (p.pid == f.main || p.group == f.main || adopted) {
			mine[p.pid] = true
		}
	}
	var spread func(pid int)
	spread = func(pid int) {
		for _, c := range children[pid] {
			if !mine[c.pid] {
				mine[c.pid] = true
				spread(c.pid)
			}
		}
	}
	for _, p := range all {
		if mine[p.pid] {
			spread(p.pid)
		}
	}
	var out []int
	for _, p := range all {
		switch {
		case !mine[p.pid] || p.pid == self:
		case !p.dead:
			out = append(out, p.pid)
		case p.parent == self && p.pid != f.main:
			unix.Wait4(p.pid, nil, unix.WNOHANG, nil)
		}
	}
	return out
}

// folderOf is the folder variable of a process, false where it has none or does not say.
func folderOf(pid int) ([]byte, bool) {
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return nil, false
	}
	for v := range bytes.SplitSeq(env, []byte{0}) {
		if bytes.HasPrefix(v, []byte(folderVariable+"=")) {
			return v, true
		}
	}
	return nil, false
}

// signal sends a signal to all of the family, and says how many there were.
func (f *family) signal(s syscall.Signal) int {
	living := f.living()
	for _, pid := range living {
		unix.Kill(pid, s)
	}
	return len(living)
}

// endLeft ends what an earlier try of the folder's program left at work, whose benchrun was killed.
func endLeft(folder string) error {
	adopt()
	_, err := newFamily(0, folder).rest(0)
	return err
}

// largest is the most memory that a process or one that it waited for has held.
func largest(s *os.ProcessState) int64 {
	if u, ok := s.SysUsage().(*syscall.Rusage); ok {
		return int64(u.Maxrss) << 10
	}
	return 0
}
