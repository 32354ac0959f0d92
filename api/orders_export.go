package api

import (
	"context"
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/overlay"
)

// exportPage is how many orders are read at a time: the answer is of any length, the memory is not.
const exportPage = 200

type exportInput struct {
	StorePath
	OrderFilter
}

var exportHeader = []string{
	"order_no", "state", "created_at", "paid_at", "shipped_at", "recipient", "phone", "region", "detail", "postal_code", "remark",
	"line", "sku_id", "code", "title", "attributes", "quantity", "unit", "amount", "off", "currency", "order_total", "refunded",
	"carrier", "tracking_number", "show_id", "source", "share_code", "channel",
}

// exportOrders reads the first page before it answers, so that what fails then is told as an error.
func (s *Server) exportOrders(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
	f := in.filter(in.Store)
	f.Limit = exportPage
	first, err := s.Orders.List(ctx, f)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", "text/csv; charset=utf-8")
		hc.SetHeader("Content-Disposition", `attachment; filename="orders.csv"`)
		hc.SetHeader("Cache-Control", "no-store")
		out := hc.BodyWriter()
		_, _ = out.Write([]byte("\ufeff")) // spreadsheets then read UTF-8
		w := csv.NewWriter(out)
		_ = w.Write(exportHeader) // errors stay until Flush
		for orders := first; ; {
			for i := range orders {
				for _, row := range exportRows(&orders[i]) {
					_ = w.Write(row)
				}
			}
			w.Flush()
			if w.Error() != nil || len(orders) < exportPage {
				return
			}
			f.After = orders[len(orders)-1].ID
			var err error
			if orders, err = s.Orders.List(ctx, f); err != nil {
				s.Log.ErrorContext(ctx, "an export broke off", "store", in.Store, "error", err)
				panic(http.ErrAbortHandler) // a file that looks whole and is not would be worse
			}
		}
	}}, nil
}

// exportRows are the lines of an order.
func exportRows(o *order.Order) [][]string {
	rows := make([][]string, len(o.Lines))
	money := func(amount int64) string { return commerce.Money{Amount: amount, Currency: o.Currency}.Decimal() }
	a := &o.Address
	for i := range o.Lines {
		l := &o.Lines[i]
		values := make([]string, len(l.Item.Attributes))
		for j, at := range l.Item.Attributes {
			values[j] = at.Name + "=" + at.Value
		}
		rows[i] = []string{
			o.No, string(o.State), overlay.FormatWall(o.CreatedAt), wallOrNone(o.PaidAt), wallOrNone(o.ShippedAt),
			inert(a.Name), inert(a.Phone), inert(a.Region), inert(a.Detail), inert(a.Postal), inert(o.Remark),
			strconv.Itoa(l.N), l.SKU, inert(l.Item.Code), inert(l.Item.Title), inert(strings.Join(values, "; ")), strconv.FormatInt(l.Quantity, 10),
			money(l.Unit), money(l.Amount), money(l.Off), o.Currency, money(o.Total), money(o.Refunded),
			inert(o.Shipping.Carrier), inert(o.Shipping.Number), inert(l.Attribution.ShowID), string(l.Attribution.Source),
			inert(l.Attribution.ShareCode), inert(l.Attribution.Channel),
		}
	}
	return rows
}

// inert keeps a spreadsheet from taking text for a formula.
func inert(text string) string {
	trimmed := strings.TrimLeft(text, " \u00a0\u3000")
	if trimmed != "" && strings.ContainsRune("=+-@\t\r\n|%＝＋－＠", []rune(trimmed)[0]) {
		return "'" + text
	}
	return text
}

func wallOrNone(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return overlay.FormatWall(t)
}
