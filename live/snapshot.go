package live

import (
	"context"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/overlay"
)

// recentShows is how many of a room's shows are looked at for the last one that ended.
const recentShows = 50

// Snapshot tells the realtime channel how a room stands: what a viewer needs who knows nothing yet. NotFound for an
// unknown room. It takes no lock that a change of the show holds while it speaks to the channel.
func (r *Rooms) Snapshot(ctx context.Context, roomID string) (overlay.Snapshot, error) {
	const op = "live.Snapshot"
	room, err := r.Store.Room(ctx, roomID)
	if err != nil {
		return overlay.Snapshot{}, errs.Wrap(op, err)
	}
	show, err := r.shown(ctx, roomID)
	if err != nil {
		return overlay.Snapshot{}, errs.Wrap(op, err)
	}
	showID := ""
	if show != nil {
		showID = show.ID
	}
	bag, err := r.Products.BagFor(ctx, roomID, showID)
	if err != nil {
		return overlay.Snapshot{}, errs.Wrap(op, err)
	}
	snap := overlay.Snapshot{
		Room:     overlay.RoomView{ID: room.ID, Title: room.Title, State: string(RoomIdle)},
		Products: overlay.SnapshotsOf(bag),
	}
	if show == nil {
		return snap, nil
	}
	snap.Room.State = string(show.State)
	snap.Epochs = show.Epochs
	snap.Show = &overlay.ShowView{ID: show.ID, Title: show.Title, State: string(show.State), StartedAt: show.StartedAt, Duration: show.Duration}
	return snap, nil
}

// shown returns the show that a room shows to its viewers: the one on air or interrupted, else the last that ended, else
// nil.
func (r *Rooms) shown(ctx context.Context, roomID string) (*Show, error) {
	if st := r.StatusOf(roomID); st.Show != nil {
		return st.Show, nil
	}
	shows, err := r.Store.Shows(ctx, roomID, "", recentShows)
	if err != nil {
		return nil, err
	}
	for i := range shows {
		if shows[i].State == Ended {
			return &shows[i], nil
		}
	}
	return nil, nil //nolint:nilnil // no show is an answer
}
