package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-live/vitrine/internal/pusher"
)

// viewersBench loads a server with low-latency viewers of one room.
type viewersBench struct {
	benchServer
	viewers  int
	duration time.Duration
	client   *http.Client
	base     string // address of the show's media

	mu      sync.Mutex
	offered map[string]time.Time   // when the first viewer saw a part in its playlist
	taken   map[string][]time.Time // when viewers had its last byte
	bytes   int64
	failed  error
}

func (p *program) benchViewersCommand() *cobra.Command {
	b := &viewersBench{benchServer: benchServer{program: p}}
	cmd := &cobra.Command{
		Use: "viewers", Short: "How many low-latency viewers of one room a server carries", Args: cobra.NoArgs,
		Long: `Starts a server with a temporary data folder, on one core if --core is given, publishes one film to it, and lets many
viewers follow it as hls.js does: a blocking reload of the playlist, then the new part. Reports the time from the moment
the first viewer learns of a part to the moment each viewer has its last byte. Viewers run in this process, so leave it
a core of its own.`,
		Example: "  vitrine bench viewers -n 1000 --core 0",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return b.with(cmd.Context(), func(film *pusher.Film) error { return b.run(cmd.Context(), film) })
		},
	}
	cmd.Flags().IntVarP(&b.viewers, "viewers", "n", 500, "viewers at once")
	cmd.Flags().DurationVar(&b.duration, "duration", 20*time.Second, "how long to measure")
	b.flags(cmd)
	return cmd
}

func (b *viewersBench) run(ctx context.Context, film *pusher.Film) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rooms, err := b.makeRooms(ctx, 1)
	if err != nil {
		return err
	}
	p, err := pusher.Dial(ctx, b.ready.RTMP, rooms[0].StreamKey, film)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { b.fail(p.Run(ctx, func(time.Duration) {})) })

	b.client = &http.Client{Transport: &http.Transport{ // spends its time on nothing but reading
		MaxIdleConnsPerHost: 2 * b.viewers, MaxIdleConns: 2 * b.viewers, ReadBufferSize: 64 << 10, DisableCompression: true,
	}}
	if err := b.findShow(ctx, rooms[0].ID); err != nil {
		return err
	}
	b.reset()
	for range b.viewers {
		wg.Go(func() { b.fail(b.watch(ctx)) })
	}
	pause(ctx, 5*time.Second)
	b.reset()
	before := b.usage()
	pause(ctx, b.duration)
	after := b.usage()
	cancel()
	wg.Wait()
	b.report(before, after)
	return b.failed
}

func (b *viewersBench) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.offered, b.taken, b.bytes = map[string]time.Time{}, map[string][]time.Time{}, 0
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (b *viewersBench) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed = errors.Join(b.failed, err)
}

// findShow waits for the room's show and its first segment.
func (b *viewersBench) findShow(ctx context.Context, room string) error {
	live := "http://" + b.ready.HTTP + "/live/" + room + "/"
	for range 100 {
		body, err := b.get(ctx, live+"index.m3u8")
		if err == nil {
			lines := strings.Fields(string(body))
			b.base = live + strings.TrimSuffix(lines[len(lines)-1], "main.m3u8")
			return nil
		}
		pause(ctx, 200*time.Millisecond)
	}
	return errors.New("the room did not go on air within 20 s")
}

// watch follows the playlist and takes every part until ctx ends.
func (b *viewersBench) watch(ctx context.Context) error {
	query := ""
	for ctx.Err() == nil {
		list, err := b.get(ctx, b.base+"main.m3u8"+query)
		seen := time.Now()
		if err != nil {
			return b.unlessOver(ctx, err)
		}
		part, next := newestPart(list), hintedPart(list)
		msn, index, ok := strings.Cut(strings.TrimSuffix(next, ".m4s"), ".")
		if !ok {
			return fmt.Errorf("no preload hint in the playlist: %q", list)
		}
		query = "?_HLS_msn=" + msn + "&_HLS_part=" + index
		if part == "" {
			continue
		}
		var n counter
		if err := b.fetch(ctx, b.base+part, &n); err != nil {
			return b.unlessOver(ctx, err)
		}
		b.took(part, seen, time.Now(), int64(n)+int64(len(list)))
	}
	return nil
}

func (b *viewersBench) unlessOver(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (b *viewersBench) took(part string, seen, done time.Time, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if at, ok := b.offered[part]; !ok || seen.Before(at) {
		b.offered[part] = seen
	}
	b.taken[part] = append(b.taken[part], done)
	b.bytes += n
}

// hintedPart returns the part that the playlist hints at.
func hintedPart(list []byte) string { return lastURI(list, "#EXT-X-PRELOAD-HINT:") }

// newestPart returns the last part that the playlist lists.
func newestPart(list []byte) string { return lastURI(list, "#EXT-X-PART:") }

func lastURI(list []byte, tag string) string {
	i := bytes.LastIndex(list, []byte(tag))
	if i < 0 {
		return ""
	}
	_, rest, _ := strings.Cut(string(list[i:min(i+200, len(list))]), `URI="`)
	uri, _, _ := strings.Cut(rest, `"`)
	return uri
}

func (b *viewersBench) get(ctx context.Context, url string) ([]byte, error) {
	var body bytes.Buffer
	err := b.fetch(ctx, url, &body)
	return body.Bytes(), err
}

func (b *viewersBench) fetch(ctx context.Context, url string, into io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := b.client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(into, res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d", url, res.StatusCode)
	}
	return nil
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// ReadFrom reads past r's own buffer sizes: a part takes one or two reads instead of forty.
func (c *counter) ReadFrom(r io.Reader) (int64, error) {
	buf := buffers.Get().(*[256 << 10]byte) //nolint:forcetypeassert // the pool holds nothing else
	defer buffers.Put(buf)
	var total int64
	for {
		n, err := r.Read(buf[:])
		total += int64(n)
		*c += counter(n)
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

var buffers = sync.Pool{New: func() any { return new([256 << 10]byte) }}

func (b *viewersBench) report(before, after usage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []time.Duration
	complete := 0
	for part, times := range b.taken {
		for _, t := range times {
			all = append(all, t.Sub(b.offered[part]))
		}
		if len(times) == b.viewers {
			complete++
		}
	}
	at, wall := quantiles(all), after.at.Sub(before.at)
	fmt.Fprintf(b.stdout, "load      %d viewers for %v, %.0f Mbit/s, %d of %d parts reached all\n",
		b.viewers, wall.Round(time.Second), float64(b.bytes*8)/1e6/wall.Seconds(), complete, len(b.taken))
	fmt.Fprintf(b.stdout, "part      offered to last byte: p50 %v  p99 %v  max %v\n", at(0.5), at(0.99), at(1))
	fmt.Fprintf(b.stdout, "server    %.0f %% of one core, %.1f MiB\n", 100*(after.cpu-before.cpu).Seconds()/wall.Seconds(), after.mebibytes())
}
