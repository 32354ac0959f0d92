package storetest

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce/lottery"
	"github.com/vitrine-live/vitrine/internal/errs"
)

type lotteryStore interface {
	CreateLottery(ctx context.Context, l lottery.Lottery) error
	Lottery(ctx context.Context, id string) (lottery.Lottery, error)
	StoreLottery(ctx context.Context, storeID, id string) (lottery.Lottery, error)
	Lotteries(ctx context.Context, storeID, showID, before string, limit int) ([]lottery.Lottery, error)
	ShownLotteries(ctx context.Context, showID string) ([]lottery.Lottery, error)
	LotteriesAtWork(ctx context.Context, limit int) ([]lottery.Lottery, error)
	UpdateLottery(ctx context.Context, storeID, id string, change func(*lottery.Terms) error) (lottery.Lottery, error)
	OpenLottery(ctx context.Context, id string, o lottery.Opening) (lottery.Lottery, error)
	CancelLottery(ctx context.Context, storeID, id, reason string, at time.Time) (lottery.Lottery, error)
	CloseLottery(ctx context.Context, id string, at time.Time, hash func([]string) string) (lottery.Lottery, error)
	DrawLottery(ctx context.Context, id string, d lottery.Drawing) (lottery.Lottery, error)
	LotteryAnnounced(ctx context.Context, id string, s lottery.State) error
	EnterLottery(ctx context.Context, id string, e lottery.Entry, limit int, pseudonym func(lottery.Secret) string) (lottery.Entry, error)
	LotteryEntry(ctx context.Context, id, viewerID string) (lottery.Entry, error)
	LotteryEntrants(ctx context.Context, id string) ([]string, error)
	LotteryWinners(ctx context.Context, id string) ([]lottery.Winner, error)
	ViewerPrizes(ctx context.Context, viewerID string, limit int) ([]lottery.Winner, error)
	ClaimPrize(ctx context.Context, viewerID, id string, claim func(*lottery.Winner) error) (lottery.Winner, error)
	LapsePrizes(ctx context.Context, at time.Time) (int64, error)
}

func newLottery(n int) lottery.Lottery {
	return lottery.Lottery{
		ID: fmt.Sprintf("lot_%016d", n), StoreID: "store_default", State: lottery.Draft, Announced: lottery.Draft, OpenedMS: -1, ClosesMS: -1,
		Terms: lottery.Terms{
			ShowID: "show_0000000000000001", Title: "抽奖 🎁", Prizes: []lottery.Prize{{Name: "茶 'A'", Count: 1, ImageURL: "/tea.jpg"}, {Name: "Cup", Count: 2}},
			Conditions: lottery.Conditions{Phrase: "我要", MinLikes: 3, Reminder: true}, Window: time.Minute, OpensAtMS: new(int64(5000)), ClaimFor: 24 * time.Hour,
		},
		CreatedAt: epoch0.Add(time.Duration(n) * time.Second),
	}
}

var openedAt = epoch0.Add(time.Hour)

func newOpening() lottery.Opening {
	secret := lottery.Secret{Seed: []byte(strings.Repeat("s", 32)), Pseudonyms: []byte(strings.Repeat("p", 32))}
	return lottery.Opening{
		Secret: secret, Commitment: lottery.Commitment(secret.Seed), OpenedMS: 6000, ClosesMS: 66_000, At: openedAt, ClosesBy: openedAt.Add(time.Hour),
	}
}

// withLottery makes an open lottery.
func withLottery(t *testing.T, s Store, n int) lottery.Lottery {
	t.Helper()
	ok(t, s.CreateLottery(t.Context(), newLottery(n)))
	return must(s.OpenLottery(t.Context(), newLottery(n).ID, newOpening()))(t)
}

func enter(t *testing.T, s Store, id, viewer string) (lottery.Entry, error) {
	t.Helper()
	return s.EnterLottery(t.Context(), id, lottery.Entry{ViewerID: viewer, Name: "张***", At: openedAt.Add(time.Second)}, 1000,
		func(secret lottery.Secret) string { return secret.Entrant(viewer) })
}

