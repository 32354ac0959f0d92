package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/replay/retention"
)

func testRetention(t *testing.T, s Store) {
	ctx := t.Context()
	if p, err := s.RetentionPolicy(ctx, account.DefaultStore); err != nil || p != (retention.Policy{}) {
		t.Fatalf("%+v %v", p, err)
	}
	show := withShow(t, s, 1, live.Live)
	if page, err := s.EndedShows(ctx, "", 100); err != nil || slices.ContainsFunc(page, func(e retention.Show) bool { return e.ID == show.ID }) {
		t.Fatalf("a show that is not over: %+v %v", page, err)
	}
	show.State, show.EndedAt = live.Ended, epoch0.Add(time.Hour)
	if err := s.UpdateShow(ctx, show); err != nil {
		t.Fatal(err)
	}
	for _, days := range []*int{new(30), nil, new(0)} {
		want := retention.Policy{Days: days, ChangedAt: epoch0}
		if err := s.SetRetentionPolicy(ctx, account.DefaultStore, want); err != nil {
			t.Fatal(err)
		}
		got, err := s.RetentionPolicy(ctx, account.DefaultStore)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("%v (-want +got):\n%s", err, diff)
		}
		page, err := s.EndedShows(ctx, show.ID[:len(show.ID)-1], 1)
		if diff := cmp.Diff([]retention.Show{{ID: show.ID, StoreID: show.StoreID, EndedAt: show.EndedAt, Policy: want}}, page); diff != "" || err != nil {
			t.Fatalf("%v (-want +got):\n%s", err, diff)
		}
	}
	if page, err := s.EndedShows(ctx, show.ID, 1); err != nil || slices.ContainsFunc(page, func(e retention.Show) bool { return e.ID == show.ID }) {
		t.Errorf("%+v %v", page, err)
	}
}
