package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay/edit"
)

// ReplayDeps are what the surface asks about replays.
type ReplayDeps struct {
	Edits  *edit.Service
	Editor http.Handler // the page where staff edit a replay; nil: none
}

// SpanMS is a stretch of a show.
type SpanMS struct {
	FromMS int64 `json:"from_ms"`
	ToMS   int64 `json:"to_ms"`
}

// Replay is what a merchant made of a replay.
type Replay struct {
	ShowID     string   `json:"show_id"`
	Revision   int64    `json:"revision" doc:"Of the newest edit; name it with the next one. It never goes back."`
	Published  bool     `json:"published"`
	ExpiresAt  *string  `json:"expires_at" doc:"From then on the public may not see the replay; null: for ever."`
	Visible    bool     `json:"visible" doc:"Whether the public may see it now. A show on air always is."`
	Hidden     string   `json:"hidden,omitempty" doc:"Why it may not."`
	CoverMS    *int64   `json:"cover_ms" doc:"The picture that stands for the show; null: chosen by the server."`
	Cuts       []SpanMS `json:"cuts" doc:"What is left out, exact."`
	Ranges     []SpanMS `json:"ranges" doc:"What is played, in playing order: whole segments. A segment that is partly wanted is."`
	DurationMS int64    `json:"duration_ms" doc:"Of the recording so far."`
	PlayMS     int64    `json:"play_ms" doc:"Of what is played."`
	CanUndo    bool     `json:"can_undo"`
	CanRedo    bool     `json:"can_redo"`
	ReplayURL  string   `json:"replay_url"`
	WholeURL   string   `json:"whole_url" doc:"The whole recording, for staff who edit it."`
	PosterURL  string   `json:"poster_url"`
	EditorURL  string   `json:"editor_url,omitempty" doc:"The page where staff edit it; absent where it is not served."`
}

// ReplayEdit is an entry of the log of a replay's edits.
type ReplayEdit struct {
	Revision int64  `json:"revision"`
	At       string `json:"at"`
	By       string `json:"by" doc:"Who made it."`
	EditFields
}

// EditFields are those of an edit; which it has depends on its kind.
type EditFields struct {
	Kind      string  `json:"kind" enum:"cut,uncut,rename_chapter,split_chapter,merge_chapters,hide_chapter,unhide_chapter,cover,publish,unpublish,expire,undo,redo"`
	FromMS    *int64  `json:"from_ms,omitempty" minimum:"0" maximum:"2592000000" doc:"cut, uncut"`
	ToMS      *int64  `json:"to_ms,omitempty" minimum:"0" maximum:"2592000000" doc:"cut, uncut"`
	AtMS      *int64  `json:"at_ms,omitempty" minimum:"0" maximum:"2592000000" doc:"split_chapter; cover, where none means that the server chooses"`
	Chapter   string  `json:"chapter,omitempty" maxLength:"64" doc:"The chapter's id."`
	With      string  `json:"with,omitempty" maxLength:"64" doc:"merge_chapters: the neighbour's id"`
	Title     string  `json:"title,omitempty" maxLength:"120" doc:"rename_chapter, split_chapter, merge_chapters; empty: the title that there is"`
	ExpiresAt *string `json:"expires_at,omitempty" format:"date-time" doc:"expire; none: never"`
}

// ReplayChapter is a chapter of a show, as the merchant left it.
type ReplayChapter struct {
	ID         string          `json:"id"`
	Title      string          `json:"title"`
	FromMS     int64           `json:"from_ms"`
	ToMS       int64           `json:"to_ms"`
	PlayFromMS *int64          `json:"play_from_ms" doc:"A player's position in the replay; null: nothing of the chapter is played."`
	PlayToMS   *int64          `json:"play_to_ms"`
	PinID      string          `json:"pin_id"`
	Hidden     bool            `json:"hidden"`
	Product    ProductSnapshot `json:"product"`
}

// ChapterList is all chapters of a show.
type ChapterList struct {
	Items []ReplayChapter `json:"items"`
}

type editInput struct {
	ShowPath
	Body struct {
		Revision int64 `json:"revision" minimum:"0" doc:"Of the replay that the edit is made on."`
		EditFields
	}
}

type moveInput struct {
	ShowPath
	Body struct {
		Revision int64 `json:"revision" minimum:"0" doc:"Of the replay as it is known."`
	}
}

