package api

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

// endlessFilm is read until its import is cancelled.
type endlessFilm struct{}

func (endlessFilm) Duration() time.Duration { return 90 * time.Second }

func (endlessFilm) Close() {}

func (endlessFilm) Read(ctx context.Context, _ func(time.Time, []media.Track) error, _ func(media.Sample) error) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// withImports gives the surface imports that open a film, or refuse it.
func withImports(t *testing.T, refuse error) func(*Deps) {
	return func(d *Deps) {
		archive, err := replay.Open(filepath.Join(t.TempDir(), "recordings"), replay.Config{}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		db, ok := d.Store.(*sqldb.DB)
		if !ok {
			t.Fatal("another store")
		}
		d.Imports, err = live.NewImports(t.Context(), live.ImportDeps{
			Rooms: d.Rooms, Archive: archive, Notes: db, Log: slog.New(slog.DiscardHandler),
			Open: func(context.Context, string) (live.Film, error) { return endlessFilm{}, refuse },
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			d.Imports.Close()
			if err := archive.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// waitFor asks for an import until it has another state.
func (h *house) waitFor(id, not string) (im Import) {
	h.t.Helper()
	for im.State == "" || im.State == not {
		if err := h.t.Context().Err(); err != nil {
			h.t.Fatal(err)
		}
		h.read(http.StatusOK, &im, http.MethodGet, "/api/v1/imports/"+id, adminToken, nil)
	}
	return im
}

func TestImports(t *testing.T) {
	h := newHouse(t, withImports(t, nil))
	path := "/api/v1/rooms/" + h.room.ID + "/imports"
	w := h.ask(http.MethodPost, path, adminToken, map[string]any{"url": "https://origin.example/film.m3u8"})
	var list ImportList
	h.read(http.StatusOK, &list, http.MethodGet, path, adminToken, nil)
	if w.Code != http.StatusAccepted || len(list.Items) != 1 || w.Header().Get("Location") != "/api/v1/imports/"+list.Items[0].ID {
		t.Fatalf("%d %s %s, listed %+v", w.Code, w.Header().Get("Location"), w.Body, list)
	}
	im := list.Items[0]
	if im.State != "running" || im.Title != h.room.Title || im.RoomID != h.room.ID || im.EndedAt != nil {
		t.Errorf("%+v", im)
	}
	h.read(http.StatusNoContent, nil, http.MethodDelete, "/api/v1/imports/"+im.ID, adminToken, nil)
	if im = h.waitFor(im.ID, "running"); im.State != "cancelled" || im.EndedAt == nil || im.ShowID != "" {
		t.Errorf("%+v", im)
	}
	h.read(http.StatusConflict, nil, http.MethodDelete, "/api/v1/imports/"+im.ID, adminToken, nil)
	h.read(http.StatusNotFound, nil, http.MethodGet, "/api/v1/imports/import_x", adminToken, nil)
	h.read(http.StatusNotFound, nil, http.MethodPost, "/api/v1/rooms/room_x/imports", adminToken, map[string]any{"url": "https://origin.example/film.m3u8"})
	h.read(http.StatusNotFound, nil, http.MethodGet, "/api/v1/rooms/room_x/imports", adminToken, nil)
	h.read(http.StatusUnprocessableEntity, nil, http.MethodPost, path, adminToken, map[string]any{"url": "file:///etc/passwd"})
	h.read(http.StatusUnauthorized, nil, http.MethodPost, path, h.key, map[string]any{"url": "https://origin.example/film.m3u8"})
}

func TestImportThatFails(t *testing.T) {
	h := newHouse(t, withImports(t, errs.New(errs.Invalid, "origin", "the show is encrypted")))
	var im Import
	h.read(http.StatusAccepted, &im, http.MethodPost, "/api/v1/rooms/"+h.room.ID+"/imports", adminToken, map[string]any{"url": "https://origin.example/film.m3u8"})
	if im = h.waitFor(im.ID, "running"); im.State != "failed" || im.Reason != "the show is encrypted" {
		t.Errorf("%+v", im)
	}
}
