package pusher

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/vitrine-live/vitrine/ingest/rtmp"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// flv makes a film of n pictures, 20 ms apart, with a sound beside each.
func flv(n int) []byte {
	avcC := []byte{
		0x17, 0, 0, 0, 0, 1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0, 25,
		0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x2f, 0xf9, 0x70, 0x11, 0x00, 0x00, 0x03, 0x00, 0x01, 0x00, 0x00, 0x03, 0x00, 0x3c, 0x0f, 0x16, 0x2e, 0x48,
		1, 0, 5, 0x68, 0xcb, 0x83, 0xcb, 0x20,
	}
	b := []byte{'F', 'L', 'V', 1, 5, 0, 0, 0, 9, 0, 0, 0, 0}
	b = appendTag(b, 18, 0, []byte{2, 0, 10})
	b = appendTag(b, 9, 0, avcC)
	b = appendTag(b, 8, 0, []byte{0xaf, 0, 0x11, 0x90})
	for i := range n {
		nal, frame := byte(0x41), byte(0x27)
		if i == 0 {
			nal, frame = 0x65, 0x17
		}
		b = appendTag(b, 9, 20*i, []byte{frame, 1, 0, 0, 0, 0, 0, 0, 2, nal, byte(i)})
		b = appendTag(b, 8, 20*i, []byte{0xaf, 1, 0x21, byte(i)})
	}
	return b
}

func appendTag(b []byte, typeID byte, ms int, body []byte) []byte {
	n := len(body)
	b = append(b, typeID, byte(n>>16), byte(n>>8), byte(n), byte(ms>>16), byte(ms>>8), byte(ms), byte(ms>>24), 0, 0, 0)
	b = append(b, body...)
	n += 11
	return append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func TestReadFLV(t *testing.T) {
	f, err := ReadFLV(flv(50))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.start) != 2 || len(f.tags) != 100 || f.length < 980*time.Millisecond || f.length > time.Second {
		t.Errorf("%d headers, %d tags, %v", len(f.start), len(f.tags), f.length)
	}
	for _, bad := range [][]byte{nil, []byte("FLV"), flv(0), flv(3)[:60], []byte("RIFF0123456789")} {
		if _, err := ReadFLV(bad); !errors.Is(err, errNotFLV) {
			t.Errorf("%q was read: %v", bad, err)
		}
	}
}

// room takes one publisher and hands on its samples.
type room struct {
	samples chan media.Sample
	done    chan struct{}
	closed  sync.Once
}

func (r *room) Publish(_ context.Context, req media.PublishRequest) (media.Publication, error) {
	if req.StreamKey != "right" {
		return nil, errs.New(errs.Unauthorized, "test", "the stream key is not known")
	}
	return r, nil
}
func (r *room) SetTracks([]media.Track) error       { return nil }
func (r *room) Write(s media.Sample) error          { r.samples <- s; return nil }
func (r *room) WriteData(media.Ticks, []byte) error { return nil }
func (r *room) Close(media.CloseReason)             { r.closed.Do(func() { close(r.done) }) }
func (r *room) Done() <-chan struct{}               { return nil }
func (r *room) Err() error                          { return nil }

func TestPusherPublishesInLoops(t *testing.T) {
	film, err := ReadFLV(flv(10))
	if err != nil {
		t.Fatal(err)
	}
	r := &room{samples: make(chan media.Sample, 1000), done: make(chan struct{})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	srv := rtmp.New(rtmp.Config{}, r, slog.New(slog.DiscardHandler), rtmp.NewMetrics(prometheus.NewRegistry()))
	wg.Go(func() { _ = srv.Serve(ctx, l) })

	if _, err := Dial(ctx, l.Addr().String(), "wrong", film); err == nil {
		t.Fatal("a wrong key was let in")
	}
	p, err := Dial(ctx, l.Addr().String(), "right", film)
	if err != nil {
		t.Fatal(err)
	}
	run, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	wg.Go(func() { ended <- p.Run(run, func(time.Duration) {}) })
	keys, last := 0, media.Ticks(-1)
	for keys < 3 { // three times through the film
		s := <-r.samples
		if s.Kind != media.Video {
			continue
		}
		if s.DTS <= last {
			t.Fatalf("DTS %d after %d", s.DTS, last)
		}
		last = s.DTS
		if s.Key {
			keys++
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	<-r.done
}
