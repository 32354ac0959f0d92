package api

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/webhook"
	"github.com/vitrine-live/vitrine/hls"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/store/sqldb"
	"github.com/vitrine-live/vitrine/store/sqldb/sqldbtest"
)

const adminToken = "right"

// house is the surface over real domains, without a recording, on a clock that stands until a test moves it.
type house struct {
	t      testing.TB
	now    time.Time
	rooms  *live.Rooms
	goods  *commerce.Catalogue
	server *Server
	// viewers' tokens come from here
	visitors *account.Viewers
	room     live.Room
	key      string

	db     *sqldb.DB
	people *account.People

	lotteryParts
	offerParts
	orderParts
}

func newHouse(t testing.TB, change ...func(*Deps)) *house {
	t.Helper()
	h := &house{t: t, now: time.Date(2026, 3, 4, 5, 6, 7, 123_456_000, time.UTC)}
	reg, log, clock := prometheus.NewRegistry(), slog.New(slog.DiscardHandler), func() time.Time { return h.now }
	db := sqldbtest.Open(t)
	timeline := overlay.NewTimeline(db, log, overlay.NewMetrics(reg))
	h.goods = commerce.NewCatalogue(db, clock)
	var err error
	h.rooms, err = live.NewRooms(live.Config{NoRecording: true}, live.Deps{
		Store: db, Products: h.goods, Timeline: timeline, Log: log, Metrics: live.NewMetrics(reg), HLS: hls.NewMetrics(reg), Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.rooms.Close(t.Context())
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if h.room, h.key, err = h.rooms.CreateRoom(t.Context(), live.RoomUpdate{Title: new("Spring teas")}); err != nil {
		t.Fatal(err)
	}
	h.visitors = account.NewViewers(account.NewVisitors(make([]byte, 32), clock), db)
	webhooks := webhook.NewService(webhook.Config{}, db, func(string) error { return nil }, clock)
	h.db = db
	h.people = account.NewPeople(account.Config{Password: account.PasswordCost{MemoryKiB: 64, Time: 1, Threads: 1}}, db, clock)
	deps := Deps{
		People: h.people, Audit: account.NewAudit(db, log, clock),
		Webhooks: webhooks,
		Viewers:  h.visitors, Rooms: h.rooms, Catalogue: h.goods, Timeline: timeline, Store: db, Viewer: http.NotFoundHandler(), Assets: http.NotFoundHandler(),
		Gatherer: reg, Log: log, Now: clock, AdminTokenHash: HashToken(adminToken), Version: "0",
	}
	h.withPictures(&deps, db, clock)
	h.withImporter(&deps, db, clock)
	h.withClipAssets(&deps, clock)
	h.withOffers(&deps, db, log)
	h.withLotteries(&deps, db, log)
	h.withEdits(&deps, db)
	deps.FunnelDeps = funnelDeps(t, db, h.rooms, timeline, log, clock)
	deps.HighlightDeps = highlightDeps(db, h.rooms, timeline, clock)
	deps.RetentionDeps = retentionDeps(t, db, clock)
	h.withOrders(&deps, db, log)
	h.withClips(&deps, db, clock)
	h.withPay(&deps, db, log)
	for _, f := range change {
		f(&deps)
	}
	h.server = New(deps)
	return h
}

// viewer returns the token of somebody new who watches.
func (h *house) viewer() string {
	h.t.Helper()
	_, token, err := h.visitors.New()
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

// ask sends a request with a bearer token, "" for none, and a body, nil for none, and returns the answer.
func (h *house) ask(method, path, token string, body any, header ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	var doc []byte
	if body != nil {
		var err error
		if doc, err = json.Marshal(body); err != nil {
			h.t.Fatal(err)
		}
	}
	r := httptest.NewRequest(method, "http://shop.example:8080"+path, bytes.NewReader(doc))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.server.Handler().ServeHTTP(w, r)
	return w
}

// read asks and decodes an answer that must have the status.
func (h *house) read(want int, out any, method, path, token string, body any, header ...string) {
	h.t.Helper()
	w := h.ask(method, path, token, body, header...)
	if w.Code != want {
		h.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
		h.t.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
	}
}

// publish sends so many seconds of an anchor who forgot the sound and has a keyframe every 10 s, and lets the server look
// at it.
func (h *house) publish(seconds int) {
	h.t.Helper()
	pub, err := h.rooms.Publish(h.t.Context(), media.PublishRequest{
		Protocol: "rtmp", Encoder: "OBS", Remote: netip.MustParseAddrPort("192.0.2.9:5000"), StreamKey: h.key,
		Link: func() media.Link { return media.Link{RTT: 42 * time.Millisecond, Loss: -1, Repaired: 0.125} },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	sps, err := hex.DecodeString("6742c01ed900a02ff970110000030001000003003c0f162e48")
	if err != nil {
		h.t.Fatal(err)
	}
	if err := pub.SetTracks([]media.Track{
		{Codec: media.H264, SPS: sps, PPS: []byte{0x68, 0xcb, 0x83, 0xcb, 0x20}},
		{Codec: media.AAC, Audio: &mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 48000, ChannelConfig: 2}},
	}); err != nil {
		h.t.Fatal(err)
	}
	h.send(pub, seconds)
}

func (h *house) send(pub media.Publication, seconds int) {
	h.t.Helper()
	for i := range seconds * 25 {
		at := media.Ticks(i) * 3600
		slice := append([]byte{0, 0, 0, 200, 0x41}, make([]byte, 199)...)
		if i%250 == 0 {
			slice[4] = 0x65
		}
		if err := pub.Write(media.Sample{Kind: media.Video, PTS: at, DTS: at, Key: i%250 == 0, Payload: slice, Arrival: h.now}); err != nil {
			h.t.Fatal(err)
		}
		if err := pub.Write(media.Sample{Kind: media.Audio, PTS: at, DTS: at, Key: true, Payload: make([]byte, 6), Arrival: h.now}); err != nil {
			h.t.Fatal(err)
		}
		h.now = h.now.Add(40 * time.Millisecond)
		if i%25 == 0 {
			h.rooms.Sweep(h.t.Context())
		}
	}
}