func (s *Server) replayOperations() {
	const path = "/api/v1/shows/{show}/replay"
	tags := []string{"Replays"}
	read, write := staff(account.RoomsRead), staff(account.ReplayWrite)
	operation(s, huma.Operation{OperationID: "get-replay", Method: http.MethodGet, Path: path, Tags: tags, Security: read, Summary: "Read what was made of a replay"},
		func(ctx context.Context, in *ShowPath) (*Body[Replay], error) {
			h, err := s.Edits.History(ctx, in.Show)
			if err != nil {
				return nil, err
			}
			return s.replayOf(ctx, in.Show, h)
		})
	operation(s, huma.Operation{OperationID: "list-replay-edits", Method: http.MethodGet, Path: path + "/edits", Tags: tags, Security: read, Summary: "List the edits of a replay, newest first"}, s.listEdits)
	operation(s, huma.Operation{OperationID: "edit-replay", Method: http.MethodPost, Path: path + "/edits", Tags: tags, Security: write, Summary: "Edit a replay", Description: "The recording and the timeline stay as they are: every edit can be undone. Times are show time. 409 with errors[].location body.revision: the replay was edited meanwhile, and the value there is its revision now."},
		func(ctx context.Context, in *editInput) (*Body[Replay], error) {
			o, err := in.Body.op()
			if err != nil {
				return nil, err
			}
			noteChange(ctx, "edit", nil, in.Body.EditFields)
			h, err := s.Edits.Apply(ctx, in.Show, in.Body.Revision, o, author(ctx))
			return s.edited(ctx, in.Show, h, err)
		})
	operation(s, huma.Operation{OperationID: "undo-replay-edit", Method: http.MethodPost, Path: path + "/edits/undo", Tags: tags, Security: write, Summary: "Take the newest edit of a replay back", Description: "Also after a restart, and as often as there are edits. The revision goes on rising."},
		func(ctx context.Context, in *moveInput) (*Body[Replay], error) {
			h, err := s.Edits.Undo(ctx, in.Show, in.Body.Revision, author(ctx))
			return s.edited(ctx, in.Show, h, err)
		})
	operation(s, huma.Operation{OperationID: "redo-replay-edit", Method: http.MethodPost, Path: path + "/edits/redo", Tags: tags, Security: write, Summary: "Put the edit of a replay back that was taken back last"},
		func(ctx context.Context, in *moveInput) (*Body[Replay], error) {
			h, err := s.Edits.Redo(ctx, in.Show, in.Body.Revision, author(ctx))
			return s.edited(ctx, in.Show, h, err)
		})
	operation(s, huma.Operation{OperationID: "list-chapters", Method: http.MethodGet, Path: path + "/chapters", Tags: tags, Security: read, Summary: "List the chapters of a show in order, with hidden ones"}, s.listChapters)
}

func author(ctx context.Context) edit.Author {
	p := principal(ctx)
	return edit.Author{ID: p.ID, Name: p.Name}
}

// op is the edit that the fields say. Those that its kind does not have are mistakes.
func (f *EditFields) op() (edit.Op, error) {
	const op = "api.editOp"
	o := edit.Op{Kind: edit.Kind(f.Kind), Chapter: f.Chapter, With: f.With, Title: f.Title}
	if o.Kind == edit.Cut || o.Kind == edit.Uncut {
		if f.FromMS == nil {
			return o, errs.Field(op, "from_ms", "say from where")
		}
		if f.ToMS == nil {
			return o, errs.Field(op, "to_ms", "say up to where")
		}
		o.From, o.To = media.FromMilliseconds(*f.FromMS), media.FromMilliseconds(*f.ToMS)
	}
	if f.AtMS != nil {
		o.At = new(media.FromMilliseconds(*f.AtMS))
	}
	if f.ExpiresAt != nil {
		until, err := time.Parse(time.RFC3339, *f.ExpiresAt)
		if err != nil {
			return o, errs.Field(op, "expires_at", "must be an instant such as 2026-12-31T23:59:59Z")
		}
		o.Until = until.UTC().Truncate(time.Millisecond)
	}
	return o, nil
}

func editFields(o *edit.Op) EditFields {
	f := EditFields{Kind: string(o.Kind), Chapter: o.Chapter, With: o.With, Title: o.Title, ExpiresAt: optionalTime(o.Until)}
	if o.Kind == edit.Cut || o.Kind == edit.Uncut {
		f.FromMS, f.ToMS = new(o.From.Milliseconds()), new(o.To.Milliseconds())
	}
	f.AtMS = optionalMS(o.At)
	return f
}

func optionalMS(t *media.Ticks) *int64 {
	if t == nil {
		return nil
	}
	return new(t.Milliseconds())
}

