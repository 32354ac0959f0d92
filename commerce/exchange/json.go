package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// jsonProduct is a product in a JSON file: {"products": [...]}. Money is in minor units.
type jsonProduct struct {
	ID         string             `json:"id,omitempty"`
	Title      *string            `json:"title,omitempty"`
	Points     *[]string          `json:"points,omitempty"`
	Images     *[]string          `json:"images,omitempty"`
	Link       *commerce.LinkKind `json:"link,omitempty"`
	URL        *string            `json:"url,omitempty"`
	Currency   *string            `json:"currency,omitempty"`
	Display    *commerce.Display  `json:"display,omitempty"`
	StockShown *int64             `json:"stock_shown,omitempty"` // below 0: none
	Audit      string             `json:"audit,omitempty"`       // told, not read
	SKUs       []jsonSKU          `json:"skus"`
}

type jsonSKU struct {
	ID         string                `json:"id,omitempty"`
	Code       *string               `json:"code,omitempty"`
	Attributes *[]commerce.Attribute `json:"attributes,omitempty"`
	Price      *int64                `json:"price,omitempty"`
	Original   *int64                `json:"original_price,omitempty"`
	PerBuyer   *int64                `json:"per_buyer,omitempty"`
	Tracked    *bool                 `json:"tracked,omitempty"`
	Total      *int64                `json:"stock_total,omitempty"`
	Available  *int64                `json:"stock_available,omitempty"` // told, not read
}

// readJSON reads {"products": [...]} or the list alone. Rows are the places of products in the list, from 1.
func readJSON(b []byte) (*File, error) {
	const op = "exchange.readJSON"
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, bom)))
	if err := intoList(d); err != nil {
		return nil, errs.Field(op, "file", "the file is not {\"products\": [...]}: %v", err)
	}
	f := &File{}
	for row := 1; d.More(); row++ {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			f.wrong(row, "", "the file breaks off or is no JSON here: "+err.Error())
			return f, nil
		}
		p, err := productOf(row, raw)
		if err != nil {
			f.wrong(row, fieldIn(err), err.Error())
			f.Rows++
			continue
		}
		if f.Rows += max(1, len(p.SKUs)); f.Rows > MaxRows {
			return nil, errs.Field(op, "file", "the file has more than %d SKUs: split it", MaxRows)
		}
		f.Products = append(f.Products, p)
	}
	if _, err := d.Token(); err != nil {
		f.wrong(len(f.Products), "", "the file breaks off: "+err.Error())
	}
	return f, nil
}

// intoList goes to the beginning of the list.
func intoList(d *json.Decoder) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t == json.Delim('[') {
		return nil
	}
	if t != json.Delim('{') {
		return errors.New("it begins with something else")
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		if name != "products" {
			if err := d.Decode(new(json.RawMessage)); err != nil {
				return err
			}
			continue
		}
		if t, err = d.Token(); err != nil || t != json.Delim('[') {
			return errors.New("products is no list")
		}
		return nil
	}
	return errors.New("it has no products")
}

func productOf(row int, raw []byte) (commerce.Imported, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var j jsonProduct
	if err := d.Decode(&j); err != nil {
		return commerce.Imported{}, err
	}
	p := commerce.Imported{
		Row: row, ID: j.ID, Title: j.Title, Points: j.Points, Images: j.Images, Currency: j.Currency, Display: j.Display, URL: j.URL, Link: j.Link, Stock: j.StockShown,
	}
	if p.Stock != nil && *p.Stock < 0 {
		p.Stock, p.HideStock = nil, true
	}
	for _, s := range j.SKUs {
		p.SKUs = append(p.SKUs, commerce.ImportedSKU{
			Row: row, ID: s.ID, Code: s.Code, Attributes: s.Attributes, Price: minor(s.Price), Original: minor(s.Original), PerBuyer: s.PerBuyer, Tracked: s.Tracked, Total: s.Total,
		})
	}
	return p, nil
}

func minor(n *int64) *commerce.Amount {
	if n == nil {
		return nil
	}
	return &commerce.Amount{Minor: *n}
}

func fieldIn(err error) string {
	var at *json.UnmarshalTypeError
	if errors.As(err, &at) {
		return at.Field
	}
	return ""
}

type jsonWriter struct {
	w io.Writer
	n int
}

func (w *jsonWriter) product(p *commerce.Product) error {
	before := ",\n"
	if w.n == 0 {
		before = "{\"products\": [\n"
	}
	w.n++
	b, err := json.Marshal(documentOf(p))
	if err != nil {
		return err
	}
	_, err = io.WriteString(w.w, before+string(b))
	return err
}

func (w *jsonWriter) end() error {
	after := "\n]}\n"
	if w.n == 0 {
		after = "{\"products\": []}\n"
	}
	_, err := io.WriteString(w.w, after)
	return err
}

func documentOf(p *commerce.Product) jsonProduct {
	points, images := append([]string{}, p.Points...), append([]string{}, p.Images...)
	j := jsonProduct{
		ID: p.ID, Title: &p.Title, Points: &points, Images: &images, Link: &p.Link, URL: &p.URL, Currency: &p.Price.Currency, Display: &p.Display,
		Audit: string(p.Audit.State),
	}
	if p.Link != commerce.LinkCheckout {
		j.StockShown = new(int64(-1))
		if p.Stock != nil {
			j.StockShown = p.Stock
		}
	}
	for i := range p.SKUs {
		s := &p.SKUs[i]
		list := append([]commerce.Attribute{}, s.Attributes...)
		k := jsonSKU{ID: s.ID, Code: &s.Code, Attributes: &list, Price: &s.Price, Original: &s.Original, PerBuyer: &s.PerBuyer, Tracked: &s.Tracked}
		if s.Tracked {
			k.Total, k.Available = &s.Total, &s.Available
		}
		j.SKUs = append(j.SKUs, k)
	}
	return j
}

// FormatOf tells the format of a file by how it begins.
func FormatOf(b []byte) Format {
	if t := bytes.TrimLeft(bytes.TrimPrefix(b, bom), " \t\r\n"); len(t) > 0 && (t[0] == '{' || t[0] == '[') {
		return JSON
	}
	return CSV
}
