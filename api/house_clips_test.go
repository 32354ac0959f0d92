package api

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay/clip"
	"github.com/vitrine-live/vitrine/replay/edit"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

// withClips makes clips of what the house does not record: what there is to test without media.
func (h *house) withClips(deps *Deps, db *sqldb.DB, clock func() time.Time) {
	clips, err := clip.Open(h.t.TempDir(), clip.Config{}, clip.Deps{
		Store: db, Timeline: deps.Timeline, Chapters: func(context.Context, string) ([]edit.Chapter, error) { return nil, nil }, Now: clock,
		Shows: func(ctx context.Context, id string) (clip.Show, error) {
			show, err := h.rooms.Show(ctx, id)
			return clip.Show{ID: show.ID, RoomID: show.RoomID, StoreID: show.StoreID, Title: show.Title, Epochs: show.Epochs}, err
		},
		Link: func(clip.Show, overlay.ProductSnapshot) string { return "" },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = clips.Close() })
	deps.Clips = clips
}
