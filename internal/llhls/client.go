package llhls

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// answer is a whole HTTP answer.
type answer struct {
	url    string
	status int
	header http.Header
	body   []byte
}

const maxBody = 64 << 20

// get fetches ref, relative to base.
func (f *follower) get(ctx context.Context, ref string) (*answer, error) {
	u, err := f.base.Parse(ref)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Origin", "https://player.example")
	res, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("%s: after %d bytes: %w", ref, len(body), err)
	}
	return &answer{url: ref, status: res.StatusCode, header: res.Header, body: body}, nil
}

// patient is get, honouring 503 with Retry-After until ctx ends.
func (f *follower) patient(ctx context.Context, ref string) (*answer, error) {
	for {
		a, err := f.get(ctx, ref)
		if err != nil || a.status != http.StatusServiceUnavailable {
			return a, err
		}
		f.count(func(r *Report) { r.Unavailable++ })
		wait, err := strconv.Atoi(a.header.Get("Retry-After"))
		if err != nil || wait < 0 || wait > 60 {
			f.violate(Header, "%s: 503 with Retry-After %q", f.name(ref), a.header.Get("Retry-After"))
			wait = 1
		}
		if !sleep(ctx, max(time.Duration(wait)*time.Second, 100*time.Millisecond)) {
			return nil, ctx.Err()
		}
	}
}

// name shortens a reference for messages: without the query values that differ from call to call.
func (f *follower) name(ref string) string {
	u, err := url.Parse(ref)
	if err != nil {
		return ref
	}
	s := u.Path[strings.LastIndex(u.Path, "/")+1:]
	for _, k := range []string{"_HLS_msn", "_HLS_part", "_HLS_skip"} {
		if u.Query().Has(k) {
			s += " " + k
		}
	}
	return s
}

// playlistAnswer judges the status and the headers of a playlist but for how long it may be kept.
func (f *follower) playlistAnswer(a *answer) bool {
	if a.status != http.StatusOK {
		f.violate(Status, "%s: status %d", f.name(a.url), a.status)
		return false
	}
	f.common(a, "application/vnd.apple.mpegurl", "audio/mpegurl")
	return true
}

// playlistCache judges how long caches may keep a playlist.
func (f *follower) playlistCache(a *answer, longest time.Duration) {
	cache := cacheControl(a.header)
	age, err := strconv.Atoi(cache["max-age"])
	_, noCache := cache["no-cache"]
	_, noStore := cache["no-store"]
	if !noCache && !noStore && (err != nil || time.Duration(age)*time.Second > longest) {
		f.violate(Header, "%s: Cache-Control %q keeps a playlist longer than %v", f.name(a.url), a.header.Get("Cache-Control"), longest)
	}
}

// mediaAnswer judges the headers of a segment, part or initialization segment, which never change.
func (f *follower) mediaAnswer(a *answer) bool {
	if a.status != http.StatusOK {
		f.violate(Status, "%s: status %d", f.name(a.url), a.status)
		return false
	}
	want := "video/mp4"
	if strings.HasSuffix(a.url, ".ts") {
		want = "video/mp2t"
	}
	f.common(a, want)
	cache := cacheControl(a.header)
	if age, err := strconv.Atoi(cache["max-age"]); err != nil || age < 3600 {
		f.violate(Header, "media with Cache-Control %q, though it never changes", a.header.Get("Cache-Control"))
	}
	return true
}

func (f *follower) common(a *answer, types ...string) {
	got, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	ok := err == nil
	for _, t := range types {
		if ok && strings.EqualFold(got, t) {
			types = nil
			break
		}
	}
	if types != nil {
		f.violate(Header, "%s: Content-Type %q", f.name(a.url), a.header.Get("Content-Type"))
	}
	if a.header.Get("Access-Control-Allow-Origin") == "" {
		f.violate(Header, "%s: closed to other origins", f.name(a.url))
	}
}

func cacheControl(h http.Header) map[string]string {
	out := map[string]string{}
	for d := range strings.SplitSeq(h.Get("Cache-Control"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(d), "=")
		out[strings.ToLower(name)] = value
	}
	return out
}

// sleep waits for d, or less when ctx ends; it reports whether ctx has not.
func sleep(ctx context.Context, d time.Duration) bool {
	if wake, stop := after(d); wake != nil {
		defer stop()
		select {
		case <-ctx.Done():
		case <-wake:
		}
	}
	return ctx.Err() == nil
}

// after closes a channel in d, or returns none when that is now. It does without the timers' own channels: a select on one
// that has just expired crashes the runtime of Go 1.26.8 in synctest bubbles under the race detector.
func after(d time.Duration) (wake chan struct{}, stop func() bool) {
	if d <= 0 {
		return nil, nil
	}
	wake = make(chan struct{})
	return wake, time.AfterFunc(d, func() { close(wake) }).Stop
}