func closeLottery(t *testing.T, s Store, id string) (lottery.Lottery, error) {
	t.Helper()
	return s.CloseLottery(t.Context(), id, openedAt.Add(time.Minute), func(e []string) string { return lottery.EntrantsHash(id, e) })
}

// drawFirst is a draw that lets the first entry win.
func drawFirst(t *testing.T, s Store, id string) (lottery.Lottery, error) {
	t.Helper()
	at := openedAt.Add(2 * time.Minute)
	return s.DrawLottery(t.Context(), id, lottery.Drawing{At: at, ClaimsBy: at.Add(time.Hour), Winners: func(l *lottery.Lottery, seed []byte, entries []lottery.Entry) ([]lottery.Winner, error) {
		equal(t, hex.EncodeToString(seed), l.Seed)
		if len(entries) == 0 {
			return nil, nil
		}
		slices.SortFunc(entries, func(a, b lottery.Entry) int { return strings.Compare(a.ViewerID, b.ViewerID) })
		return []lottery.Winner{{
			ID: "win_" + id, LotteryID: id, Rank: 1, Entrant: entries[0].Entrant, ViewerID: entries[0].ViewerID, Name: entries[0].Name,
			Prize: l.Prizes[0], State: lottery.Pending, ClaimBy: at.Add(time.Hour),
		}}, nil
	}})
}

func testLotteryDrafts(t *testing.T, s Store) {
	ctx := t.Context()
	for n := 1; n <= 3; n++ {
		ok(t, s.CreateLottery(ctx, newLottery(n)))
	}
	kind(t, s.CreateLottery(ctx, newLottery(1)), errs.Conflict)
	equal(t, must(s.Lottery(ctx, newLottery(1).ID))(t), newLottery(1))
	equal(t, must(s.StoreLottery(ctx, "store_default", newLottery(2).ID))(t), newLottery(2))
	_, err := s.StoreLottery(ctx, "store_other", newLottery(1).ID)
	kind(t, err, errs.NotFound)
	equal(t, must(s.Lotteries(ctx, "store_default", "", "", 2))(t), []lottery.Lottery{newLottery(3), newLottery(2)})
	equal(t, must(s.Lotteries(ctx, "store_default", newLottery(1).ShowID, newLottery(2).ID, 9))(t), []lottery.Lottery{newLottery(1)})
	equal(t, len(must(s.Lotteries(ctx, "store_default", "show_x", "", 9))(t))+len(must(s.Lotteries(ctx, "store_other", "", "", 9))(t)), 0)
	equal(t, len(must(s.ShownLotteries(ctx, newLottery(1).ShowID))(t)), 0)

	want := newLottery(1)
	want.Title, want.OpensAtMS, want.Conditions = "Other", nil, lottery.Conditions{Bought: true}
	got := must(s.UpdateLottery(ctx, "store_default", want.ID, func(terms *lottery.Terms) error { *terms = want.Terms; return nil }))(t)
	equal(t, got, want)
	_, err = s.UpdateLottery(ctx, "store_other", want.ID, func(*lottery.Terms) error { return nil })
	kind(t, err, errs.NotFound)
	_, err = s.UpdateLottery(ctx, "store_default", want.ID, func(terms *lottery.Terms) error {
		terms.Title = "lost"
		return errs.New(errs.Invalid, "test", "no")
	})
	kind(t, err, errs.Invalid)
	equal(t, must(s.Lottery(ctx, want.ID))(t), want)
	equal(t, must(s.LotteriesAtWork(ctx, 9))(t), []lottery.Lottery{newLottery(2), newLottery(3)}) // those that open by themselves
}

