package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"
)

// line is what stands on a terminal while something goes on.
type line struct {
	jobs        string // "3/12", "" before the first
	title       string
	done, total int64
	rate        float64       // samples a second, 0 for none
	detail      string        // the rate in words, or what is counted
	job, suite  time.Duration // until the job's phase and the suite end, 0 where it is not known
}

// barColumns is the width of the bar, where there is room for it.
const barColumns = 20

// fit writes the line in at most so many columns. What does not fit is left out,
// the bar first, then the words around the numbers, the middle of the title, and
// at last the rate.
func (l *line) fit(columns int) string {
	head := ""
	if l.jobs != "" {
		head = "[" + l.jobs + "] "
	}
	want := runewidth.StringWidth(l.title)
	for _, form := range []struct {
		tail  string
		least int // columns for the title
	}{
		{l.bar() + l.words(), want}, {l.words(), min(want, 40)}, {l.numbers(true), min(want, 8)}, {l.numbers(false), min(want, 3)},
	} {
		if title := columns - runewidth.StringWidth(head+form.tail); title >= form.least {
			return head + middle(l.title, title) + form.tail
		}
	}
	return runewidth.Truncate(head+strings.TrimSpace(l.numbers(false)), max(columns, 0), "")
}

func (l *line) share() float64 {
	if l.total <= 0 {
		return 0
	}
	return min(float64(l.done)/float64(l.total), 1)
}

func (l *line) bar() string {
	full := int(barColumns * l.share())
	return " |" + strings.Repeat("#", full) + strings.Repeat(".", barColumns-full) + "|"
}

// words are the numbers for a wide terminal.
func (l *line) words() string {
	s := fmt.Sprintf(" %3.0f %%", 100*l.share())
	if l.detail != "" {
		s += ", " + l.detail
	}
	if l.job > 0 {
		s += ", " + brief(l.job) + " left"
	}
	if l.suite > 0 {
		s += ", of all " + brief(l.suite)
	}
	return s
}

// numbers are the same for a narrow one: "45% 20k/s 2m/1h05m".
func (l *line) numbers(rate bool) string {
	s := fmt.Sprintf(" %.0f%%", 100*l.share())
	if rate && l.rate > 0 {
		s += " " + thousands(l.rate) + "/s"
	}
	switch {
	case l.job > 0 && l.suite > 0:
		s += " " + brief(l.job) + "/" + brief(l.suite)
	case l.job > 0 || l.suite > 0:
		s += " " + brief(max(l.job, l.suite))
	}
	return s
}

// log is the line of a log.
func (l *line) log() string {
	s := fmt.Sprintf("%s %d/%d %s", l.title, l.done, l.total, l.detail)
	if l.jobs != "" {
		s = "[" + l.jobs + "] " + s
	}
	if l.job > 0 {
		s += fmt.Sprintf(", %s left", l.job.Round(time.Second))
	}
	if l.suite > 0 {
		s += fmt.Sprintf(", of all %s", l.suite.Round(time.Second))
	}
	return s
}

// middle is s in at most so many columns, "…" in place of the middle of a longer
// one: a title's ends tell most.
func middle(s string, columns int) string {
	const gap = "…"
	room := columns - runewidth.StringWidth(gap)
	switch {
	case runewidth.StringWidth(s) <= columns:
		return s
	case room < 2:
		return ""
	}
	start := runewidth.Truncate(s, (room+1)/2, "")
	// A wide character at the cut may take a column more than is cut off.
	cut := runewidth.StringWidth(s) - (room - runewidth.StringWidth(start))
	end := strings.TrimLeft(runewidth.TruncateLeft(s, cut, ""), " ")
	return start + gap + end
}

// brief is a duration in its two largest units.
func brief(d time.Duration) string {
	d = max(d.Round(time.Second), time.Second)
	switch hours := int(d.Hours()); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 10*time.Minute:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case hours < 1:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case hours < 24:
		return fmt.Sprintf("%dh%02dm", hours, int(d.Minutes())%60)
	case hours < 24*1000:
		return fmt.Sprintf("%dd%02dh", hours/24, hours%24)
	}
	return ">999d"
}

// thousands is a number in at most four characters.
func thousands(x float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if x >= unit.size {
			return fmt.Sprintf("%.3g", x/unit.size) + unit.name
		}
	}
	return fmt.Sprintf("%.3g", x)
}
