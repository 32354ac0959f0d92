package audience

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/internal/ratelimit"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
)

const (
	// behind is how far a viewer's picture may lag behind the show's clock for a comment to stand where they saw it.
	behind = time.Minute
	// ahead is what clocks may differ.
	ahead = 2 * time.Second
	// remembered is how many of a viewer's newest comments are searched for a phrase.
	remembered = 200
)

// commentStore keeps comments and mutes. Each method is one transaction.
type commentStore interface {
	AddComment(ctx context.Context, c Comment) error
	Comment(ctx context.Context, showID, id string) (Comment, error) // NotFound
	// Comments lists a show's, newest first, those made before the one named; state "" stands for all.
	Comments(ctx context.Context, showID string, state State, before string, limit int) ([]Comment, error)
	// ModerateComment changes the state of a comment. Conflict: it is not in the state from.
	ModerateComment(ctx context.Context, showID, id string, from, to State, by string, at time.Time) (Comment, error) // NotFound
	// ViewerComments returns the texts of a viewer's newest comments in a show that are shown, made at since or later.
	ViewerComments(ctx context.Context, showID, viewerID string, since time.Time, limit int) ([]string, error)

	AddMute(ctx context.Context, m Mute) (Mute, error) // the one that is there, if there is one
	DeleteMute(ctx context.Context, showID, id string) error
	Mutes(ctx context.Context, showID string) ([]Mute, error)
	// MutesOf returns those that hold for a viewer.
	MutesOf(ctx context.Context, showID, viewerID string) ([]Mute, error)
}

// shows is the part of live rooms that comments and likes need.
type shows interface {
	ShopShow(ctx context.Context, showID string) (commerce.Show, error) // NotFound
	OnAirNow(roomID string) (showID string, atMS int64, ok bool)
	Tell(ctx context.Context, showID, typ string, atMS *int64, data any) (showTimeMS int64, err error)
}

// timeline is the log of a show, also after its end.
type timeline interface {
	Append(ctx context.Context, showID string, typ overlay.Type, showTime media.Ticks, wall time.Time, data any) (overlay.Event, error)
}

// Config sets up comments and likes. The zero value of each field stands for its default.
type Config struct {
	PerViewer int // comments of a viewer in 10 s; default 5
	PerShow   int // comments of a show in a second; default 20
	Likes     int // requests with likes of a viewer in 10 s; default 20
}

// Validate returns an Invalid error that names the first field out of range.
func (c Config) Validate() error {
	for _, f := range []struct {
		name  string
		value int
	}{{"per_viewer", c.PerViewer}, {"per_show", c.PerShow}, {"likes", c.Likes}} {
		if f.value < 0 || f.value > 10_000 {
			return errs.Field("audience.Config", f.name, "must be at most 10,000")
		}
	}
	return nil
}

func (c Config) withDefaults() Config {
	for _, f := range []struct {
		value *int
		def   int
	}{{&c.PerViewer, 5}, {&c.PerShow, 20}, {&c.Likes, 20}} {
		if *f.value == 0 {
			*f.value = f.def
		}
	}
	return c
}

// CommentDeps are what comments work with.
type CommentDeps struct {
	Store    commentStore
	Shows    shows
	Timeline timeline
	Limits   ratelimit.Limiter
	Words    *Words // nil: everything may be said
	Log      *slog.Logger
	Now      func() time.Time // nil: time.Now
}

// Comments is what viewers say. Safe for concurrent use.
type Comments struct {
	CommentDeps
	cfg Config
}

// NewComments makes Comments. cfg must be valid.
func NewComments(cfg Config, deps CommentDeps) *Comments {
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &Comments{CommentDeps: deps, cfg: cfg.withDefaults()}
}

// Post brings a viewer's comment to the others: at atMS of show time, which the viewer's picture shows, if that can be,
// else now. A comment that has to be looked at first comes back as Held.
//
// NotFound; Conflict: the show is not on air; Invalid: it is empty, too long, or says what may not be said; Forbidden: the
// viewer, or everybody, is muted; Exhausted: too many in too short a time.
func (c *Comments) Post(ctx context.Context, showID string, v account.Viewer, text string, atMS *int64) (Comment, error) {
	const op = "audience.Post"
	text, err := clean(op, text)
	if err != nil {
		return Comment{}, err
	}
	do, found := c.Words.look(text)
	if do == refuse {
		return Comment{}, errs.Field(op, "text", "this cannot be said here; put it another way")
	}
	show, now, err := onAir(ctx, c.Shows, op, showID)
	if err != nil {
		return Comment{}, err
	}
	if err := c.mayComment(ctx, showID, v.ID); err != nil {
		return Comment{}, err
	}
	comment := Comment{
		ID: ids.New("cmt"), ShowID: showID, StoreID: show.StoreID, ViewerID: v.ID, Name: c.nameOf(showID, v), Text: text, State: Shown,
		ShowTimeMS: placed(atMS, now), CreatedAt: c.instant(),
	}
	if do == hold {
		comment.State, comment.Reason = Held, clip(strings.Join(found, ", "), maxReason)
	}
	if err := c.Store.AddComment(ctx, comment); err != nil {
		return Comment{}, errs.Wrap(op, err)
	}
	if comment.State == Held {
		return comment, nil
	}
	return comment, errs.Wrap(op, c.tell(ctx, &comment))
}

