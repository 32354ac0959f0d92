package live_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
)

func codes(ws []live.Warning) (out []string) {
	for _, w := range ws {
		out = append(out, w.Code)
	}
	return out
}

// watch sends n seconds and lets the rooms look at them as they do by themselves.
func (p *publisher) watch(seconds int) {
	p.h.t.Helper()
	for range seconds {
		p.send(30)
		p.h.rooms.Sweep(p.h.t.Context())
	}
}

func TestAnchorIsWarnedAndRelieved(t *testing.T) {
	h := newHouse(t, live.Config{})
	p := h.publish(0)
	p.pub.(media.Reporter).ReportEncoder("obs-output module")
	p.watch(20)
	st := h.status()
	// The sounds of these tests are of 64 bytes.
	if got := codes(st.Warnings); !slices.Equal(got, []string{"sound_bitrate_low"}) || st.Publisher.Encoder != "obs-output module" {
		t.Fatalf("%v of %+v", got, st.Publisher)
	}
	if w := st.Warnings[0]; w.Severity != live.Hint || !strings.Contains(w.Remedy(live.English), "Audio Bitrate = 128") {
		t.Errorf("%+v: %s", w, w.Remedy(live.English))
	}
	for _, a := range media.Anomalies {
		p.pub.(media.Reporter).ReportAnomaly(a)
	}
	p.watch(2)
	if st := h.status(); !slices.Contains(codes(st.Warnings), "timestamps") || st.Publisher.Anomalies != int64(len(media.Anomalies)-1) {
		t.Errorf("%v, %d anomalies", codes(st.Warnings), st.Publisher.Anomalies)
	}
	h.clock.advance(4 * time.Second)
	h.rooms.Sweep(t.Context())
	st = h.status()
	if st.Publisher.State != live.PublisherStalled || len(st.Warnings) == 0 || st.Warnings[0].Code != "stalled" {
		t.Errorf("%s: %v", st.Publisher.State, codes(st.Warnings))
	}
	p.pub.Close(media.ConnectionLost)
	if got := h.status().Warnings; len(got) != 1 || got[0].Code != "publisher_gone" || got[0].Severity != live.Critical {
		t.Errorf("%+v", got)
	}
	if got := h.publish(0); len(h.status().Warnings) != 0 {
		t.Errorf("a new publisher inherits %v", codes(h.status().Warnings))
	} else {
		got.send(1)
	}
}

// What a browser sends is told of as it is sent, whatever is made of it on the way.
func TestAnchorWhoseKeyframesAreFarApart(t *testing.T) {
	h := newHouse(t, live.Config{})
	p := h.publish(0)
	for range 5 {
		p.watch(1)
		p.next += 30 * 29 // a keyframe each 30 s of its clock
	}
	if got := codes(h.status().Warnings); !slices.Contains(got, "keyframes_far_apart") {
		t.Errorf("%v", got)
	}
}

func TestLimitsOfPublishers(t *testing.T) {
	h := newHouse(t, live.Config{MaxPublishers: 1})
	_, key, err := h.rooms.CreateRoom(t.Context(), live.RoomUpdate{Title: new("Second")})
	if err != nil {
		t.Fatal(err)
	}
	second := media.PublishRequest{Protocol: "rtmp", Remote: netip.MustParseAddrPort("127.0.0.1:5001"), StreamKey: key}
	p := h.publish(0)
	p.send(31)
	if _, err := h.rooms.Publish(t.Context(), second); errs.KindOf(err) != errs.Exhausted {
		t.Fatalf("a second publisher: %v", err)
	}
	q := h.publish(0) // of the same room
	p.pub.Close(media.ConnectionLost)
	if _, err := h.rooms.Publish(t.Context(), second); errs.KindOf(err) != errs.Exhausted {
		t.Fatalf("while the newer one is on air: %v", err)
	}
	q.pub.Close(media.Unpublished)
	pub, err := h.rooms.Publish(t.Context(), second)
	if err != nil {
		t.Fatalf("after the last one has gone: %v", err)
	}
	pub.Close(media.ConnectionLost)
}

func TestRefusedPublishersLeaveNoSession(t *testing.T) {
	h := newHouse(t, live.Config{MaxPublishers: 1})
	other, key, err := h.rooms.CreateRoom(t.Context(), live.RoomUpdate{Title: new("Second")})
	if err != nil {
		t.Fatal(err)
	}
	h.publish(0).send(1)
	if _, err := h.rooms.Publish(t.Context(), media.PublishRequest{StreamKey: key}); errs.KindOf(err) != errs.Exhausted {
		t.Fatal(err)
	}
	if err := h.rooms.DeleteRoom(t.Context(), other.ID); err != nil {
		t.Errorf("a room whose publisher was refused counts as on air: %v", err)
	}
}

func TestMetricsOfPublishers(t *testing.T) {
	h := newHouse(t, live.Config{})
	reg := prometheus.NewRegistry()
	reg.MustRegister(live.NewCollector(h.rooms))
	gather := func() map[string]float64 {
		t.Helper()
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]float64{}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				name := f.GetName()
				for _, l := range m.GetLabel() {
					name += " " + l.GetValue()
				}
				out[name] = m.GetGauge().GetValue()
			}
		}
		return out
	}
	if got := gather(); len(got) != 3 {
		t.Errorf("at rest: %v", got)
	}
	p := h.publish(0)
	p.watch(20)
	got, room := gather(), h.room.ID
	for name, want := range map[string]float64{
		"vitrine_live_publishers":                                            1,
		"vitrine_live_shows live":                                            1,
		"vitrine_live_publisher_frames_per_second " + room:                   30,
		"vitrine_live_publisher_key_interval_seconds " + room:                1,
		"vitrine_live_publisher_info AAC 360 rtmp " + room + " H264 640":     1,
		"vitrine_live_publisher_warning sound_bitrate_low " + room + " info": 1,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v in %v", name, v, got)
		}
	}
	for _, unknown := range []string{"vitrine_live_publisher_loss_ratio ", "vitrine_live_publisher_rtt_seconds "} {
		if v, ok := got[unknown+room]; ok {
			t.Errorf("%s is %v, though nobody knows", unknown, v)
		}
	}
	p.pub.Close(media.Unpublished)
	if got := gather(); len(got) != 3 {
		t.Errorf("after the show: %v", got)
	}
}
