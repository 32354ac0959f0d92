package api

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/clip"
	"github.com/vitrine-live/vitrine/replay/style"
)

// ClipDeps are what stands behind clips.
type ClipDeps struct {
	Clips    *clip.Service
	ClipPage http.Handler // the page of a clip; nil: none
}

// Clip is an interval of a show as the API shows it.
type Clip struct {
	ID         string      `json:"id" example:"clp_0123456789abcdef"`
	ShowID     string      `json:"show_id"`
	BatchID    string      `json:"batch_id,omitempty" doc:"Of those that were asked for together."`
	Kind       string      `json:"kind" enum:"instant,copy,exact,styled"`
	Title      string      `json:"title"`
	FromMS     int64       `json:"from_ms"`
	ToMS       int64       `json:"to_ms"`
	DurationMS int64       `json:"duration_ms"`
	Source     string      `json:"source" enum:"range,chapter,event,highlight" doc:"Where the interval comes from."`
	SourceRef  string      `json:"source_ref,omitempty" doc:"The chapter, the pin or number of the event, or the highlight."`
	Style      *style.Spec `json:"style,omitempty" doc:"As it was asked for."`
	State      string      `json:"state" enum:"queued,running,done,failed,cancelled"`
	Progress   float64     `json:"progress" doc:"0 to 1."`
	Error      string      `json:"error,omitempty" doc:"Why it failed, or why the last attempt did."`
	Attempts   int         `json:"attempts"`
	Bytes      int64       `json:"bytes,omitempty" doc:"Of the file."`
	ResultFrom *int64      `json:"result_from_ms,omitempty" doc:"What the file shows: its first frame."`
	ResultTo   *int64      `json:"result_to_ms,omitempty" doc:"The end of its last frame."`
	EncodedMS  int64       `json:"encoded_ms,omitempty" doc:"How much of it was encoded anew; the rest is bit for bit that of the recording."`
	CreatedBy  string      `json:"created_by"`
	CreatedAt  string      `json:"created_at"`
	StartedAt  *string     `json:"started_at,omitempty"`
	DoneAt     *string     `json:"done_at,omitempty"`
	PageURL    string      `json:"page_url" doc:"To share: whoever has the address may see the clip."`
	HLSURL     string      `json:"hls_url"`
	MP4URL     *string     `json:"mp4_url,omitempty" doc:"Once there is a file."`
	SidecarURL string      `json:"sidecar_url"`
	PosterURL  string      `json:"poster_url"`
}

// ClipCounts are the clips of a batch by state.
type ClipCounts struct {
	Total     int `json:"total"`
	Queued    int `json:"queued"`
	Running   int `json:"running"`
	Done      int `json:"done"`
	Failed    int `json:"failed"`
	Cancelled int `json:"cancelled"`
}

// ClipBatch is what became of a call for the clips of chapters.
type ClipBatch struct {
	ID     string     `json:"id" example:"bat_0123456789abcdef"`
	Counts ClipCounts `json:"counts"`
	Clips  []Clip     `json:"clips"`
}

// ClipEvent names an event to make a clip around.
type ClipEvent struct {
	Seq      int64  `json:"seq,omitempty" minimum:"0" doc:"The event's number in the timeline."`
	Pin      string `json:"pin,omitempty" maxLength:"64" doc:"Or a pin: from where it is put on screen to where it is taken off."`
	BeforeMS int64  `json:"before_ms,omitempty" minimum:"0" maximum:"600000"`
	AfterMS  int64  `json:"after_ms,omitempty" minimum:"0" maximum:"600000"`
}

// maxShowTime bounds show times in requests: 34 years, far from where ticks overflow.
const maxShowTime = 1 << 40

// ClipInput asks for a clip.
type ClipInput struct {
	Kind      string      `json:"kind,omitempty" enum:"instant,copy,exact,styled" default:"instant" doc:"instant: there at once, a playlist without a file. copy: an MP4 without re-encoding. exact: an MP4 whose first frame is that of from_ms, re-encoding only what that breaks. styled: made anew in another shape, with cards, QR codes, subtitles ..."`
	FromMS    *int64      `json:"from_ms,omitempty" minimum:"0" maximum:"1099511627776"`
	ToMS      *int64      `json:"to_ms,omitempty" minimum:"0" maximum:"1099511627776"`
	Chapter   string      `json:"chapter,omitempty" maxLength:"64" doc:"Instead: a chapter's id."`
	Event     *ClipEvent  `json:"event,omitempty" doc:"Instead: around an event."`
	Highlight string      `json:"highlight,omitempty" maxLength:"64" doc:"Instead: a highlight's id."`
	Title     string      `json:"title,omitempty" maxLength:"120" doc:"Default: the chapter's, product's or highlight's, else the show's with the time."`
	Style     *style.Spec `json:"style,omitempty" doc:"Of a styled one."`
}

