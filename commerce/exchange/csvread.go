package exchange

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// readCSV reads a CSV file: a row with the names of the columns, then one for each SKU. Rows are counted as a spreadsheet
// does, the names being row 1. A column that is missing tells nothing; an empty cell of one that is there tells none.
func readCSV(b []byte) (*File, error) {
	const op = "exchange.readCSV"
	b, err := text(b)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(b))
	r.FieldsPerRecord, r.Comma = -1, comma(b)
	names, err := r.Read()
	if err != nil {
		return nil, errs.Field(op, "file", "the file has no row with the names of the columns, such as title, price and stock_total")
	}
	t := &table{file: &File{}, at: map[string]int{}, byID: map[string]int{}}
	if err := t.names(names); err != nil {
		return nil, err
	}
	for within := breaks(names); ; { // line breaks within cells: a spreadsheet counts them as no rows
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t.file, nil
		}
		if err != nil {
			t.file.wrong(faultLine(err)-within, "", "the row cannot be read ("+csvFault(err)+"), nor can those after it")
			return t.file, nil
		}
		line, _ := r.FieldPos(0)
		row := line - within
		within += breaks(cells)
		if !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			continue
		}
		if t.file.Rows++; t.file.Rows > MaxRows {
			return nil, errs.Field(op, "file", "the file has more than %d rows: split it", MaxRows)
		}
		t.row(row, cells)
	}
}

func breaks(cells []string) (n int) {
	for _, c := range cells {
		n += strings.Count(c, "\n")
	}
	return n
}

func faultLine(err error) int {
	var at *csv.ParseError
	if errors.As(err, &at) {
		return at.StartLine
	}
	return 0
}

func csvFault(err error) string {
	var at *csv.ParseError
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}

