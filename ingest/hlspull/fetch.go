package hlspull

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/netguard"
)

const (
	maxRedirects = 5
	// slowest is the rate in bytes per second below which a segment counts as stuck.
	slowest = 16 << 10
	// userAgent names this server to the operators of origins.
	userAgent = "Vitrine (HLS pull)"
)

// fetcher reads from one origin. It is safe for concurrent use.
type fetcher struct {
	cfg    Config
	client *http.Client
	remote atomic.Pointer[netip.AddrPort] // who answered last
}

// dialer connects to an origin.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// dialerOf refuses addresses that cfg does not allow.
func dialerOf(cfg Config) dialer {
	return netguard.Guard{AllowPrivate: cfg.AllowPrivate, Setting: "pull.allow_private"}.DialContext
}

// newFetcher makes a fetcher with connections and cookies of its own; close it.
func newFetcher(cfg Config, dial dialer) *fetcher {
	jar, _ := cookiejar.New(nil) // never fails
	f := &fetcher{cfg: cfg}
	f.client = &http.Client{
		Jar: jar, CheckRedirect: checkRedirect,
		Transport: &http.Transport{ // without a proxy, which would dial in its own name
			DialContext: f.noting(dial), ForceAttemptHTTP2: true, TLSHandshakeTimeout: 10 * time.Second,
			MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
	}
	return f
}

// noting is dial, with a note of where it led.
func (f *fetcher) noting(dial dialer) dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if a, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
			f.remote.Store(&a)
		}
		return conn, nil
	}
}

// peer is the address of the origin; the zero value before it was reached.
func (f *fetcher) peer() netip.AddrPort {
	if a := f.remote.Load(); a != nil {
		return *a
	}
	return netip.AddrPort{}
}

func (f *fetcher) close() { f.client.CloseIdleConnections() }

func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return errs.New(errs.Invalid, "hlspull.fetch", "the origin redirects more than %d times", maxRedirects)
	}
	_, err := checkURL(req.URL)
	return err
}

// checkURL wants an address that can be read at all.
func checkURL(u *url.URL) (*url.URL, error) {
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errs.New(errs.Invalid, "hlspull.fetch", "the playlist leads to a %q address; only http and https are read", u.Scheme)
	}
	return u, nil
}

// span is a byte range of a resource; a length of 0 is the whole.
type span struct{ offset, length int64 }

// playlist reads a playlist; base is where it came from after redirects, which its addresses are relative to.
func (f *fetcher) playlist(ctx context.Context, u *url.URL) (text []byte, base *url.URL, err error) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.RequestTimeout)
	defer cancel()
	return f.get(ctx, u, span{}, f.cfg.MaxPlaylist)
}

// media reads a segment, part or initialization segment.
func (f *fetcher) media(ctx context.Context, r resource) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.RequestTimeout+time.Duration(f.cfg.MaxSegment/slowest)*time.Second)
	defer cancel()
	first := time.AfterFunc(f.cfg.RequestTimeout, cancel)
	defer first.Stop()
	u, err := url.Parse(r.url)
	if err != nil {
		return nil, err
	}
	data, _, err := f.get(ctx, u, r.span, f.cfg.MaxSegment, first.Stop)
	return data, err
}

// get reads one resource of at most limit bytes; begun are called when its header is there.
func (f *fetcher) get(ctx context.Context, u *url.URL, s span, limit int64, begun ...func() bool) ([]byte, *url.URL, error) {
	if s.length > limit || s.length < 0 || s.offset < 0 {
		return nil, nil, tooLong(limit)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("User-Agent", userAgent)
	if s.length > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", s.offset, s.offset+s.length-1))
	}
	res, err := f.client.Do(req)
	if err != nil {
		return nil, nil, inWords(err)
	}
	defer res.Body.Close()
	for _, b := range begun {
		b()
	}
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusPartialContent {
		return nil, nil, statusError(res.StatusCode)
	}
	data, err := readBody(res, s, limit)
	return data, res.Request.URL, err
}

// readBody reads the part of an answer that was asked for, also from a server that knows no ranges.
func readBody(res *http.Response, s span, limit int64) ([]byte, error) {
	if s.length > 0 && res.StatusCode == http.StatusOK {
		if s.offset > limit {
			return nil, tooLong(limit)
		}
		if _, err := io.CopyN(io.Discard, res.Body, s.offset); err != nil {
			return nil, inWords(err)
		}
	}
	most := limit
	if s.length > 0 {
		most = s.length
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	switch {
	case err != nil:
		return nil, inWords(err)
	case s.length > 0 && int64(len(data)) < s.length:
		return nil, errs.New(errs.Unavailable, "hlspull.fetch", "the origin answers %d of %d bytes of a range", len(data), s.length)
	case s.length > 0:
		return data[:s.length], nil
	case int64(len(data)) > limit:
		return nil, tooLong(limit)
	}
	return data, nil
}

func tooLong(limit int64) error {
	return errs.New(errs.Invalid, "hlspull.fetch", "the origin's answer is longer than %d bytes, which is not read", limit)
}

// statusError classifies an HTTP status: NotFound for what is not there, Unavailable for what may pass.
func statusError(status int) error {
	const op = "hlspull.fetch"
	switch status {
	case http.StatusNotFound, http.StatusGone:
		return errs.New(errs.NotFound, op, "there is nothing at the address (HTTP %d)", status)
	case http.StatusUnauthorized, http.StatusForbidden:
		return errs.New(errs.Forbidden, op, "the origin does not let this server read the address (HTTP %d)", status)
	}
	return errs.New(errs.Unavailable, op, "the origin answers HTTP %d %s", status, http.StatusText(status))
}

// inWords makes an error of a transfer one that a person can act on. What we refuse ourselves keeps its words.
func inWords(err error) error {
	const op = "hlspull.fetch"
	var ours *errs.Error
	var dns *net.DNSError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ours):
		return ours
	case errors.As(err, &dns):
		return errs.As(errs.Unavailable, op, err, "the name %s cannot be resolved", dns.Name)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errs.As(errs.Unavailable, op, err, "the origin does not answer in time")
	}
	return errs.As(errs.Unavailable, op, err, "the origin cannot be reached: %v", rootCause(err))
}

// rootCause is the innermost error: what the system said.
func rootCause(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

// persist does what may fail for a while until it succeeds, or the patience is over. What will not pass fails at once.
func (f *fetcher) persist(ctx context.Context, do func(context.Context) error) error {
	deadline := time.Now().Add(f.cfg.Patience)
	for pause := f.cfg.RetryMin / 4; ; pause = min(2*pause, f.cfg.RetryMax) {
		err := do(ctx)
		if err == nil || ctx.Err() != nil || errs.KindOf(err) != errs.Unavailable || time.Now().Add(pause).After(deadline) {
			return err
		}
		if err := wait(ctx, pause); err != nil {
			return err
		}
	}
}
