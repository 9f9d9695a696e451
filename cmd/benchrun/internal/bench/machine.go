package bench

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"bayesbench/backends"
	"bayesbench/results"
)

// Version is the program's version as the build recorded it: a tag, or the
// commit with "+dirty" where the tree was changed.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	rev, dirty := "devel", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			rev = s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	return rev + dirty
}

// machine describes where a job runs.
func machine(be backends.Info) results.Machine {
	m := results.Machine{
		OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU(), Threads: be.Threads, Device: be.Device,
		CPU: backends.Processor(),
	}
	m.Host, _ = os.Hostname()
	return m
}

// peakMemory is the most memory that this process has held so far, all jobs
// before included; not known (false) but on Linux.
func peakMemory() (float64, bool) {
	text, ok := strings.CutSuffix(procField("/proc/self/status", "VmHWM"), " kB")
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return n * 1024, ok && err == nil
}

// procField is the first value of a "name : value" file of Linux, "" elsewhere.
func procField(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