// edited answers an edit; one that came late learns which revision it missed.
func (s *Server) edited(ctx context.Context, showID string, h *edit.History, err error) (*Body[Replay], error) {
	if stale := edit.AsStale(err); stale != nil {
		return nil, &huma.ErrorModel{
			Status: http.StatusConflict, Title: http.StatusText(http.StatusConflict), Detail: errs.MessageOf(err),
			Errors: []*huma.ErrorDetail{{Location: "body.revision", Message: "the replay was edited meanwhile", Value: stale.Revision}},
		}
	}
	if err != nil {
		return nil, err
	}
	return s.replayOf(ctx, showID, h)
}

func (s *Server) replayOf(ctx context.Context, showID string, h *edit.History) (*Body[Replay], error) {
	state := h.State()
	m, duration, err := s.played(ctx, showID)
	if err != nil {
		return nil, err
	}
	base := "/replay/" + showID + "/"
	out := Replay{
		ShowID: showID, Revision: state.Revision, Published: state.Published, ExpiresAt: optionalTime(state.ExpiresAt), Visible: true,
		CoverMS: optionalMS(state.Cover), Cuts: spans(state.Cuts), Ranges: spans(m.Spans()), DurationMS: duration.Milliseconds(), PlayMS: m.Duration().Milliseconds(),
		CanUndo: h.CanUndo(), CanRedo: h.CanRedo(), ReplayURL: base + "index.m3u8", WholeURL: base + "whole/index.m3u8", PosterURL: base + "poster.jpg",
	}
	if s.Editor != nil {
		out.EditorURL = "/edit/" + showID
	}
	if err := s.Edits.Visible(ctx, showID); errs.KindOf(err) == errs.NotFound {
		out.Visible, out.Hidden = false, errs.MessageOf(err)
	} else if err != nil {
		return nil, err
	}
	return &Body[Replay]{out}, nil
}

// played relates a show to its replay; a show of which nothing is recorded has an empty one.
func (s *Server) played(ctx context.Context, showID string) (edit.Map, media.Ticks, error) {
	m, err := s.Edits.Map(ctx, showID)
	if errs.KindOf(err) == errs.NotFound {
		return edit.Map{}, 0, nil
	}
	if err != nil {
		return edit.Map{}, 0, err
	}
	rec, err := s.Edits.Recordings.Source(showID)
	return m, rec.Duration, err
}

func spans(all []media.Span) []SpanMS {
	out := make([]SpanMS, len(all))
	for i, s := range all {
		out[i] = SpanMS{s.From.Milliseconds(), s.To.Milliseconds()}
	}
	return out
}

func (s *Server) listEdits(ctx context.Context, in *struct {
	ShowPath
	PageInput
},
) (*Body[Page[ReplayEdit]], error) {
	h, err := s.Edits.History(ctx, in.Show)
	if err != nil {
		return nil, err
	}
	newest := int64(len(h.Entries()))
	if in.After != "" {
		after, err := strconv.ParseInt(in.After, 10, 64)
		if err != nil || after < 1 {
			return nil, errs.Field("api.listEdits", "after", "must be next of the page before")
		}
		newest = min(newest, after-1)
	}
	var page []edit.Entry
	for i := newest - 1; i >= 0 && len(page) < in.limit(); i-- {
		page = append(page, h.Entries()[i])
	}
	return pageOfEdits(page, in.limit()), nil
}

func pageOfEdits(entries []edit.Entry, limit int) *Body[Page[ReplayEdit]] {
	return page(entries, limit, func(e edit.Entry) ReplayEdit {
		by := e.ByName
		if by == "" {
			by = e.By
		}
		return ReplayEdit{Revision: e.Revision, At: overlay.FormatWall(e.At), By: by, EditFields: editFields(&e.Op)}
	}, func(e edit.Entry) string { return strconv.FormatInt(e.Revision, 10) })
}

func (s *Server) listChapters(ctx context.Context, in *ShowPath) (*Body[ChapterList], error) {
	chapters, err := s.Edits.Chapters(ctx, in.Show)
	if err != nil {
		return nil, err
	}
	m, _, err := s.played(ctx, in.Show)
	if err != nil {
		return nil, err
	}
	out := ChapterList{Items: make([]ReplayChapter, len(chapters))}
	for i, c := range chapters {
		out.Items[i] = replayChapter(c, m.ToPlaySpan(c.Span))
	}
	return &Body[ChapterList]{out}, nil
}

func replayChapter(c edit.Chapter, play media.Span) ReplayChapter {
	out := ReplayChapter{
		ID: c.ID, Title: c.Title, FromMS: c.Span.From.Milliseconds(), ToMS: c.Span.To.Milliseconds(), PinID: c.PinID, Hidden: c.Hidden, Product: ProductSnapshot(c.Product),
	}
	if !play.Empty() {
		out.PlayFromMS, out.PlayToMS = new(play.From.Milliseconds()), new(play.To.Milliseconds())
	}
	return out
}
