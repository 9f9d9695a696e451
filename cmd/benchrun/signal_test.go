package main

import (
	"bufio"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A terminal that closes ends a run as TERM does, with its training saved; a
// run under nohup goes on.
func TestHangUp(t *testing.T) {
	// A process that a shell's nohup started hands the ignored HUP on to those that it starts; one
	// that listens does not.
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP)
	defer signal.Stop(heard)
	dir := t.TempDir()
	binary := build(t, dir)
	before, _, _ := strings.Cut(blobs, "[[method]]")
	one := strings.Replace(before, "seed = [0, 1]", "seed = 0", 1) + "[[method]]\nname = \"ffg\"\n"
	suite := write(t, dir, "blobs.toml", one)
	// hangUp starts the command, sends HUP twice when the first job begins, and
	// returns the exit code.
	hangUp := func(command string, args ...string) int {
		t.Helper()
		cmd := exec.Command(command, args...)
		log, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var said []string
		for lines := bufio.NewScanner(log); lines.Scan(); {
			said = append(said, lines.Text())
			if strings.HasPrefix(lines.Text(), "[1/1] ") && len(said) == 1 {
				for range 2 {
					if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		cmd.Wait()
		if cmd.ProcessState.ExitCode() < 0 {
			t.Errorf("ended by a signal: %v\n%s", cmd.ProcessState, strings.Join(said, "\n"))
		}
		return cmd.ProcessState.ExitCode()
	}
	closed := filepath.Join(dir, "closed")
	if code := hangUp(binary, "-out", closed, "-set", "train.epochs=100000", suite); code != 130 {
		t.Errorf("HUP: exit %d, want 130", code)
	}
	if saved, err := filepath.Glob(filepath.Join(closed, "blobs", "jobs", "*", "checkpoint.safetensors")); err != nil || len(saved) != 1 {
		t.Errorf("%d checkpoints, %v", len(saved), err)
	}
	if code := hangUp("nohup", binary, "-out", filepath.Join(dir, "on"), suite); code != 0 {
		t.Errorf("HUP under nohup: exit %d", code)
	}
}
