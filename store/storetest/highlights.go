package storetest

import (
	"errors"
	"sync"
	"testing"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/highlight"
)

func testViewerSamples(t *testing.T, s Store) {
	ctx := t.Context()
	equal(t, len(must(s.ViewerSamples(ctx, "show_1"))(t)), 0)
	ok(t, s.AddViewerSamples(ctx, nil))
	second := highlight.Sample{ShowID: "show_1", At: 900_001, Viewers: 12}
	ok(t, s.AddViewerSamples(ctx, []highlight.Sample{second, {ShowID: "show_2", At: 1, Viewers: 3}}))
	first := highlight.Sample{ShowID: "show_1", At: 0, Viewers: 1 << 40}
	second.Viewers = 13 // the show was interrupted: its clock stood
	ok(t, s.AddViewerSamples(ctx, []highlight.Sample{first, second}))
	equal(t, must(s.ViewerSamples(ctx, "show_1"))(t), []highlight.Sample{first, second})
}

func testHighlights(t *testing.T, s Store) {
	ctx := t.Context()
	fresh := highlight.Highlight{
		ShowID: "show_1", ID: "hl_754", State: highlight.Proposed, Span: media.Span{From: 754 * 90_000, To: 780*90_000 + 1}, Title: "张三's 'tea'",
		Found: highlight.Moment{
			ID: "hl_754", Span: media.Span{From: 1, To: 2}, Peak: 754 * 90_000, Score: 6.25, ChapterID: "pin_1", ProductID: "prod_1", Title: "tea",
			Reasons: []highlight.Reason{{Signal: highlight.Likes, Strength: 4.5, Value: 340, Usual: 81, Ratio: 4.2}},
		},
	}
	later := fresh
	later.ID, later.Span = "hl_900", media.Span{From: 900 * 90_000, To: 990 * 90_000}
	accept := func(h highlight.Highlight) (highlight.Highlight, error) {
		h.State, h.By, h.At, h.Found = highlight.Accepted, "staff_1", epoch0, fresh.Found
		return h, nil
	}
	equal(t, len(must(s.Highlights(ctx, "show_1"))(t)), 0)
	want := must(accept(later))(t)
	equal(t, must(s.ChangeHighlight(ctx, later, accept))(t), want)
	first := must(accept(fresh))(t)
	equal(t, must(s.ChangeHighlight(ctx, fresh, accept))(t), first)
	equal(t, must(s.Highlights(ctx, "show_1"))(t), []highlight.Highlight{first, want})
	equal(t, len(must(s.Highlights(ctx, "show_2"))(t)), 0)

	// What is stored counts, not what is fresh; what change refuses leaves nothing.
	equal(t, must(s.ChangeHighlight(ctx, later, func(highlight.Highlight) (highlight.Highlight, error) {
		h := want
		h.Title = "trimmed"
		return h, nil
	}))(t).Title, "trimmed")
	no := errs.Field("test", "title", "no")
	_, err := s.ChangeHighlight(ctx, highlight.Highlight{ShowID: "show_2", ID: "hl_1", State: highlight.Proposed}, func(h highlight.Highlight) (highlight.Highlight, error) {
		return h, no
	})
	if !errors.Is(err, no) {
		t.Error(err)
	}
	equal(t, len(must(s.Highlights(ctx, "show_2"))(t)), 0)

	// Of those who decide at once each sees what the one before did.
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.ChangeHighlight(ctx, fresh, func(h highlight.Highlight) (highlight.Highlight, error) {
				h.Title += "x"
				return h, nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	equal(t, must(s.Highlights(ctx, "show_1"))(t)[0].Title, fresh.Title+"xxxxxxxx")
}
