package fetch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSearchOrder(t *testing.T) {
	cache := isolate(t)
	set, content := fakeSet()
	given, first, second := t.TempDir(), t.TempDir(), t.TempDir()
	t.Setenv("BAYESBENCH_DATA", first+string(os.PathListSeparator)+second)

	// From the last place to the first, so that each newly filled one must win.
	for _, dir := range []string{
		filepath.Join(cache, "bayesbench", set.Name),
		filepath.Join(second, set.Name),
		filepath.Join(first, set.Name),
		filepath.Join(given, set.Name),
		given,
	} {
		put(t, dir, content)
		got, err := open(t.Context(), set, Options{Dir: given, Offline: true})
		if err != nil {
			t.Fatal(err)
		}
		if got != dir {
			t.Errorf("read from %s, want %s", got, dir)
		}
	}
	if _, err := open(t.Context(), set, Options{Dir: filepath.Join(given, "none")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that was given and is not there: %v", err)
	}
}

// decoded is a provider whose files a user cannot make by hand.
type decoded struct{}

func (decoded) String() string                                   { return "decoded" }
func (decoded) ByHand() string                                   { return "" }
func (decoded) Writes() bool                                     { return true }
func (decoded) Provide(context.Context, Request) (string, error) { return "", ErrOffline }

func TestNotFoundSaysWhatToPutWhere(t *testing.T) {
	cache := isolate(t)
	set, _ := fakeSet(Mirror{"http://example.invalid/set", ".gz"})
	_, err := open(t.Context(), set, Options{Offline: true})
	var missing *NotFoundError
	if !errors.As(err, &missing) {
		t.Fatalf("got %v, want a *NotFoundError", err)
	}
	for _, want := range []string{"train-images", "test-labels", "http://example.invalid/set", filepath.Join(cache, "bayesbench", set.Name)} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the message does not name %q:\n%v", want, err)
		}
	}
	// What is already there is not asked for, nor what would have to be decoded; the archive may be
	// put there packed.
	set.Providers = []Provider{decoded{}, Archive{URL: "http://example.invalid/set.tar.gz"}}
	put(t, filepath.Join(cache, "bayesbench", set.Name), map[string][]byte{"train-labels": nil})
	_, err = open(t.Context(), set, Options{Offline: true})
	want := "by hand: put train-images, test-images, test-labels (plain or .gz) into " +
		filepath.Join(cache, "bayesbench", set.Name) + "; from http://example.invalid/set.tar.gz, which may be put there as it is"
	if err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want at its end %q", err, want)
	}
}

// The cache is asked for only where something must be put into it, and its absence is said with
// what to do.
func TestCacheIsNeededForFetchingAlone(t *testing.T) {
	set, content := fakeSet(Mirror{"http://localhost:1/x", ""})
	dir := t.TempDir()
	put(t, dir, content)
	file := filepath.Join(dir, "no folder")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for what, cache := range map[string]string{"none": "", "not to be written": file} {
		for _, v := range []string{"HOME", "BAYESBENCH_DATA"} {
			t.Setenv(v, "")
		}
		t.Setenv("XDG_CACHE_HOME", cache)
		if _, err := open(t.Context(), set, Options{Dir: dir}); err != nil {
			t.Errorf("cache %s: %v", what, err)
		}
		_, err := open(t.Context(), set, Options{})
		for _, want := range []string{"http://localhost:1/x: not tried: no cache", "set XDG_CACHE_HOME to a folder that can be written",
			"put train-images, train-labels, test-images, test-labels (plain or .gz) into a folder DIR and say -data DIR"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("cache %s: %v, want %q", what, err, want)
			}
		}
	}
}
