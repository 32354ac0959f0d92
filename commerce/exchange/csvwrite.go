package exchange

import (
	"encoding/csv"
	"io"
	"strconv"

	"github.com/vitrine-live/vitrine/commerce"
)

// columns of a CSV file, as they are written. Those of the product stand in its first row alone.
var columns = []string{
	"product_id", "title", "points", "images", "link", "url", "currency", "display", "stock_shown",
	"sku_id", "code", "attributes", "price", "original_price", "per_buyer", "tracked", "stock_total", "stock_available", "audit",
}

// ignored are columns that tell and are not read back.
var ignored = map[string]bool{"stock_available": true, "audit": true}

type csvWriter struct {
	w   io.Writer
	out *csv.Writer
}

func newCSVWriter(w io.Writer) *csvWriter { return &csvWriter{w: w} }

// begin writes the mark that spreadsheets know UTF-8 by, and the names of the columns.
func (c *csvWriter) begin() error {
	if _, err := c.w.Write(bom); err != nil {
		return err
	}
	c.out = csv.NewWriter(c.w)
	c.out.UseCRLF = false
	return c.out.Write(columns)
}

func (c *csvWriter) product(p *commerce.Product) error {
	if c.out == nil {
		if err := c.begin(); err != nil {
			return err
		}
	}
	head := []string{p.ID, p.Title, lines(p.Points), lines(p.Images), string(p.Link), p.URL, p.Price.Currency, string(p.Display), ""}
	if p.Link != commerce.LinkCheckout && p.Stock != nil {
		head[8] = number(*p.Stock)
	}
	for i := range p.SKUs {
		if i == 1 {
			head = []string{p.ID, "", "", "", "", "", "", "", ""}
		}
		row := append(head[:len(head):len(head)], skuCells(p, i)...)
		for at := range row {
			row[at] = defuse(row[at])
		}
		if err := c.out.Write(row); err != nil {
			return err
		}
	}
	return nil
}

func skuCells(p *commerce.Product, i int) []string {
	s := &p.SKUs[i]
	money := func(amount int64) string { return commerce.Money{Amount: amount, Currency: p.Price.Currency}.Decimal() }
	cells := []string{s.ID, s.Code, attributes(s.Attributes), money(s.Price), "", "", "no", "", "", ""}
	if s.Original != 0 {
		cells[4] = money(s.Original)
	}
	if s.PerBuyer != 0 {
		cells[5] = number(s.PerBuyer)
	}
	if s.Tracked {
		cells[6], cells[7], cells[8] = "yes", number(s.Total), number(s.Available)
	}
	if i == 0 {
		cells[9] = string(p.Audit.State)
	}
	return cells
}

func (c *csvWriter) end() error {
	if c.out == nil {
		if err := c.begin(); err != nil {
			return err
		}
	}
	c.out.Flush()
	return c.out.Error()
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
