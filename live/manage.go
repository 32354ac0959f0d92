package live

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

const (
	maxTitle        = 120 // characters
	maxCaptureDelay = time.Minute
)

// HashKey returns how a stream key is stored. Keys have 160 random bits, so a plain hash cannot be searched.
func HashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// CreateRoom makes a room and returns it with its stream key, which cannot be asked for again.
func (r *Rooms) CreateRoom(ctx context.Context, title string, captureDelay time.Duration) (Room, string, error) {
	const op = "live.CreateRoom"
	title, err := checkTitle(op, title)
	if err != nil {
		return Room{}, "", err
	}
	if err := checkCaptureDelay(op, captureDelay); err != nil {
		return Room{}, "", err
	}
	key := ids.Secret("live")
	room := Room{ID: ids.New("room"), Title: title, KeyHash: HashKey(key), CaptureDelay: captureDelay, CreatedAt: r.now()}
	if err := r.Store.CreateRoom(ctx, room); err != nil {
		return Room{}, "", errs.Wrap(op, err)
	}
	return room, key, nil
}

// UpdateRoom changes a room. A new capture delay holds from the next pin on.
func (r *Rooms) UpdateRoom(ctx context.Context, id string, title *string, captureDelay *time.Duration) (Room, error) {
	const op = "live.UpdateRoom"
	if title != nil {
		t, err := checkTitle(op, *title)
		if err != nil {
			return Room{}, err
		}
		title = &t
	}
	if captureDelay != nil {
		if err := checkCaptureDelay(op, *captureDelay); err != nil {
			return Room{}, err
		}
	}
	room, err := r.Store.UpdateRoom(ctx, id, RoomUpdate{Title: title, CaptureDelay: captureDelay})
	if err != nil {
		return Room{}, errs.Wrap(op, err)
	}
	if s := r.sessionOf(id); s != nil {
		s.mu.Lock()
		s.captureDelay = room.CaptureDelay
		s.mu.Unlock()
	}
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
	return errs.Wrap(op, r.Store.DeleteRoom(ctx, id))
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
	show := Show{ID: ids.New("show"), RoomID: roomID, Title: title, State: Scheduled, ScheduledAt: at.UTC().Truncate(time.Millisecond), CreatedAt: r.now()}
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

func checkTitle(op, title string) (string, error) {
	title = strings.TrimSpace(title)
	if n := utf8.RuneCountInString(title); n == 0 || n > maxTitle {
		return "", errs.Field(op, "title", "must have 1 to %d characters", maxTitle)
	}
	return title, nil
}

func checkCaptureDelay(op string, d time.Duration) error {
	if d < 0 || d > maxCaptureDelay {
		return errs.Field(op, "capture_delay_ms", "must be between 0 and %d", maxCaptureDelay.Milliseconds())
	}
	return nil
}
