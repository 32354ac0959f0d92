package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/funnel"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
)

// funnelStore is what package funnel asks of a store. That reports add up is tested beside the statements.
type funnelStore interface {
	AddFunnelEvents(ctx context.Context, entries []funnel.Entry) error
	ProductStore(ctx context.Context, productID string) (string, error)
	AddShareCode(ctx context.Context, c funnel.ShareCode) (funnel.ShareCode, error)
	ShareCode(ctx context.Context, code string) (funnel.ShareCode, error)
	ShareCodes(ctx context.Context, storeID, showID string, limit int) ([]funnel.ShareCode, error)
	AddViewerCounts(ctx context.Context, samples []funnel.Sample) error
	ShowReport(ctx context.Context, q funnel.ReportQuery) (funnel.Report, error)
	StoreReport(ctx context.Context, q funnel.StoreQuery) (funnel.StoreReport, error)
}

func testFunnelEvents(t *testing.T, s Store) {
	ctx := t.Context()
	show := withShow(t, s, 1, live.Live)
	var entries []funnel.Entry
	for n := range 250 { // more than one statement takes
		entries = append(entries, funnel.Entry{
			Key: fmt.Sprint(n), Kind: funnel.Click, StoreID: account.DefaultStore, ViewerID: fmt.Sprintf("visitor:%d", n%100), ProductID: "prod_1", At: epoch0,
			Attribution: commerce.Attribution{ShowID: show.ID, ShowTimeMS: int64(n) * 1000, Source: commerce.SourceReplay},
		})
	}
	for range 2 {
		ok(t, s.AddFunnelEvents(ctx, entries))
	}
	ok(t, s.AddFunnelEvents(ctx, nil))
	ok(t, s.AddViewerCounts(ctx, []funnel.Sample{{ShowID: show.ID, ShowTimeMS: 60_000, Viewers: 2}, {ShowID: show.ID, ShowTimeMS: 61_000, Viewers: 5}}))
	r := must(s.ShowReport(ctx, funnel.ReportQuery{ShowID: show.ID, StoreID: account.DefaultStore, Window: time.Hour, Dimensions: []funnel.Dimension{funnel.ByMinute}}))(t)
	equal(t, r.Totals, funnel.Row{Looks: funnel.Looks{Clicks: 250, Clickers: 100}})
	if minutes := r.Rows[funnel.ByMinute]; len(minutes) != 5 || minutes[4].Key != "4" || minutes[4].Clicks != 10 {
		t.Errorf("%+v", minutes)
	}
	equal(t, r.Audience, []funnel.Audience{{Minute: 1, Average: 3.5, Peak: 5}})
	all := must(s.StoreReport(ctx, funnel.StoreQuery{StoreID: account.DefaultStore, From: epoch0, To: epoch0.Add(time.Millisecond)}))(t)
	equal(t, all.Shows, []funnel.Row{{Key: show.ID, Title: show.Title, Looks: r.Totals.Looks}})
	none := must(s.StoreReport(ctx, funnel.StoreQuery{StoreID: account.DefaultStore, From: epoch0.Add(time.Millisecond), To: epoch0.Add(time.Hour)}))(t)
	equal(t, none, funnel.StoreReport{Shows: none.Shows})
	equal(t, len(none.Shows), 0)
}

func testShareCodes(t *testing.T, s Store) {
	ctx := t.Context()
	code := func(n int, viewer, channel string) funnel.ShareCode {
		return funnel.ShareCode{Code: fmt.Sprintf("%010d", n), StoreID: account.DefaultStore, ShowID: "show_1", ViewerID: viewer, Channel: channel, CreatedAt: epoch0.Add(time.Duration(n) * time.Second)}
	}
	mine, group, poster := code(1, "visitor:1", ""), code(2, "", "group"), code(3, "", "poster")
	for _, c := range []funnel.ShareCode{mine, group, poster} {
		equal(t, must(s.AddShareCode(ctx, c))(t), c)
	}
	equal(t, must(s.AddShareCode(ctx, code(4, "visitor:1", "")))(t), mine)
	equal(t, must(s.ShareCode(ctx, group.Code))(t), group)
	_, err := s.ShareCode(ctx, "x")
	kind(t, err, errs.NotFound)
	equal(t, must(s.ShareCodes(ctx, account.DefaultStore, "show_1", 10))(t), []funnel.ShareCode{poster, group})
	equal(t, len(must(s.ShareCodes(ctx, "store_x", "show_1", 10))(t)), 0)
	_, err = s.ProductStore(ctx, "prod_x")
	kind(t, err, errs.NotFound)
}
