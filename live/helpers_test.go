package live_test

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"log/slog"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/hls"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/store/sqldb"
	"github.com/vitrine-live/vitrine/store/sqldb/sqldbtest"
)

// clock is a wall clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// house is rooms with real parts on a data folder.
type house struct {
	t         *testing.T
	dir       string
	clock     *clock
	db        *sqldb.DB
	rooms     *live.Rooms
	timeline  *overlay.Timeline
	catalogue *commerce.Catalogue
	archive   *replay.Archive
	room      live.Room
	key       string

	mu      sync.Mutex
	changed []string // rooms that were reported to have changed
}

func newHouse(t *testing.T, cfg live.Config) *house {
	h := &house{t: t, dir: t.TempDir(), clock: &clock{now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}}
	h.open(cfg)
	var err error
	if h.room, h.key, err = h.rooms.CreateRoom(t.Context(), live.RoomUpdate{Title: new("Spring teas")}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.shut)
	return h
}

func (h *house) open(cfg live.Config) {
	h.t.Helper()
	reg, log := prometheus.NewRegistry(), slog.New(slog.DiscardHandler)
	db := sqldbtest.OpenAt(h.t, filepath.Join(h.dir, "vitrine.db"))
	archive, err := replay.Open(filepath.Join(h.dir, "recordings"), replay.Config{Reserve: 1}, log, replay.NewMetrics(reg))
	if err != nil {
		h.t.Fatal(err)
	}
	h.db, h.archive, h.catalogue, h.timeline = db, archive, commerce.NewCatalogue(db, h.clock.Now), overlay.NewTimeline(db, log, overlay.NewMetrics(reg))
	h.rooms, err = live.NewRooms(cfg, live.Deps{
		Store: db, Products: h.catalogue, Timeline: h.timeline, Archive: archive, Log: log,
		Metrics: live.NewMetrics(reg), HLS: hls.NewMetrics(reg), Now: h.clock.Now,
		RoomChanged: func(room, _ string) { h.mu.Lock(); h.changed = append(h.changed, room); h.mu.Unlock() },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.rooms.Restore(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) shut() {
	h.rooms.Close(context.Background())
	if err := h.archive.Close(); err != nil {
		h.t.Error(err)
	}
	if err := h.db.Close(); err != nil {
		h.t.Error(err)
	}
}

func (h *house) product(title string) commerce.Product {
	h.t.Helper()
	p, err := h.catalogue.Create(h.t.Context(), commerce.Product{Title: title, Price: commerce.Money{Amount: 100, Currency: "CNY"}})
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// publisher sends 30 pictures a second with a keyframe each second, and AAC.
type publisher struct {
	h    *house
	pub  media.Publication
	next int         // picture
	base media.Ticks // publisher time of picture 0
}

func tracks(t *testing.T) []media.Track {
	sps, err := hex.DecodeString("6742c01ed900a02ff970110000030001000003003c0f162e48")
	if err != nil {
		t.Fatal(err)
	}
	return []media.Track{
		{Codec: media.H264, SPS: sps, PPS: []byte{0x68, 0xcb, 0x83, 0xcb, 0x20}},
		{Codec: media.AAC, Audio: &mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 48000, ChannelConfig: 2}},
	}
}

func (h *house) publish(base media.Ticks) *publisher {
	h.t.Helper()
	pub, err := h.rooms.Publish(h.t.Context(), media.PublishRequest{Protocol: "rtmp", Remote: netip.MustParseAddrPort("127.0.0.1:5000"), StreamKey: h.key})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := pub.SetTracks(tracks(h.t)); err != nil {
		h.t.Fatal(err)
	}
	return &publisher{h: h, pub: pub, base: base}
}

// send publishes n pictures in real time of the house's clock.
func (p *publisher) send(n int) {
	p.h.t.Helper()
	for range n {
		if err := p.sendOne(); err != nil {
			p.h.t.Fatal(err)
		}
	}
}

func (p *publisher) sendOne() error {
	at := p.base + media.Ticks(p.next)*3000
	if err := p.pub.Write(p.picture(at)); err != nil {
		return err
	}
	err := p.pub.Write(media.Sample{Kind: media.Audio, PTS: at, DTS: at, Key: true, Payload: make([]byte, 64), Arrival: p.h.clock.Now()})
	p.next++
	p.h.clock.advance((media.Ticks(p.next) * 3000).Duration() - (media.Ticks(p.next-1) * 3000).Duration())
	return err
}

func (p *publisher) picture(at media.Ticks) media.Sample {
	nal := make([]byte, 4+200)
	binary.BigEndian.PutUint32(nal, 200)
	key := p.next%30 == 0
	nal[4] = 0x41 // a slice that is referred to
	if key {
		nal[4] = 0x65 // IDR
	}
	return media.Sample{Kind: media.Video, PTS: at, DTS: at, Key: key, Payload: nal, Arrival: p.h.clock.Now()}
}

func (h *house) status() live.Status {
	h.t.Helper()
	st, err := h.rooms.Status(h.t.Context(), h.room.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	return st
}

func (h *house) show(id string) live.Show {
	h.t.Helper()
	s, err := h.rooms.Show(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func (h *house) events(show string) []overlay.Event {
	h.t.Helper()
	ev, err := h.timeline.Events(h.t.Context(), show, 0, 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	return ev
}
