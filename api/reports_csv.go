package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/funnel"
)

var csvResponses = map[string]*huma.Response{"200": {
	Description: "A table in UTF-8 (RFC 4180) with a byte order mark, one row for each key and currency.",
	Content:     map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: "string"}}},
}}

type csvOutput struct {
	ContentType        string `header:"Content-Type"`
	ContentDisposition string `header:"Content-Disposition"`
	CacheControl       string `header:"Cache-Control"`
	Body               []byte
}

func (s *Server) exportShowReport(ctx context.Context, in *struct {
	ShowPath
	By string `query:"by" enum:"product,minute,source,channel,share_code" default:"product" doc:"What the rows are."`
},
) (*csvOutput, error) {
	by := funnel.Dimension(in.By)
	if by == "" {
		by = funnel.ByProduct
	}
	r, err := s.Funnel.Report(ctx, in.Show, by)
	if err != nil {
		return nil, err
	}
	return reportCSV(string(by), fmt.Sprintf("%s-by-%s.csv", r.Show.ID, by), r.Rows[by])
}

func (s *Server) exportStoreReport(ctx context.Context, in *struct {
	StorePath
	PeriodInput
},
) (*csvOutput, error) {
	r, err := s.Funnel.StoreReport(ctx, in.Store, in.From, in.To)
	if err != nil {
		return nil, err
	}
	return reportCSV("show", in.Store+"-shows.csv", r.Shows)
}

var reportColumns = []string{
	"title", "viewers", "exposures", "clickers", "clicks", "adds", "currency", "placed", "orders", "units", "gmv", "refunded",
	"direct_orders", "direct_units", "direct_gmv", "direct_refunded", "assisted_orders", "assisted_units", "assisted_gmv", "assisted_refunded",
}

// reportCSV writes rows. What pages told stands in the first row of a key alone, so that columns can be added up.
func reportCSV(key, name string, rows []funnel.Row) (*csvOutput, error) {
	var doc bytes.Buffer
	doc.WriteString("\ufeff") // spreadsheets take it for Latin otherwise
	w := csv.NewWriter(&doc)
	_ = w.Write(append([]string{key}, reportColumns...))
	for _, r := range rows {
		sales := r.Sales
		if len(sales) == 0 {
			sales = []funnel.Sales{{}}
		}
		for i, sold := range sales {
			looks := r.Looks
			if i > 0 {
				looks = funnel.Looks{}
			}
			_ = w.Write(csvRow(r, looks, sold)) // a buffer does not fail
		}
	}
	w.Flush()
	return &csvOutput{
		ContentType: "text/csv; charset=utf-8", ContentDisposition: `attachment; filename="` + name + `"`, CacheControl: "no-store", Body: doc.Bytes(),
	}, w.Error()
}

func csvRow(r funnel.Row, l funnel.Looks, s funnel.Sales) []string {
	row := []string{plain(r.Key), plain(r.Title)}
	numbers := func(ns ...int64) {
		for _, n := range ns {
			row = append(row, strconv.FormatInt(n, 10))
		}
	}
	numbers(l.Viewers, l.Exposures, l.Clickers, l.Clicks, l.Adds)
	row = append(row, s.Currency)
	numbers(s.Placed, s.Orders, s.Units, s.GMV, s.Refunded)
	numbers(s.Direct.Orders, s.Direct.Units, s.Direct.GMV, s.Direct.Refunded)
	numbers(s.Assisted.Orders, s.Assisted.Units, s.Assisted.GMV, s.Assisted.Refunded)
	return row
}

// plain keeps a spreadsheet from taking a text for a formula.
func plain(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// mostClicked are the rows with most clicks, in the order they had.
func mostClicked(rows []funnel.Row, most int) []funnel.Row {
	if len(rows) <= most {
		return rows
	}
	best := slices.Clone(rows)
	slices.SortStableFunc(best, func(a, b funnel.Row) int { return cmp.Compare(b.Clicks, a.Clicks) })
	return best[:most]
}