// mayComment refuses who is muted, and those who are too fast.
func (c *Comments) mayComment(ctx context.Context, showID, viewerID string) error {
	const op = "audience.Post"
	mutes, err := c.Store.MutesOf(ctx, showID, viewerID)
	if err != nil {
		return errs.Wrap(op, err)
	}
	switch {
	case slices.ContainsFunc(mutes, func(m Mute) bool { return m.ViewerID == "" }):
		return errs.New(errs.Forbidden, op, "comments are closed for now")
	case len(mutes) > 0:
		return errs.New(errs.Forbidden, op, "you cannot comment in this show any more")
	}
	if ok, wait := c.Limits.Allow(ctx, "comment:"+showID+":"+viewerID, ratelimit.Limit{N: c.cfg.PerViewer, Per: 10 * time.Second}); !ok {
		return errs.New(errs.Exhausted, op, "that was fast: comment again in %d seconds", int(wait/time.Second)+1)
	}
	if ok, _ := c.Limits.Allow(ctx, "comments:"+showID, ratelimit.Limit{N: c.cfg.PerShow, Per: time.Second}); !ok {
		return errs.New(errs.Exhausted, op, "everybody comments at once: try again in a moment")
	}
	return nil
}

// tell puts a comment onto the timeline. One that cannot be there is not shown anywhere else either.
func (c *Comments) tell(ctx context.Context, comment *Comment) error {
	_, err := c.Shows.Tell(ctx, comment.ShowID, string(overlay.TypeComment), &comment.ShowTimeMS,
		overlay.CommentData{ID: comment.ID, Name: comment.Name, Text: comment.Text})
	if err == nil {
		return nil
	}
	_, hideErr := c.Store.ModerateComment(context.WithoutCancel(ctx), comment.ShowID, comment.ID, Shown, Hidden, "", c.instant())
	if hideErr != nil {
		c.Log.Error("a comment that no viewer saw counts as shown", "comment", comment.ID, "error", hideErr)
	}
	return err
}

// nameOf is how the others see a viewer: by name if it can be shown, else by a mark that is the same throughout the show.
func (c *Comments) nameOf(showID string, v account.Viewer) string {
	name := clip(strings.Join(strings.Fields(strings.Map(visible, strings.ToValidUTF8(v.Name, ""))), " "), maxName)
	if do, _ := c.Words.look(name); do == pass && name != "" {
		return name
	}
	sum := sha256.Sum256([]byte(showID + "\n" + v.ID))
	return "#" + hex.EncodeToString(sum[:2])
}

// Said reports whether a viewer's comment with a phrase is shown in a show, of those made at since or later. Width, case
// and what is no letter or digit make no difference.
func (c *Comments) Said(ctx context.Context, showID, viewerID, phrase string, since time.Time) (bool, error) {
	texts, err := c.Store.ViewerComments(ctx, showID, viewerID, since, remembered)
	if err != nil {
		return false, errs.Wrap("audience.Said", err)
	}
	for _, text := range texts {
		if Contains(text, phrase) {
			return true, nil
		}
	}
	return false, nil
}

// onAir returns a show and where its clock is. Conflict: it is not on air.
func onAir(ctx context.Context, s shows, op, showID string) (commerce.Show, int64, error) {
	show, err := s.ShopShow(ctx, showID)
	if err != nil {
		return show, 0, errs.Wrap(op, err)
	}
	id, now, ok := s.OnAirNow(show.RoomID)
	if !ok || id != showID {
		return show, 0, errs.New(errs.Conflict, op, "the show is not on air: comments and likes are part of the live show")
	}
	return show, now, nil
}

// placed is where a comment stands: where the viewer's picture was, if that can be, else now.
func placed(atMS *int64, now int64) int64 {
	if atMS != nil && *atMS >= 0 && *atMS >= now-behind.Milliseconds() && *atMS <= now+ahead.Milliseconds() {
		return *atMS
	}
	return now
}

// instant is now as it is stored and shown: whole milliseconds, UTC.
func (c *Comments) instant() time.Time { return c.Now().UTC().Truncate(time.Millisecond) }
