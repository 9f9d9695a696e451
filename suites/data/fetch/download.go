package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// client gives up soon on a network that does not answer, and never on a slow one: a body may take
// as long as bytes keep coming within stallLimit.
var client = &http.Client{Transport: &http.Transport{
	Proxy:                 http.ProxyFromEnvironment,
	DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
	TLSHandshakeTimeout:   5 * time.Second,
	ResponseHeaderTimeout: 15 * time.Second,
}, CheckRedirect: stayEncrypted}

// stayEncrypted refuses to be sent on from TLS to a connection without.
func stayEncrypted(req *http.Request, via []*http.Request) error {
	switch {
	case len(via) >= 10:
		return errors.New("stopped after 10 redirects")
	case via[0].URL.Scheme == "https" && req.URL.Scheme == "http":
		return fmt.Errorf("redirected from TLS to %s", req.URL)
	}
	return nil
}

const stallLimit = 30 * time.Second

// download gets the address from into path: at most limit bytes, resumed where an earlier one broke
// off, and renamed to path only when check has accepted the partial file. A partial file that check
// refuses is removed.
func download(ctx context.Context, from, path string, limit int64, check func(partial string) error, progress Progress) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	partial := path + ".partial"
	if err := transfer(ctx, from, partial, limit, progress); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	if err := check(partial); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", from, err), os.Remove(partial))
	}
	return os.Rename(partial, path)
}

func transfer(ctx context.Context, from, partial string, limit int64, progress Progress) error {
	dir, err := os.OpenRoot(filepath.Dir(partial)) // a link in it that leads elsewhere is not followed
	if err != nil {
		return err
	}
	defer dir.Close()
	out, err := dir.OpenFile(filepath.Base(partial), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	have, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return err
	}
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	resp, err := client.Do(req)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			return wrapped.Err // without the address, which the caller names
		}
		return err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusPartialContent && resumesAt(resp, have):
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && have > 0:
		return nil // nothing is left to get; the check decides
	case resp.StatusCode == http.StatusOK:
		have = 0 // the server sends all of it
		if _, err := out.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if err := out.Truncate(0); err != nil {
			return err
		}
	default:
		return fmt.Errorf("the server answers %s", resp.Status)
	}
	total := int64(0)
	if resp.ContentLength >= 0 {
		total = have + resp.ContentLength
	}
	if total > limit {
		os.Remove(partial)
		return fmt.Errorf("want at most %d bytes, the server offers %d", limit, total)
	}
	watch := time.AfterFunc(stallLimit, func() { cancel(fmt.Errorf("no byte came for %v", stallLimit)) })
	defer watch.Stop()
	buf := make([]byte, 64<<10)
	for {
		n, err := resp.Body.Read(buf)
		if n > 0 {
			watch.Reset(stallLimit)
			if have += int64(n); have > limit {
				os.Remove(partial)
				return fmt.Errorf("want at most %d bytes, found more", limit)
			}
			if _, err := out.Write(buf[:n]); err != nil {
				return err
			}
			progress.Report(filepath.Base(partial), have, total)
		}
		switch {
		case err == io.EOF:
			return out.Sync()
		case err != nil && ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		}
	}
}

// resumesAt tells whether the answer continues at byte offset.
func resumesAt(resp *http.Response, offset int64) bool {
	var from int64
	_, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-", &from)
	return err == nil && from == offset
}
