package api

import (
	"context"
	"math"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/highlight"
)

// HighlightDeps are what finds the moments of a show that stand out.
type HighlightDeps struct {
	Highlights *highlight.Service
}

// Highlight is a moment of a show that stands out.
type Highlight struct {
	ID        string            `json:"id" example:"hl_754"`
	ShowID    string            `json:"show_id"`
	State     string            `json:"state" enum:"proposed,accepted,dismissed"`
	FromMS    int64             `json:"from_ms" doc:"Show time: as found, or as it was trimmed."`
	ToMS      int64             `json:"to_ms"`
	Title     string            `json:"title" doc:"Of the product on screen, or as somebody wrote it; empty for none."`
	PeakMS    int64             `json:"peak_ms" doc:"Where the audience answered most."`
	Score     float64           `json:"score" doc:"How far it stands out, in standard deviations."`
	Reasons   []HighlightReason `json:"reasons" doc:"The strongest first. Pages put them into words."`
	ChapterID string            `json:"chapter_id,omitempty"`
	ProductID string            `json:"product_id,omitempty"`
	DecidedBy string            `json:"decided_by,omitempty"`
	DecidedAt *string           `json:"decided_at,omitempty"`
}

// HighlightReason is why a moment stands out.
type HighlightReason struct {
	Signal   string  `json:"signal" enum:"likes,comments,orders,viewers,loudness"`
	Strength float64 `json:"strength" doc:"In standard deviations."`
	Value    float64 `json:"value" doc:"Likes, comments and orders of the moment; of viewers by how many more they became; of loudness the LUFS."`
	Usual    float64 `json:"usual" doc:"The same of as much time of the rest of the show."`
	Ratio    float64 `json:"ratio" doc:"Value for each usual, at most 99; 0: nothing to compare with."`
}

// Signals are what happened in a show, as a curve: entry n of each list is of the time from n*step_ms on.
type Signals struct {
	ShowID     string     `json:"show_id"`
	DurationMS int64      `json:"duration_ms"`
	StepMS     int64      `json:"step_ms"`
	Likes      []float64  `json:"likes" doc:"How many in the step."`
	Comments   []float64  `json:"comments"`
	Orders     []float64  `json:"orders"`
	Viewers    []*float64 `json:"viewers" doc:"How many watched, on average; null: not known."`
	Loudness   []float64  `json:"loudness" doc:"LUFS of the loudest second; -70: silence, or not known."`
	Score      []float64  `json:"score" doc:"How far the step stands out, in standard deviations. Highlights are its peaks."`
}

// HighlightPath names a highlight of a show.
type HighlightPath struct {
	ShowPath
	Highlight string `path:"highlight" doc:"The highlight's id."`
}

func (s *Server) highlightOperations() {
	tags := []string{"Highlights"}
	operation(s, huma.Operation{OperationID: "get-signals", Method: http.MethodGet, Path: "/api/v1/shows/{show}/signals", Tags: tags, Summary: "Read what happened in a show, as a curve", Description: "Likes, comments, orders, viewers and loudness on the show's clock, on air as well.", Security: staff(account.RoomsRead)}, s.getSignals)
	operation(s, huma.Operation{OperationID: "list-highlights", Method: http.MethodGet, Path: "/api/v1/shows/{show}/highlights", Tags: tags, Summary: "List the moments of a show that stand out", Description: "In the order of the show, found anew from its signals, on air as well. What was decided on stays as it was decided.", Security: staff(account.RoomsRead)},
		func(ctx context.Context, in *ShowPath) (*Body[Page[Highlight]], error) {
			all, err := s.Highlights.Highlights(ctx, in.Show)
			if err != nil {
				return nil, err
			}
			return page(all, 0, highlightOf, func(h highlight.Highlight) string { return h.ID }), nil
		})
	operation(s, huma.Operation{OperationID: "update-highlight", Method: http.MethodPatch, Path: "/api/v1/shows/{show}/highlights/{highlight}", Tags: tags, Summary: "Accept, trim, name or dismiss a highlight", Security: staff(account.ReplayWrite)}, s.updateHighlight)
}

const (
	// mostPoints is how long each list of signals may be.
	mostPoints = 5000
	// usualPoints is how long they are when nobody says.
	usualPoints = 720
)