// ChapterClipsInput asks for a clip of each chapter.
type ChapterClipsInput struct {
	Kind     string      `json:"kind,omitempty" enum:"instant,copy,exact,styled" default:"copy"`
	Product  string      `json:"product,omitempty" maxLength:"64" doc:"Only the chapters of this product."`
	MinMS    int64       `json:"min_ms,omitempty" minimum:"0" maximum:"86400000" doc:"Leave out shorter chapters."`
	Merge    bool        `json:"merge,omitempty" doc:"One clip for the chapters of a product that follow each other closely."`
	PauseMS  int64       `json:"pause_ms,omitempty" minimum:"0" maximum:"600000" doc:"How closely; default 15 s with merge."`
	BeforeMS int64       `json:"before_ms,omitempty" minimum:"0" maximum:"600000" doc:"Added before each."`
	AfterMS  int64       `json:"after_ms,omitempty" minimum:"0" maximum:"600000" doc:"Added after each."`
	Style    *style.Spec `json:"style,omitempty" doc:"Of styled ones."`
}

// ClipPath names a clip of a show.
type ClipPath struct {
	ShowPath
	Clip string `path:"clip" doc:"The clip's id."`
}

// RequestKey makes repeated requests one.
type RequestKey struct {
	Key string `header:"Idempotency-Key" maxLength:"255" doc:"The same key: the same clips, even if the server died in between."`
}

// request is a key of this caller's for a show, "" without one: what is stored under it is stored once.
func (k RequestKey) request(ctx context.Context, prefix, showID string) string {
	if k.Key == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(principal(ctx).ID + "\x00" + showID + "\x00" + k.Key))
	return prefix + "_" + strings.ToLower(base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").EncodeToString(sum[:10]))
}

func (s *Server) clipOperations() {
	if s.Clips == nil {
		return
	}
	const path = "/api/v1/shows/{show}/clips"
	tags := []string{"Clips"}
	read, write := staff(account.RoomsRead), staff(account.ReplayWrite)
	operation(s, huma.Operation{
		OperationID: "create-clip", Method: http.MethodPost, Path: path, Tags: tags, Security: write, DefaultStatus: http.StatusCreated, Summary: "Make a clip of a show",
		Description: "Of what is recorded so far, also while the show is on air. An instant one is done in the answer; the others are queued: ask for the clip until its state is done, or listen to watch-clips.",
	}, s.createClip)
	operation(s, huma.Operation{OperationID: "list-clips", Method: http.MethodGet, Path: path, Tags: tags, Security: read, Summary: "List the clips of a show, newest first"}, s.listClips)
	operation(s, huma.Operation{OperationID: "get-clip", Method: http.MethodGet, Path: path + "/{clip}", Tags: tags, Security: read, Summary: "Read a clip and how far it is"},
		func(ctx context.Context, in *ClipPath) (*Body[Clip], error) {
			return clipBody(s.Clips.Get(ctx, in.Show, in.Clip))
		})
	operation(s, huma.Operation{OperationID: "cancel-clip", Method: http.MethodPost, Path: path + "/{clip}/cancel", Tags: tags, Security: write, Summary: "Cancel a clip that waits or is being made"},
		func(ctx context.Context, in *ClipPath) (*Body[Clip], error) {
			return clipBody(s.Clips.Cancel(ctx, in.Show, in.Clip))
		})
	operation(s, huma.Operation{OperationID: "retry-clip", Method: http.MethodPost, Path: path + "/{clip}/retry", Tags: tags, Security: write, Summary: "Try a clip again that failed or was cancelled"},
		func(ctx context.Context, in *ClipPath) (*Body[Clip], error) {
			return clipBody(s.Clips.Retry(ctx, in.Show, in.Clip))
		})
	operation(s, huma.Operation{OperationID: "delete-clip", Method: http.MethodDelete, Path: path + "/{clip}", Tags: tags, Security: write, Summary: "Delete a clip and its files", Description: "Its address answers 404 from then on.", DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *ClipPath) (*Empty, error) {
			return &Empty{}, s.Clips.Delete(ctx, in.Show, in.Clip)
		})
	operation(s, huma.Operation{
		OperationID: "create-chapter-clips", Method: http.MethodPost, Path: "/api/v1/shows/{show}/chapter-clips", Tags: tags, Security: write, DefaultStatus: http.StatusCreated,
		Summary:     "Make a clip of each chapter, that is of each product shown",
		Description: "All of them in one call, or none when they are too many. With an Idempotency-Key no chapter is ever clipped twice, whatever happens between the calls. Hidden chapters are left out.",
	}, s.createChapterClips)
	operation(s, huma.Operation{OperationID: "get-clip-batch", Method: http.MethodGet, Path: "/api/v1/shows/{show}/chapter-clips/{batch}", Tags: tags, Security: read, Summary: "Read how far the clips of a batch are"}, s.clipBatch)
	s.watchClipsOperation(tags, read)
}