// testLotteryCourse goes through all states; each step is refused in every state but its own.
func testLotteryCourse(t *testing.T, s Store) {
	ctx := t.Context()
	ok(t, s.CreateLottery(ctx, newLottery(1)))
	id := newLottery(1).ID
	refusedIn := func(but string) {
		t.Helper()
		for name, step := range map[string]func() error{
			"open": func() error { _, err := s.OpenLottery(ctx, id, newOpening()); return err },
			"update": func() error {
				_, err := s.UpdateLottery(ctx, "store_default", id, func(*lottery.Terms) error { return nil })
				return err
			},
			"enter":  func() error { _, err := enter(t, s, id, "visitor:late"); return err },
			"close":  func() error { _, err := closeLottery(t, s, id); return err },
			"draw":   func() error { _, err := drawFirst(t, s, id); return err },
			"cancel": func() error { _, err := s.CancelLottery(ctx, "store_default", id, "no", openedAt); return err },
		} {
			if !strings.Contains(but, name) {
				kind(t, step(), errs.Conflict)
			}
		}
	}
	refusedIn("open update cancel")
	o := newOpening()
	open := must(s.OpenLottery(ctx, id, o))(t)
	want := newLottery(1)
	want.State, want.Commitment, want.OpenedMS, want.ClosesMS, want.OpenedAt, want.ClosesBy = lottery.Open, o.Commitment, 6000, 66_000, o.At, o.ClosesBy
	equal(t, open, want)
	refusedIn("enter close cancel")
	a, b := must(enter(t, s, id, "visitor:a"))(t), must(enter(t, s, id, "visitor:b"))(t)
	equal(t, a.Entrant, o.Secret.Entrant("visitor:a"))
	equal(t, must(enter(t, s, id, "visitor:a"))(t), a)
	equal(t, must(s.LotteryEntry(ctx, id, "visitor:b"))(t), b)
	_, err := s.LotteryEntry(ctx, id, "visitor:c")
	kind(t, err, errs.NotFound)

	closed := must(closeLottery(t, s, id))(t)
	entrants := []string{a.Entrant, b.Entrant}
	slices.Sort(entrants)
	want.State, want.Entries, want.EntrantsHash, want.ClosedAt = lottery.Closed, 2, lottery.EntrantsHash(id, entrants), openedAt.Add(time.Minute)
	equal(t, closed, want)
	equal(t, must(s.LotteryEntrants(ctx, id))(t), entrants)
	equal(t, must(enter(t, s, id, "visitor:a"))(t), a) // a repeated request, not a late entry
	refusedIn("draw")

	drawn := must(drawFirst(t, s, id))(t)
	want.State, want.Seed, want.DrawnAt, want.ClaimsBy = lottery.Drawn, hex.EncodeToString(o.Secret.Seed), openedAt.Add(2*time.Minute), openedAt.Add(62*time.Minute)
	equal(t, drawn, want)
	refusedIn("")
	equal(t, must(s.Lottery(ctx, id))(t), want)
	equal(t, must(s.ShownLotteries(ctx, want.ShowID))(t), []lottery.Lottery{want})
	equal(t, must(s.LotteriesAtWork(ctx, 9))(t), []lottery.Lottery{want}) // to be told
	ok(t, s.LotteryAnnounced(ctx, id, lottery.Drawn))
	equal(t, len(must(s.LotteriesAtWork(ctx, 9))(t)), 0)
	for _, err := range []error{
		func() error { _, err := s.OpenLottery(ctx, "lot_x", o); return err }(), func() error { _, err := enter(t, s, "lot_x", "v"); return err }(),
		func() error { _, err := closeLottery(t, s, "lot_x"); return err }(), func() error { _, err := drawFirst(t, s, "lot_x"); return err }(),
		func() error { _, err := s.CancelLottery(ctx, "store_other", id, "no", openedAt); return err }(), s.LotteryAnnounced(ctx, "lot_x", lottery.Drawn),
	} {
		kind(t, err, errs.NotFound)
	}
}

func testLotteryCancel(t *testing.T, s Store) {
	ctx := t.Context()
	draft, open := newLottery(1), withLottery(t, s, 2)
	ok(t, s.CreateLottery(ctx, draft))
	draft = must(s.CancelLottery(ctx, "store_default", draft.ID, "why", openedAt))(t)
	equal(t, draft.Announced, lottery.Cancelled) // nobody knew of it
	open = must(s.CancelLottery(ctx, "store_default", open.ID, "Anchor ill", openedAt))(t)
	equal(t, open.Reason+string(open.State)+string(open.Announced), "Anchor illcancelleddraft")
	equal(t, open.Commitment, newOpening().Commitment)
	equal(t, must(s.ShownLotteries(ctx, open.ShowID))(t), []lottery.Lottery{open})
	_, err := enter(t, s, open.ID, "visitor:a")
	kind(t, err, errs.Conflict)
}