// comma is what sets the columns apart: spreadsheets of some countries write semicolons or tabs.
func comma(b []byte) rune {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	best, most := ',', bytes.Count(line, []byte(","))
	for _, c := range []rune{';', '\t'} {
		if n := bytes.Count(line, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

// table is a CSV file as it is read.
type table struct {
	file *File
	at   map[string]int // places of the columns
	byID map[string]int // places of products in file, by their ids
}

func (t *table) names(names []string) error {
	const op = "exchange.names"
	for i, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "" || ignored[name] {
			continue
		}
		if !slices.Contains(columns, name) {
			return errs.Field(op, "file", "the column %q is unknown; there are %s", name, strings.Join(columns, ", "))
		}
		if _, twice := t.at[name]; twice {
			return errs.Field(op, "file", "the column %q is there twice", name)
		}
		t.at[name] = i
	}
	if len(t.at) == 0 {
		return errs.Field(op, "file", "the first row does not name the columns, such as title, price and stock_total")
	}
	return nil
}

// row reads one SKU, and its product where it stands in a row of its own. A row with the id of a product that was there, or
// without id and title, goes on with it.
func (t *table) row(n int, cells []string) {
	r := rowReader{t: t, n: n, cells: cells}
	id := r.cell("product_id")
	p := t.goesOn(id, r.cell("title"))
	if p != nil {
		r.mustAgree(p)
	} else {
		t.file.Products = append(t.file.Products, r.product(id))
		p = &t.file.Products[len(t.file.Products)-1]
		if id != "" {
			t.byID[id] = len(t.file.Products) - 1
		}
	}
	p.SKUs = append(p.SKUs, r.sku())
}

// goesOn is the product that a row goes on with; nil: it begins one.
func (t *table) goesOn(id, title string) *commerce.Imported {
	if at, ok := t.byID[id]; id != "" {
		if ok {
			return &t.file.Products[at]
		}
		return nil
	}
	if title == "" && len(t.file.Products) > 0 && !t.simple() {
		return &t.file.Products[len(t.file.Products)-1]
	}
	return nil
}

// simple reports whether the file tells of no products, only of SKUs by their codes: each row is then its own.
func (t *table) simple() bool {
	_, titles := t.at["title"]
	_, products := t.at["product_id"]
	return !titles && !products
}

type rowReader struct {
	t     *table
	n     int
	cells []string
}

// cell is the text of a column; "" when the column is not there.
func (r *rowReader) cell(column string) string {
	v, _ := r.told(column)
	return v
}

// told is the text of a column; ok is false when the column is not there.
func (r *rowReader) told(column string) (v string, ok bool) {
	i, ok := r.t.at[column]
	if !ok || i >= len(r.cells) {
		return "", ok
	}
	return strings.TrimSpace(arm(r.cells[i])), true
}

func (r *rowReader) wrong(column, message string) { r.t.file.wrong(r.n, column, message) }

func (r *rowReader) product(id string) commerce.Imported {
	p := commerce.Imported{Row: r.n, ID: id}
	if v, ok := r.told("title"); ok {
		p.Title = &v
	}
	if v, ok := r.told("points"); ok {
		list := listOf(v)
		p.Points = &list
	}
	if v, ok := r.told("images"); ok {
		list := listOf(v)
		p.Images = &list
	}
	if v, ok := r.told("url"); ok {
		p.URL = &v
	}
	if v := r.cell("link"); v != "" {
		p.Link = new(commerce.LinkKind(v))
	}
	if v := r.cell("currency"); v != "" {
		p.Currency = &v
	}
	if v, ok := r.told("display"); ok {
		p.Display = new(commerce.Display(v))
	}
	if v, ok := r.told("stock_shown"); ok {
		p.Stock, p.HideStock = r.number("stock_shown", v), v == ""
	}
	return p
}

// mustAgree refuses a further row of a product that tells something else of it.
func (r *rowReader) mustAgree(p *commerce.Imported) {
	again := r.product(p.ID)
	differs := func(column string, now, first *string) {
		if now != nil && *now != "" && (first == nil || *now != *first) {
			r.wrong(column, "row "+strconv.Itoa(p.Row)+" says something else of the same product; leave it empty here")
		}
	}
	differs("title", again.Title, p.Title)
	differs("url", again.URL, p.URL)
	differs("currency", again.Currency, p.Currency)
	for _, column := range []string{"points", "images"} {
		now, first := again.Points, p.Points
		if column == "images" {
			now, first = again.Images, p.Images
		}
		if now != nil && len(*now) > 0 && !slices.Equal(*now, *first) {
			r.wrong(column, "row "+strconv.Itoa(p.Row)+" says something else of the same product; leave it empty here")
		}
	}
}

func (r *rowReader) sku() commerce.ImportedSKU {
	s := commerce.ImportedSKU{Row: r.n, ID: r.cell("sku_id")}
	if v, ok := r.told("code"); ok {
		s.Code = &v
	}
	if v, ok := r.told("attributes"); ok {
		list, good := attributesOf(v)
		if !good {
			r.wrong("attributes", "write a line such as colour=red for each attribute")
		}
		s.Attributes = &list
	}
	if v := r.cell("price"); v != "" {
		s.Price = &commerce.Amount{Decimal: v}
	}
	if v, ok := r.told("original_price"); ok {
		s.Original = &commerce.Amount{Decimal: v}
	}
	if v, ok := r.told("per_buyer"); ok {
		s.PerBuyer = new(int64)
		if n := r.number("per_buyer", v); n != nil {
			s.PerBuyer = n
		}
	}
	s.Tracked = r.yesNo("tracked")
	s.Total = r.number("stock_total", r.cell("stock_total"))
	return s
}

// number is a whole number of at least 0; nil for none.
func (r *rowReader) number(column, v string) *int64 {
	if v == "" {
		return nil
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(v, ".0"), 10, 63)
	if err != nil {
		r.wrong(column, strconv.Quote(v)+" is no whole number")
		return nil
	}
	return new(int64(n))
}

func (r *rowReader) yesNo(column string) *bool {
	switch v := strings.ToLower(r.cell(column)); v {
	case "":
		return nil
	case "yes", "true", "1", "是":
		return new(true)
	case "no", "false", "0", "否":
		return new(false)
	default:
		r.wrong(column, strconv.Quote(v)+" is neither yes nor no")
		return nil
	}
}
