package retention

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// shelf is a store and an archive of shows.
type shelf struct {
	shows   []Show
	policy  map[string]Policy
	gone    []string
	missing map[string]bool
	stuck   map[string]bool
}

func (s *shelf) RetentionPolicy(_ context.Context, storeID string) (Policy, error) {
	return s.policy[storeID], nil
}

func (s *shelf) SetRetentionPolicy(_ context.Context, storeID string, p Policy) error {
	s.policy[storeID] = p
	return nil
}

func (s *shelf) EndedShows(_ context.Context, after string, limit int) (page []Show, _ error) {
	for _, show := range s.shows {
		if show.ID > after && len(page) < limit {
			show.Policy = s.policy[show.StoreID]
			page = append(page, show)
		}
	}
	return page, nil
}

func (s *shelf) Has(showID string) bool {
	return !s.missing[showID] && !slices.Contains(s.gone, showID)
}

func (s *shelf) Delete(showID string) error {
	if s.stuck[showID] {
		return errors.New("the disk fails")
	}
	s.gone = append(s.gone, showID)
	return nil
}

func TestSweep(t *testing.T) {
	sh := &shelf{policy: map[string]Policy{}, missing: map[string]bool{"show_0000": true}, stuck: map[string]bool{"show_0001": true}}
	for i := range 1200 { // one a day, the newest last, of two stores in turn
		sh.shows = append(sh.shows, Show{ID: fmt.Sprintf("show_%04d", i), StoreID: fmt.Sprintf("store_%d", i%2), EndedAt: now.Add(-time.Duration(1200-i) * 24 * time.Hour)})
	}
	clock := now
	s, err := New(Config{Days: 1000}, Deps{Store: sh, Archive: sh, Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.Sweep(t.Context()); n != 198 || err == nil { // of 200, one has no recording and one cannot go
		t.Fatalf("%d %v", n, err)
	}
	sh.stuck = nil
	if n, err := s.Sweep(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d %v", n, err)
	}
	if _, err := s.Set(t.Context(), "store_0", new(0)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Set(t.Context(), "store_1", new(10)); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("%d went at once: %v", n, err)
	}
	clock = clock.Add(25 * time.Hour)
	if n, err := s.Sweep(t.Context()); n != 496 || err != nil { // the odd ones from 201 to 1191
		t.Errorf("%d %v", n, err)
	}
	for _, id := range sh.gone {
		if id >= "show_0200" && (id[8]-'0')%2 == 0 {
			t.Fatalf("%s is kept for ever", id)
		}
	}
	for _, days := range []int{-1, MaxDays + 1} {
		if _, err := s.Set(t.Context(), "store_1", &days); errs.FieldOf(err) != "days" {
			t.Errorf("%d: %v", days, err)
		}
	}
}
