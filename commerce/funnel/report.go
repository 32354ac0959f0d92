package funnel

import (
	"context"
	"fmt"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// Dimension is by what a report tells rows apart.
type Dimension string

// The dimensions.
const (
	ByProduct   Dimension = "product"
	ByMinute    Dimension = "minute" // of show time, from 0
	BySource    Dimension = "source"
	ByChannel   Dimension = "channel"
	ByShareCode Dimension = "share_code"
)

// Dimensions lists all dimensions.
var Dimensions = []Dimension{ByProduct, ByMinute, BySource, ByChannel, ByShareCode}

// Report is what one show brought in. The money and the pieces of the rows of each dimension add up to those of the totals,
// exactly, because each line of an order falls into one row.
type Report struct {
	Show     commerce.Show
	Window   time.Duration
	Totals   Row
	Rows     map[Dimension][]Row // in the order of their keys
	Audience []Audience          // by minute
}

// Row is one row of a report.
type Row struct {
	Key   string // by the dimension; empty: not known
	Title string // of the product
	Looks
	Sales []Sales // by currency, in order
}

// Looks are what pages told. Viewers and Clickers are people; the others are counts.
type Looks struct {
	Viewers   int64 // to whom something was shown
	Exposures int64
	Clickers  int64
	Clicks    int64
	Adds      int64
}

// Sales are what was ordered, in one currency. An order that falls into several rows counts in each as one; its lines, pieces and
// money are divided among them.
type Sales struct {
	Currency string
	Placed   int64 // orders, paid or not
	Sum
	Direct   Sum // ordered from the pin itself
	Assisted Sum // not from a pin, but the buyer had clicked the product within the window before
	Other    Sum // in the show, and neither: from the bag without a look
}

// Sum is what was paid.
type Sum struct {
	Orders   int64
	Units    int64
	GMV      int64 // minor units: what was paid for the goods, without shipping; what was refunded is in it
	Refunded int64 // of GMV
}

// Audience is how many watched in one minute of the show.
type Audience struct {
	Minute  int64
	Average float64
	Peak    int64
}

// ReportQuery asks for the report of a show.
type ReportQuery struct {
	ShowID, StoreID string
	Window          time.Duration
	Dimensions      []Dimension
}

// StoreReport is what the shows of a store brought in of what was ordered in a time. A show's row has its title; the row without a
// key is what no show brought.
type StoreReport struct {
	From, To time.Time
	Window   time.Duration
	Totals   Row
	Shows    []Row
}

// StoreQuery asks for the report of a store.
type StoreQuery struct {
	StoreID  string
	From, To time.Time // when ordered, To not included
	Window   time.Duration
}

// MaxPeriod is the longest time of a store's report.
const MaxPeriod = 366 * 24 * time.Hour

// Report adds up a show by the dimensions asked for; none: by all. NotFound.
func (s *Service) Report(ctx context.Context, showID string, by ...Dimension) (Report, error) {
	const op = "funnel.Report"
	show, err := s.Shows.ShopShow(ctx, showID)
	if err != nil {
		return Report{}, errs.Wrap(op, err)
	}
	if len(by) == 0 {
		by = Dimensions
	}
	got := s.adding.DoChan(fmt.Sprint(show.ID, by), func() (any, error) {
		return s.Store.ShowReport(context.WithoutCancel(ctx), ReportQuery{ShowID: show.ID, StoreID: show.StoreID, Window: s.cfg.Window, Dimensions: by})
	})
	select {
	case <-ctx.Done():
		return Report{}, errs.As(errs.Unavailable, op, context.Cause(ctx), "the request ended before the report was added up")
	case added := <-got:
		r, _ := added.Val.(Report)
		r.Show, r.Window = show, s.cfg.Window
		return r, errs.Wrap(op, added.Err)
	}
}

// StoreReport adds up a store's shows over what was ordered from one instant until another. Invalid: the period cannot be.
func (s *Service) StoreReport(ctx context.Context, storeID string, from, to time.Time) (StoreReport, error) {
	const op = "funnel.StoreReport"
	switch {
	case !from.Before(to):
		return StoreReport{}, errs.Field(op, "to", "to must be after from")
	case to.Sub(from) > MaxPeriod:
		return StoreReport{}, errs.Field(op, "to", "a report covers at most %d days", int(MaxPeriod.Hours()/24))
	}
	r, err := s.Store.StoreReport(ctx, StoreQuery{StoreID: storeID, From: from, To: to, Window: s.cfg.Window})
	r.From, r.To, r.Window = from, to, s.cfg.Window
	return r, errs.Wrap(op, err)
}