// testLotteryRace lets many enter at once, most of them twice, while the lottery closes: who was told that they entered is
// on the list, and the list is what was hashed.
func testLotteryRace(t *testing.T, s Store) {
	ctx := t.Context()
	l := withLottery(t, s, 1)
	var mu sync.Mutex
	told := map[string]bool{}
	var wg sync.WaitGroup
	for n := range 60 {
		wg.Go(func() {
			if n == 40 {
				if _, err := closeLottery(t, s, l.ID); err != nil {
					t.Error(err)
				}
				return
			}
			e, err := enter(t, s, l.ID, fmt.Sprintf("visitor:%d", n/2))
			if err != nil && errs.KindOf(err) != errs.Conflict {
				t.Error(err)
			}
			if err == nil {
				mu.Lock()
				told[e.Entrant] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	entrants := must(s.LotteryEntrants(ctx, l.ID))(t)
	l = must(s.Lottery(ctx, l.ID))(t)
	equal(t, l.EntrantsHash, lottery.EntrantsHash(l.ID, entrants))
	equal(t, int(l.Entries), len(entrants))
	equal(t, len(told), len(entrants))
	for _, e := range entrants {
		if !told[e] {
			t.Errorf("%s is on the list and nobody was told so", e)
		}
	}
}

func testLotteryFull(t *testing.T, s Store) {
	l := withLottery(t, s, 1)
	try := func(viewer string) error {
		_, err := s.EnterLottery(t.Context(), l.ID, lottery.Entry{ViewerID: viewer, At: openedAt}, 1, func(s lottery.Secret) string { return s.Entrant(viewer) })
		return err
	}
	ok(t, try("a"))
	kind(t, try("b"), errs.Exhausted)
	ok(t, try("a"))
	equal(t, must(s.Lottery(t.Context(), l.ID))(t).Entries, int64(1))
}

func testPrizes(t *testing.T, s Store) {
	ctx := t.Context()
	var won []lottery.Winner
	for n := 1; n <= 2; n++ {
		l := withLottery(t, s, n)
		_, err := enter(t, s, l.ID, "visitor:a")
		ok(t, err)
		_, err = closeLottery(t, s, l.ID)
		ok(t, err)
		_, err = drawFirst(t, s, l.ID)
		ok(t, err)
		won = append(won, must(s.LotteryWinners(ctx, l.ID))(t)...)
	}
	equal(t, len(won), 2)
	equal(t, won[0].StoreID+won[0].Title+won[0].Prize.Name+won[0].Name, "store_default抽奖 🎁茶 'A'张***")
	equal(t, must(s.ViewerPrizes(ctx, "visitor:a", 9))(t), won)
	equal(t, len(must(s.ViewerPrizes(ctx, "visitor:b", 9))(t)), 0)

	fill := func(w *lottery.Winner) error {
		w.State, w.ClaimedAt, w.Address = lottery.Claimed, openedAt, &lottery.Address{Name: "张三", Phone: "13800000000", Street: "1 'Rd'"}
		return nil
	}
	_, err := s.ClaimPrize(ctx, "visitor:b", won[0].ID, fill)
	kind(t, err, errs.NotFound)
	_, err = s.ClaimPrize(ctx, "visitor:a", won[0].ID, func(w *lottery.Winner) error { w.State = lottery.Lapsed; return errs.New(errs.Invalid, "test", "no") })
	kind(t, err, errs.Invalid)
	claimed := must(s.ClaimPrize(ctx, "visitor:a", won[0].ID, fill))(t)
	ok(t, fill(&won[0]))
	equal(t, claimed, won[0])
	equal(t, must(s.LapsePrizes(ctx, won[1].ClaimBy.Add(-time.Millisecond)))(t), int64(0))
	equal(t, must(s.LapsePrizes(ctx, won[1].ClaimBy))(t), int64(1))
	won[1].State = lottery.Lapsed
	equal(t, must(s.ViewerPrizes(ctx, "visitor:a", 9))(t), won)
}
