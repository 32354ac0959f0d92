package live

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// HashKey returns how a stream key is stored. Keys have 160 random bits, so a plain hash cannot be searched.
func HashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// CreateRoom makes a room, of which the settings must have a title, and returns it with its stream key, which cannot be
// asked for again. Invalid names the setting that cannot be.
func (r *Rooms) CreateRoom(ctx context.Context, settings RoomUpdate) (Room, string, error) {
	const op = "live.CreateRoom"
	if settings.Title == nil {
		settings.Title = new(string) // refused by check
	}
	if err := settings.check(op, r.presetNames()); err != nil {
		return Room{}, "", err
	}
	key := ids.Secret("live")
	room := Room{
		ID: ids.New("room"), Title: *settings.Title, KeyHash: HashKey(key), CaptureDelay: value(settings.CaptureDelay),
		Ladder: value(settings.Ladder), SourceURL: value(settings.SourceURL), StoreID: value(settings.StoreID), CreatedAt: r.now(),
	}
	if room.StoreID == "" {
		room.StoreID = account.DefaultStore
	}
	if err := r.Store.CreateRoom(ctx, room); err != nil {
		return Room{}, "", errs.Wrap(op, err)
	}
	r.SourcesChanged()
	return room, key, nil
}

// value is what p points to, or the zero value.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// UpdateRoom changes a room's settings. A new capture delay holds from the next pin on, a new ladder from the next
// publish. Invalid names the setting that cannot be; NotFound.
func (r *Rooms) UpdateRoom(ctx context.Context, id string, change RoomUpdate) (Room, error) {
	const op = "live.UpdateRoom"
	if err := change.check(op, r.presetNames()); err != nil {
		return Room{}, err
	}
	change.KeyHash = nil // RotateKey alone makes keys
	room, err := r.Store.UpdateRoom(ctx, id, change)
	if err != nil {
		return Room{}, errs.Wrap(op, err)
	}
	if s := r.sessionOf(id); s != nil {
		s.settingsChanged(room)
	}
	r.SourcesChanged()
	return room, nil
}

// RotateKey gives the room a new stream key and returns it. A publisher that is on air stays; the old key lets nobody
// in from now on.
func (r *Rooms) RotateKey(ctx context.Context, id string) (string, error) {
	key := ids.Secret("live")
	hash := HashKey(key)
	_, err := r.Store.UpdateRoom(ctx, id, RoomUpdate{KeyHash: &hash})
	return key, errs.Wrap("live.RotateKey", err)
}

// DeleteRoom deletes a room that is not on air. Its ended shows and their replays stay.
func (r *Rooms) DeleteRoom(ctx context.Context, id string) error {
	const op = "live.DeleteRoom"
	if s := r.sessionOf(id); s != nil && !s.over() {
		return errs.New(errs.Conflict, op, "the room is on air; end its show first")
	}
	if err := r.Store.DeleteRoom(ctx, id); err != nil {
		return errs.Wrap(op, err)
	}
	r.SourcesChanged()
	return nil
}

// End ends the room's show. Conflict when there is none on air.
func (r *Rooms) End(ctx context.Context, roomID string) error {
	s, err := r.airing(ctx, roomID)
	if err != nil {
		return err
	}
	s.end(ctx, "asked")
	return nil
}

// Schedule announces a show for a later time. The room's next publish carries it out.
func (r *Rooms) Schedule(ctx context.Context, roomID, title string, at time.Time) (Show, error) {
	const op = "live.Schedule"
	room, err := r.Store.Room(ctx, roomID)
	if err != nil {
		return Show{}, errs.Wrap(op, err)
	}
	if title == "" {
		title = room.Title
	}
	if title, err = checkTitle(op, title); err != nil {
		return Show{}, err
	}
	if at.IsZero() {
		return Show{}, errs.Field(op, "scheduled_at", "must say when the show is to start")
	}
	show := Show{ID: ids.New("show"), RoomID: roomID, StoreID: room.StoreID, Title: title, State: Scheduled, ScheduledAt: at.UTC().Truncate(time.Millisecond), CreatedAt: r.now()}
	return show, errs.Wrap(op, r.Store.CreateShow(ctx, show))
}

// Show returns a show as it stands now, its duration up to the last packaged sample.
func (r *Rooms) Show(ctx context.Context, id string) (Show, error) {
	r.mu.Lock()
	s := r.shows[id]
	r.mu.Unlock()
	if s != nil {
		return s.snapshotShow(), nil
	}
	return r.Store.Show(ctx, id)
}

func (r *Rooms) now() time.Time { return r.Now().UTC().Truncate(time.Millisecond) }
