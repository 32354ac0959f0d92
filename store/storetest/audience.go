package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/overlay/audience"
)

type audienceStore interface {
	AddComment(ctx context.Context, c audience.Comment) error
	Comment(ctx context.Context, showID, id string) (audience.Comment, error)
	Comments(ctx context.Context, showID string, state audience.State, before string, limit int) ([]audience.Comment, error)
	ModerateComment(ctx context.Context, showID, id string, from, to audience.State, by string, at time.Time) (audience.Comment, error)
	ViewerComments(ctx context.Context, showID, viewerID string, since time.Time, limit int) ([]string, error)
	AddMute(ctx context.Context, m audience.Mute) (audience.Mute, error)
	DeleteMute(ctx context.Context, showID, id string) error
	Mutes(ctx context.Context, showID string) ([]audience.Mute, error)
	MutesOf(ctx context.Context, showID, viewerID string) ([]audience.Mute, error)
	AddLikes(ctx context.Context, showID string, counts map[string]int64) (total int64, err error)
	ViewerLikes(ctx context.Context, showID, viewerID string) (int64, error)
	TotalLikes(ctx context.Context, showID string) (int64, error)
}

func newComment(n int) audience.Comment {
	return audience.Comment{
		ID: fmt.Sprintf("cmt_%016d", n), ShowID: "show_1", StoreID: "store_default", ViewerID: "visitor:a", Name: "张 '三'", Text: fmt.Sprintf("第 %d 👏", n),
		State: audience.Shown, ShowTimeMS: int64(n) * 1000, CreatedAt: epoch0.Add(time.Duration(n) * time.Second),
	}
}

func testComments(t *testing.T, s Store) {
	ctx := t.Context()
	c1, c2, c3 := newComment(1), newComment(2), newComment(3)
	c2.State, c2.Reason = audience.Held, "加微信"
	for _, c := range []audience.Comment{c1, c2, c3} {
		ok(t, s.AddComment(ctx, c))
	}
	kind(t, s.AddComment(ctx, c1), errs.Conflict)
	equal(t, must(s.Comment(ctx, "show_1", c2.ID))(t), c2)
	_, err := s.Comment(ctx, "show_2", c2.ID)
	kind(t, err, errs.NotFound)
	equal(t, must(s.Comments(ctx, "show_1", "", "", 2))(t), []audience.Comment{c3, c2})
	equal(t, must(s.Comments(ctx, "show_1", "", c2.ID, 2))(t), []audience.Comment{c1})
	equal(t, must(s.Comments(ctx, "show_1", audience.Held, "", 9))(t), []audience.Comment{c2})
	equal(t, must(s.ViewerComments(ctx, "show_1", "visitor:a", c1.CreatedAt, 9))(t), []string{c3.Text, c1.Text})
	equal(t, must(s.ViewerComments(ctx, "show_1", "visitor:a", c2.CreatedAt, 9))(t), []string{c3.Text})

	at := epoch0.Add(time.Hour)
	c1.State, c1.ModeratedBy, c1.ModeratedAt = audience.Hidden, "staff_1", at
	equal(t, must(s.ModerateComment(ctx, "show_1", c1.ID, audience.Shown, audience.Hidden, "staff_1", at))(t), c1)
	_, err = s.ModerateComment(ctx, "show_1", c1.ID, audience.Shown, audience.Hidden, "staff_1", at)
	kind(t, err, errs.Conflict)
	_, err = s.ModerateComment(ctx, "show_2", c1.ID, audience.Hidden, audience.Shown, "staff_1", at)
	kind(t, err, errs.NotFound)
	equal(t, must(s.ViewerComments(ctx, "show_1", "visitor:a", c1.CreatedAt, 9))(t), []string{c3.Text})
}

func testMutes(t *testing.T, s Store) {
	ctx := t.Context()
	m := audience.Mute{ID: "mute_1", ShowID: "show_1", ViewerID: "visitor:a", Name: "A", By: "staff_1", CreatedAt: epoch0}
	equal(t, must(s.AddMute(ctx, m))(t), m)
	again := m
	again.ID, again.By = "mute_2", "staff_2"
	equal(t, must(s.AddMute(ctx, again))(t), m)
	all := audience.Mute{ID: "mute_3", ShowID: "show_1", By: "staff_1", CreatedAt: epoch0.Add(time.Second)}
	equal(t, must(s.AddMute(ctx, all))(t), all)
	equal(t, must(s.Mutes(ctx, "show_1"))(t), []audience.Mute{m, all})
	equal(t, len(must(s.MutesOf(ctx, "show_1", "visitor:a"))(t)), 2)
	equal(t, must(s.MutesOf(ctx, "show_1", "visitor:b"))(t), []audience.Mute{all})
	equal(t, len(must(s.MutesOf(ctx, "show_2", "visitor:a"))(t)), 0)
	kind(t, s.DeleteMute(ctx, "show_2", m.ID), errs.NotFound)
	ok(t, s.DeleteMute(ctx, "show_1", m.ID))
	kind(t, s.DeleteMute(ctx, "show_1", m.ID), errs.NotFound)
}

func testLikes(t *testing.T, s Store) {
	ctx := t.Context()
	equal(t, must(s.TotalLikes(ctx, "show_1"))(t), int64(0))
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			counts := map[string]int64{"visitor:all": 1}
			for k := range 20 {
				counts[fmt.Sprintf("visitor:%d", (n+k)%25)] += int64(k)
			}
			if _, err := s.AddLikes(ctx, "show_1", counts); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	equal(t, must(s.TotalLikes(ctx, "show_1"))(t), int64(8+8*190))
	equal(t, must(s.ViewerLikes(ctx, "show_1", "visitor:all"))(t), int64(8))
	equal(t, must(s.ViewerLikes(ctx, "show_1", "visitor:none"))(t), int64(0))
	equal(t, must(s.AddLikes(ctx, "show_2", map[string]int64{"visitor:all": 5}))(t), int64(5))
}