func (s *Server) getSignals(ctx context.Context, in *struct {
	ShowPath
	StepMS int64 `query:"step_ms" minimum:"1000" maximum:"3600000" doc:"Whole seconds. Default: so that there are at most 720 steps."`
},
) (*Body[Signals], error) {
	const op = "api.getSignals"
	signals, err := s.Highlights.Signals(ctx, in.Show)
	if err != nil {
		return nil, err
	}
	n := signals.Seconds()
	step := int(in.StepMS / 1000)
	switch {
	case in.StepMS == 0:
		step = max(1, (n+usualPoints-1)/usualPoints)
	case in.StepMS%1000 != 0:
		return nil, errs.Field(op, "step_ms", "must be whole seconds, in milliseconds")
	case n/step > mostPoints:
		return nil, errs.Field(op, "step_ms", "the show has %d steps of this length, more than %d: ask for longer ones", n/step, mostPoints)
	}
	out := Signals{
		ShowID: in.Show, DurationMS: signals.Duration.Milliseconds(), StepMS: int64(step) * 1000,
		Likes: bucketed(signals.Likes, step, total), Comments: bucketed(signals.Comments, step, total), Orders: bucketed(signals.Orders, step, total),
		Loudness: bucketed(signals.Loudness, step, highest), Score: bucketed(highlight.Curve(signals), step, highest),
		Viewers: []*float64{},
	}
	for _, v := range bucketed(signals.Viewers, step, average) {
		if math.IsNaN(v) {
			out.Viewers = append(out.Viewers, nil)
		} else {
			out.Viewers = append(out.Viewers, &v)
		}
	}
	return &Body[Signals]{out}, nil
}

// bucketed puts each n seconds together.
func bucketed(x []float64, n int, add func([]float64) float64) []float64 {
	out := make([]float64, 0, len(x)/n+1)
	for ; len(x) > 0; x = x[min(n, len(x)):] {
		out = append(out, math.Round(100*add(x[:min(n, len(x))]))/100)
	}
	return out
}

func total(x []float64) (sum float64) {
	for _, v := range x {
		sum += v
	}
	return sum
}

func highest(x []float64) float64 {
	most := math.Inf(-1)
	for _, v := range x {
		most = max(most, v)
	}
	return most
}

// average is of what is known.
func average(x []float64) float64 {
	sum, n := 0.0, 0
	for _, v := range x {
		if !math.IsNaN(v) {
			sum, n = sum+v, n+1
		}
	}
	return sum / float64(n) // NaN when nothing is
}

func (s *Server) updateHighlight(ctx context.Context, in *struct {
	HighlightPath
	Body struct {
		State  *string `json:"state,omitempty" enum:"proposed,accepted,dismissed"`
		FromMS *int64  `json:"from_ms,omitempty" doc:"Show time."`
		ToMS   *int64  `json:"to_ms,omitempty"`
		Title  *string `json:"title,omitempty" maxLength:"120"`
	}
},
) (*Body[Highlight], error) {
	u := highlight.Update{Title: in.Body.Title, From: ticksOf(in.Body.FromMS), To: ticksOf(in.Body.ToMS)}
	if in.Body.State != nil {
		u.State = new(highlight.State(*in.Body.State))
	}
	h, err := s.Highlights.Change(ctx, in.Show, in.Highlight, principal(ctx).ID, u)
	if err != nil {
		return nil, err
	}
	return &Body[Highlight]{highlightOf(h)}, nil
}

// mostMS is beyond any show: what is more would not fit into ticks.
const mostMS = 1 << 40

func ticksOf(ms *int64) *media.Ticks {
	if ms == nil {
		return nil
	}
	return new(media.FromMilliseconds(max(-mostMS, min(mostMS, *ms))))
}

func highlightOf(h highlight.Highlight) Highlight {
	out := Highlight{
		ID: h.ID, ShowID: h.ShowID, State: string(h.State), FromMS: h.Span.From.Milliseconds(), ToMS: h.Span.To.Milliseconds(), Title: h.Title,
		PeakMS: h.Found.Peak.Milliseconds(), Score: h.Found.Score, Reasons: make([]HighlightReason, len(h.Found.Reasons)),
		ChapterID: h.Found.ChapterID, ProductID: h.Found.ProductID, DecidedBy: h.By, DecidedAt: optionalTime(h.At),
	}
	for i, r := range h.Found.Reasons {
		out.Reasons[i] = HighlightReason{string(r.Signal), r.Strength, r.Value, r.Usual, r.Ratio}
	}
	return out
}
