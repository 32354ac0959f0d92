package storetest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/edit"
)

type editStore interface {
	AppendEdit(ctx context.Context, showID string, e edit.Entry) error
	EditsAfter(ctx context.Context, showID string, after int64, limit int) ([]edit.Entry, error)
}

func newEdit(revision int64, o edit.Op) edit.Entry {
	o.Revision = revision
	return edit.Entry{Revision: revision, Op: o, By: "staff_1", ByName: "小李 '", At: epoch0.Add(time.Duration(revision) * time.Second)}
}

func testEdits(t *testing.T, s Store) {
	ctx := t.Context()
	show, other := withShow(t, s, 1, live.Ended), withShow(t, s, 2, live.Ended)
	equal(t, len(must(s.EditsAfter(ctx, show.ID, 0, 10))(t)), 0)
	want := []edit.Entry{
		newEdit(1, edit.Op{Kind: edit.Cut, From: 1, To: 324_000_001}),
		newEdit(2, edit.Op{Kind: edit.SplitChapter, Chapter: "pin_0123456789abcdef", At: new(media.Ticks(90_007)), Title: "第二\"款"}),
		newEdit(3, edit.Op{Kind: edit.SetCover, At: new(media.Ticks(0))}),
		newEdit(4, edit.Op{Kind: edit.Expire, Until: epoch0.Add(time.Hour)}),
		newEdit(5, edit.Op{Kind: edit.Undo}),
		newEdit(6, edit.Op{Kind: edit.MergeChapters, Chapter: "pin_a", With: "pin_a.2"}),
	}
	for _, e := range want {
		ok(t, s.AppendEdit(ctx, show.ID, e))
	}
	ok(t, s.AppendEdit(ctx, other.ID, newEdit(1, edit.Op{Kind: edit.Unpublish})))
	equal(t, must(s.EditsAfter(ctx, show.ID, 0, 10))(t), want)
	equal(t, must(s.EditsAfter(ctx, show.ID, 2, 2))(t), want[2:4])
	equal(t, len(must(s.EditsAfter(ctx, show.ID, 6, 10))(t)), 0)
	equal(t, len(must(s.EditsAfter(ctx, "show_x", 0, 10))(t)), 0)

	kind(t, s.AppendEdit(ctx, show.ID, newEdit(6, edit.Op{Kind: edit.Publish})), errs.Conflict)
	kind(t, s.AppendEdit(ctx, show.ID, newEdit(8, edit.Op{Kind: edit.Publish})), errs.Conflict)
	kind(t, s.AppendEdit(ctx, "show_x", newEdit(1, edit.Op{Kind: edit.Publish})), errs.NotFound)
	equal(t, len(must(s.EditsAfter(ctx, show.ID, 0, 10))(t)), len(want))
}

// testEditRace appends the same revisions from many sides: each is taken once.
func testEditRace(t *testing.T, s Store) {
	const writers, revisions = 8, 5
	ctx := t.Context()
	show := withShow(t, s, 1, live.Ended)
	for revision := int64(1); revision <= revisions; revision++ {
		var taken atomic.Int64
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				switch err := s.AppendEdit(ctx, show.ID, newEdit(revision, edit.Op{Kind: edit.Publish})); {
				case err == nil:
					taken.Add(1)
				case errs.KindOf(err) != errs.Conflict:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		equal(t, taken.Load(), int64(1))
	}
	equal(t, len(must(s.EditsAfter(ctx, show.ID, 0, 10))(t)), revisions)
}
