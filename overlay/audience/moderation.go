package audience

import (
	"context"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
)

// List returns at most limit comments of a show, newest first, those made before the one named; state "" stands for all.
func (c *Comments) List(ctx context.Context, showID string, state State, before string, limit int) ([]Comment, error) {
	all, err := c.Store.Comments(ctx, showID, state, before, limit)
	return all, errs.Wrap("audience.List", err)
}

// Hide takes a comment back, also after the show, or lets a held one never be seen. Hidden comments stay with the store's
// staff; viewers, the replay and whoever reads the timeline get them no more. Hiding again does no harm, and mends what a
// crash left half done. NotFound.
func (c *Comments) Hide(ctx context.Context, showID, id, by string) (Comment, error) {
	const op = "audience.Hide"
	comment, err := c.Store.Comment(ctx, showID, id)
	if err != nil {
		return Comment{}, errs.Wrap(op, err)
	}
	if comment.State != Held { // viewers first: they must not wait for the store
		at := media.FromMilliseconds(comment.ShowTimeMS)
		if _, err := c.Timeline.Append(ctx, showID, overlay.TypeCommentHidden, at, comment.CreatedAt, overlay.CommentHiddenData{ID: id}); err != nil {
			return Comment{}, errs.Wrap(op, err)
		}
	}
	if comment.State == Hidden {
		return comment, nil
	}
	comment, err = c.Store.ModerateComment(ctx, showID, id, comment.State, Hidden, by, c.instant())
	return comment, errs.Wrap(op, err)
}

// Approve lets a held comment be seen, where it was made. NotFound; Conflict: it is not held, or the show is not on air any
// more.
func (c *Comments) Approve(ctx context.Context, showID, id, by string) (Comment, error) {
	const op = "audience.Approve"
	if _, _, err := onAir(ctx, c.Shows, op, showID); err != nil {
		return Comment{}, err
	}
	comment, err := c.Store.ModerateComment(ctx, showID, id, Held, Shown, by, c.instant())
	if err != nil {
		return Comment{}, errs.Wrap(op, err)
	}
	return comment, errs.Wrap(op, c.tell(ctx, &comment))
}

// Mute keeps a viewer from commenting in a show; viewerID "" keeps everybody. Who is muted already stays so.
func (c *Comments) Mute(ctx context.Context, showID, viewerID, name, by string) (Mute, error) {
	m, err := c.Store.AddMute(ctx, Mute{ID: ids.New("mute"), ShowID: showID, ViewerID: viewerID, Name: name, By: by, CreatedAt: c.instant()})
	return m, errs.Wrap("audience.Mute", err)
}

// MuteAuthor mutes who made a comment. NotFound: the show has no such comment.
func (c *Comments) MuteAuthor(ctx context.Context, showID, commentID, by string) (Mute, error) {
	comment, err := c.Store.Comment(ctx, showID, commentID)
	if err != nil {
		return Mute{}, errs.Wrap("audience.MuteAuthor", err)
	}
	return c.Mute(ctx, showID, comment.ViewerID, comment.Name, by)
}

// Unmute ends a mute. NotFound.
func (c *Comments) Unmute(ctx context.Context, showID, id string) error {
	return errs.Wrap("audience.Unmute", c.Store.DeleteMute(ctx, showID, id))
}

// Muted lists who is muted in a show.
func (c *Comments) Muted(ctx context.Context, showID string) ([]Mute, error) {
	all, err := c.Store.Mutes(ctx, showID)
	return all, errs.Wrap("audience.Muted", err)
}
