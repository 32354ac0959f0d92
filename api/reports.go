package api

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/funnel"
	"github.com/vitrine-live/vitrine/overlay"
)

// Report is what a show brought in.
type Report struct {
	ShowID      string           `json:"show_id"`
	Title       string           `json:"title"`
	WindowHours float64          `json:"window_hours" doc:"How long before an order a click on the product counts as having led to it."`
	Totals      ReportRow        `json:"totals"`
	Products    []ReportRow      `json:"products"`
	Minutes     []ReportRow      `json:"minutes" doc:"By minute of show time, from 0; those in which nothing happened are left out."`
	Sources     []ReportRow      `json:"sources" doc:"live, time_shift, replay, clip, external; empty: the order did not say."`
	Channels    []ReportRow      `json:"channels"`
	ShareCodes  []ReportRow      `json:"share_codes" doc:"The 200 that brought most, by clicks; all of them are in the CSV."`
	Audience    []ReportAudience `json:"audience" doc:"How many watched, by minute of show time."`
}

// ReportRow is one row of a report. The money and pieces of each list's rows add up to those of the totals.
type ReportRow struct {
	Key        string        `json:"key" doc:"The product's id, the minute, the source ...; empty: not known."`
	Title      string        `json:"title,omitempty" doc:"Of the product or show."`
	Viewers    int64         `json:"viewers" doc:"People to whom a product was shown."`
	Exposures  int64         `json:"exposures"`
	Clickers   int64         `json:"clickers" doc:"People who clicked."`
	Clicks     int64         `json:"clicks"`
	Adds       int64         `json:"adds" doc:"How often something was put into the cart."`
	ClickRate  float64       `json:"click_rate" doc:"Clickers for each viewer."`
	Conversion float64       `json:"conversion" doc:"Paid orders for each viewer."`
	Sales      []ReportSales `json:"sales" doc:"One for each currency."`
}

// ReportSales are the orders of a row in one currency, in minor units.
type ReportSales struct {
	Currency string    `json:"currency"`
	Placed   int64     `json:"placed" doc:"Orders, paid or not."`
	Paid     ReportSum `json:"paid"`
	Direct   ReportSum `json:"direct" doc:"Of paid: ordered from a pin."`
	Assisted ReportSum `json:"assisted" doc:"Of paid: not from a pin, but the buyer had clicked the product in the show within the window before."`
	Other    ReportSum `json:"other" doc:"Of paid: in the show, and neither."`
}

// ReportSum is what was paid for.
type ReportSum struct {
	Orders   int64 `json:"orders" doc:"An order of several rows counts in each as one."`
	Units    int64 `json:"units"`
	GMV      int64 `json:"gmv" doc:"Paid for the goods, without shipping. What was refunded is in it."`
	Refunded int64 `json:"refunded" doc:"Of gmv."`
}

// ReportAudience is how many watched in a minute.
type ReportAudience struct {
	Minute  int64   `json:"minute"`
	Average float64 `json:"average"`
	Peak    int64   `json:"peak"`
}

// StoreReport is what a store's shows brought in.
type StoreReport struct {
	From        string      `json:"from"`
	To          string      `json:"to"`
	WindowHours float64     `json:"window_hours"`
	Totals      ReportRow   `json:"totals"`
	Shows       []ReportRow `json:"shows" doc:"The row with an empty key is what no show brought."`
}

// PeriodInput is a time in an address.
type PeriodInput struct {
	From time.Time `query:"from" required:"true" doc:"RFC 3339."`
	To   time.Time `query:"to" required:"true" doc:"RFC 3339; not included. At most 366 days later."`
}

func (s *Server) reportOperations() {
	tags := []string{"Reports"}
	operation(s, huma.Operation{OperationID: "get-show-report", Method: http.MethodGet, Path: "/api/v1/shows/{show}/report", Tags: tags, Summary: "Read what a show brought in", Security: staff(account.ReportsRead)}, s.showReport)
	operation(s, huma.Operation{OperationID: "export-show-report", Method: http.MethodGet, Path: "/api/v1/shows/{show}/report.csv", Tags: tags, Summary: "Export what a show brought in", Security: staff(account.ReportsRead), Responses: csvResponses}, s.exportShowReport)
	operation(s, huma.Operation{OperationID: "get-store-report", Method: http.MethodGet, Path: "/api/v1/stores/{store}/report", Tags: tags, Summary: "Read what a store's shows brought in", Description: "Of what was ordered in the time, by show.", Security: staff(account.ReportsRead)},
		func(ctx context.Context, in *struct {
			StorePath
			PeriodInput
		},
		) (*Body[StoreReport], error) {
			r, err := s.Funnel.StoreReport(ctx, in.Store, in.From, in.To)
			if err != nil {
				return nil, err
			}
			return &Body[StoreReport]{StoreReport{
				From: overlay.FormatWall(r.From), To: overlay.FormatWall(r.To), WindowHours: r.Window.Hours(), Totals: reportRow(r.Totals), Shows: reportRows(r.Shows),
			}}, nil
		})
	operation(s, huma.Operation{OperationID: "export-store-report", Method: http.MethodGet, Path: "/api/v1/stores/{store}/report.csv", Tags: tags, Summary: "Export what a store's shows brought in", Security: staff(account.ReportsRead), Responses: csvResponses}, s.exportStoreReport)
}

// mostShareCodes is how many share codes a JSON report lists.
const mostShareCodes = 200

func (s *Server) showReport(ctx context.Context, in *ShowPath) (*Body[Report], error) {
	r, err := s.Funnel.Report(ctx, in.Show)
	if err != nil {
		return nil, err
	}
	out := Report{
		ShowID: r.Show.ID, Title: r.Show.Title, WindowHours: r.Window.Hours(), Totals: reportRow(r.Totals),
		Products: reportRows(r.Rows[funnel.ByProduct]), Minutes: reportRows(r.Rows[funnel.ByMinute]), Sources: reportRows(r.Rows[funnel.BySource]),
		Channels: reportRows(r.Rows[funnel.ByChannel]), ShareCodes: reportRows(mostClicked(r.Rows[funnel.ByShareCode], mostShareCodes)),
		Audience: make([]ReportAudience, len(r.Audience)),
	}
	for i, a := range r.Audience {
		out.Audience[i] = ReportAudience{a.Minute, round(a.Average), a.Peak}
	}
	return &Body[Report]{out}, nil
}

func reportRows(rows []funnel.Row) []ReportRow {
	out := make([]ReportRow, len(rows))
	for i := range rows {
		out[i] = reportRow(rows[i])
	}
	return out
}

func reportRow(r funnel.Row) ReportRow {
	out := ReportRow{
		Key: r.Key, Title: r.Title, Viewers: r.Viewers, Exposures: r.Exposures, Clickers: r.Clickers, Clicks: r.Clicks, Adds: r.Adds,
		ClickRate: ratio(r.Clickers, r.Viewers), Sales: make([]ReportSales, len(r.Sales)),
	}
	orders := int64(0)
	for i, s := range r.Sales {
		orders += s.Orders
		out.Sales[i] = ReportSales{
			Currency: s.Currency, Placed: s.Placed, Paid: ReportSum(s.Sum), Direct: ReportSum(s.Direct), Assisted: ReportSum(s.Assisted), Other: ReportSum(s.Other),
		}
	}
	out.Conversion = ratio(orders, r.Viewers)
	return out
}

// ratio has four decimals; it is 0 where there is nothing to compare with.
func ratio(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return round(float64(part) / float64(whole))
}

func round(x float64) float64 { return math.Round(x*10_000) / 10_000 }