func (s *Server) createClip(ctx context.Context, in *struct {
	ShowPath
	RequestKey
	Body ClipInput
},
) (*Body[Clip], error) {
	b := &in.Body
	w := clip.Want{
		ShowID: in.Show, Kind: clip.Kind(b.Kind), Title: b.Title, From: ticks(b.FromMS), To: ticks(b.ToMS), Chapter: b.Chapter, Highlight: b.Highlight,
		Style: styleJSON(b.Style), By: principal(ctx).ID, Request: in.request(ctx, "one", in.Show),
	}
	if e := b.Event; e != nil {
		w.Event = &clip.Around{Seq: e.Seq, Pin: e.Pin, Before: media.FromMilliseconds(e.BeforeMS), After: media.FromMilliseconds(e.AfterMS)}
	}
	return clipBody(s.Clips.Create(ctx, w))
}

func styleJSON(spec *style.Spec) json.RawMessage {
	if spec == nil {
		return nil
	}
	b, _ := json.Marshal(spec) // plain values always marshal
	return b
}

func ticks(ms *int64) *media.Ticks {
	if ms == nil {
		return nil
	}
	return new(media.FromMilliseconds(min(max(*ms, -1), maxShowTime)))
}

func clipBody(c clip.Clip, err error) (*Body[Clip], error) {
	if err != nil {
		return nil, err
	}
	return &Body[Clip]{clipOf(&c)}, nil
}

func (s *Server) listClips(ctx context.Context, in *struct {
	ShowPath
	PageInput
	Batch string `query:"batch" maxLength:"64" doc:"Only those of a batch."`
},
) (*Body[Page[Clip]], error) {
	clips, err := s.Clips.List(ctx, clip.Filter{ShowID: in.Show, BatchID: in.Batch, Before: in.After, Limit: in.limit()})
	if err != nil {
		return nil, err
	}
	return page(clips, in.limit(), func(c clip.Clip) Clip { return clipOf(&c) }, func(c clip.Clip) string { return c.ID }), nil
}

func (s *Server) createChapterClips(ctx context.Context, in *struct {
	ShowPath
	RequestKey
	Body ChapterClipsInput
},
) (*Body[ClipBatch], error) {
	b := &in.Body
	pause := b.PauseMS
	if pause == 0 && b.Merge {
		pause = 15_000
	}
	id, clips, err := s.Clips.CreateChapters(ctx, clip.WantChapters{
		ShowID: in.Show, BatchID: in.request(ctx, "bat", in.Show), Kind: clip.Kind(b.Kind), Style: styleJSON(b.Style), Product: b.Product,
		Shortest: media.FromMilliseconds(b.MinMS), Merge: b.Merge, Pause: media.FromMilliseconds(pause),
		Before: media.FromMilliseconds(b.BeforeMS), After: media.FromMilliseconds(b.AfterMS), By: principal(ctx).ID,
	})
	if err != nil {
		return nil, err
	}
	out := ClipBatch{ID: id, Counts: ClipCounts(clip.CountOf(clips)), Clips: make([]Clip, len(clips))}
	for i := range clips {
		out.Clips[i] = clipOf(&clips[i])
	}
	return &Body[ClipBatch]{out}, nil
}

func (s *Server) clipBatch(ctx context.Context, in *struct {
	ShowPath
	Batch string `path:"batch" doc:"The batch's id."`
},
) (*Body[ClipBatch], error) {
	clips, err := s.Clips.List(ctx, clip.Filter{ShowID: in.Show, BatchID: in.Batch, Limit: clip.MaxBatch})
	if err != nil {
		return nil, err
	}
	if len(clips) == 0 {
		return nil, errs.New(errs.NotFound, "api.clipBatch", "the show has no such batch of clips")
	}
	out := ClipBatch{ID: in.Batch, Counts: ClipCounts(clip.CountOf(clips)), Clips: make([]Clip, len(clips))}
	for i := range clips {
		out.Clips[i] = clipOf(&clips[i])
	}
	return &Body[ClipBatch]{out}, nil
}

func clipOf(c *clip.Clip) Clip {
	base := "/c/" + c.ID
	out := Clip{
		ID: c.ID, ShowID: c.ShowID, BatchID: c.BatchID, Kind: string(c.Kind), Title: c.Title,
		FromMS: c.Span.From.Milliseconds(), ToMS: c.Span.To.Milliseconds(), Source: string(c.Source), SourceRef: c.Ref,
		State: string(c.State), Progress: c.Progress, Error: c.Error, Attempts: c.Attempts, Bytes: c.Bytes, EncodedMS: c.Encoded.Milliseconds(),
		CreatedBy: c.CreatedBy, CreatedAt: *optionalTime(c.CreatedAt), StartedAt: optionalTime(c.StartedAt), DoneAt: optionalTime(c.DoneAt),
		PageURL: base, HLSURL: base + "/index.m3u8", SidecarURL: base + "/clip.json", PosterURL: base + "/poster.jpg",
	}
	out.DurationMS = out.ToMS - out.FromMS
	if len(c.Style) > 0 {
		out.Style = &style.Spec{}
		_ = json.Unmarshal(c.Style, out.Style) // it was one when it was stored
	}
	if c.HasFile() {
		out.MP4URL = new(base + "/clip.mp4")
		out.ResultFrom, out.ResultTo = new(c.Result.From.Milliseconds()), new(c.Result.To.Milliseconds())
	}
	return out
}
