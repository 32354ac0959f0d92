package api

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/edit"
	"github.com/vitrine-live/vitrine/replay/preview"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

// withEdits lets replays be edited; see withRecordings for some to edit.
func (h *house) withEdits(d *Deps, db *sqldb.DB) {
	h.t.Helper()
	edits, err := edit.New(edit.Config{}, edit.Deps{
		Store: db, Timeline: d.Timeline, Now: d.Now,
		OnAir: func(ctx context.Context, showID string) (bool, error) {
			show, err := h.rooms.Show(ctx, showID)
			return show.Unfinished(), err
		},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	d.Edits = edits
}

// withRecordings gives the surface an archive.
func withRecordings(t testing.TB) func(*Deps) {
	return func(d *Deps) {
		edits := d.Edits
		var previews *preview.Service
		beside := func(w http.ResponseWriter, r *http.Request, rec *replay.Recording, name string, kept []media.Span) (bool, error) {
			return previews.Beside(w, r, rec, name, kept)
		}
		archive, err := replay.Open(t.TempDir(), replay.Config{Edited: edits.State, Beside: beside}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := archive.Close(); err != nil {
				t.Error(err)
			}
		})
		previews = preview.New(preview.Config{}, preview.Deps{Archive: archive})
		d.Archive, edits.Recordings = archive, archive
	}
}

const recordedSegment = 2 * media.TicksPerSecond

// recorded makes a show of so many segments of two seconds that is over and has two pins, at 2 s and at 6 s, the first of
// which ends with the second. It returns the show's and the pins' ids.
func (h *house) recorded(segments int) (show string, pins [2]string) {
	h.t.Helper()
	products := [2]string{}
	for i, title := range []string{"Green <tea> & cup", "Black tea"} {
		var p Product
		h.read(http.StatusCreated, &p, http.MethodPost, goods, adminToken, map[string]any{"title": title, "price": 9900, "url": "https://shop.example/tea"})
		products[i] = p.ID
	}
	h.read(http.StatusOK, nil, http.MethodPut, h.path("/bag"), adminToken, map[string]any{"product_ids": products})
	h.publish(12)
	show, _, ok := h.rooms.OnAirNow(h.room.ID)
	if !ok {
		h.t.Fatal("the room is not on air")
	}
	for i, at := range []int64{2000, 6000} {
		var pin Pin
		h.read(http.StatusCreated, &pin, http.MethodPost, h.path("/pins"), h.key, map[string]any{"product_id": products[i], "show_time_ms": at})
		pins[i] = pin.ID
	}
	h.read(http.StatusNoContent, nil, http.MethodDelete, h.path("/pins/"+pins[0]+"?show_time_ms=6000"), h.key, nil)
	h.read(http.StatusNoContent, nil, http.MethodPost, h.path("/end"), h.key, nil)
	h.record(show, segments)
	return show, pins
}

// record puts a recording into the archive.
func (h *house) record(show string, segments int) {
	h.t.Helper()
	r, _, err := h.server.Archive.Record(show)
	if err != nil {
		h.t.Fatal(err)
	}
	r.OnEpoch(media.Epoch{Wall: h.now})
	r.OnInit(playlist.Init{Number: 1, Codecs: "avc1.64001f,mp4a.40.2", Width: 1280, Height: 720, FrameRate: 25}, []byte("init"))
	for i := range segments {
		data := []byte{byte(i), 1, 2, 3}
		seg := playlist.Segment{
			MSN: int64(i), Start: media.Ticks(i) * recordedSegment, Wall: h.now.Add(time.Duration(i) * 2 * time.Second), Init: 1, Independent: true,
			TargetDuration: 2, PartTarget: recordedSegment,
		}
		part := playlist.Part{Duration: recordedSegment, Independent: true, Last: true, Size: int64(len(data))}
		r.OnPart(seg, part, data)
		seg.Duration, seg.Size = recordedSegment, part.Size
		r.OnSegment(seg)
	}
	r.End()
	if err := r.Close(); err != nil {
		h.t.Fatal(err)
	}
}
