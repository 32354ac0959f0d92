package exchange

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// word draws text on one line as a product may have it, the nasty kind included.
func word(most int) *rapid.Generator[string] {
	runes := rapid.RuneFrom([]rune("=+-@'\"\\,;|最茶 a1\t\u3000💡＝"))
	return rapid.Custom(func(t *rapid.T) string {
		s := strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return -1
			}
			return r
		}, rapid.StringOfN(runes, 1, most, -1).Draw(t, "word"))
		if s = strings.TrimSpace(s); s == "" {
			return "x"
		}
		return s
	})
}

func product() *rapid.Generator[commerce.Product] {
	return rapid.Custom(func(t *rapid.T) commerce.Product {
		currency := rapid.SampledFrom([]string{"CNY", "JPY", "KWD"}).Draw(t, "currency")
		p := commerce.Product{
			ID: "prod_0000000000000001", Title: word(20).Draw(t, "title"), Points: rapid.SliceOfN(word(10), 0, 3).Draw(t, "points"),
			Images: rapid.SliceOfN(rapid.SampledFrom([]string{"/a.jpg", "https://x.example/a?b='c,\"d"}), 0, 3).Draw(t, "images"),
			Price:  commerce.Money{Currency: currency}, Display: rapid.SampledFrom([]commerce.Display{"", "one", "range"}).Draw(t, "display"),
			Link: rapid.SampledFrom([]commerce.LinkKind{"checkout", "url", "none"}).Draw(t, "link"),
		}
		if p.Link == commerce.LinkURL {
			p.URL = "https://shop.example/?a=1,2"
		}
		if p.Link != commerce.LinkCheckout && rapid.Bool().Draw(t, "shown") {
			p.Stock = new(rapid.Int64Range(0, 1e9).Draw(t, "stock"))
		}
		for i := range rapid.IntRange(1, 4).Draw(t, "skus") {
			s := commerce.SKU{
				ID: fmt.Sprint("sku_", i), Code: rapid.SampledFrom([]string{"", word(8).Draw(t, "code")}).Draw(t, "coded"), Price: rapid.Int64Range(0, commerce.MaxAmount).Draw(t, "price"),
				Original: rapid.Int64Range(0, 1e6).Draw(t, "original"), PerBuyer: rapid.Int64Range(0, 9).Draw(t, "limit"), Tracked: rapid.Bool().Draw(t, "tracked"),
			}
			for n := range rapid.IntRange(0, 3).Draw(t, "attributes") {
				s.Attributes = append(s.Attributes, commerce.Attribute{Name: word(6).Draw(t, "name") + fmt.Sprint(n), Value: word(6).Draw(t, "value")})
			}
			if s.Tracked {
				s.Total = rapid.Int64Range(0, 1e9).Draw(t, "total")
			}
			p.SKUs = append(p.SKUs, s)
		}
		return p
	})
}

// told puts what was read back into a product.
func told(t *rapid.T, in commerce.Imported) commerce.Product {
	p := commerce.Product{ID: in.ID, Title: *in.Title, Points: *in.Points, Images: *in.Images, URL: *in.URL, Link: *in.Link, Display: *in.Display, Stock: in.Stock}
	p.Price.Currency = *in.Currency
	amount := func(a *commerce.Amount) int64 {
		if a.Decimal == "" {
			return a.Minor
		}
		n, err := commerce.ParseDecimal(a.Decimal, *in.Currency)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, s := range in.SKUs {
		sku := commerce.SKU{ID: s.ID, Code: *s.Code, Attributes: *s.Attributes, Price: amount(s.Price), Original: amount(s.Original), PerBuyer: *s.PerBuyer, Tracked: *s.Tracked}
		if s.Total != nil {
			sku.Total = *s.Total
		}
		p.SKUs = append(p.SKUs, sku)
	}
	return p
}

func emptyAsNil(p commerce.Product) commerce.Product {
	p.Points, p.Images = append([]string(nil), p.Points...), append([]string(nil), p.Images...)
	for i := range p.SKUs {
		p.SKUs[i].Attributes = append([]commerce.Attribute(nil), p.SKUs[i].Attributes...)
	}
	return p
}

// What is written is read back as the same, and no cell begins like a formula.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := product().Draw(t, "product")
		for format, out := range map[Format]func(b *bytes.Buffer) error{
			CSV:  func(b *bytes.Buffer) error { w := newCSVWriter(b); return firstError(w.product(&p), w.end()) },
			JSON: func(b *bytes.Buffer) error { w := &jsonWriter{w: b}; return firstError(w.product(&p), w.end()) },
		} {
			var b bytes.Buffer
			if err := out(&b); err != nil {
				t.Fatal(err)
			}
			if FormatOf(b.Bytes()) != format {
				t.Fatalf("%s is not recognised", format)
			}
			f, err := Read(format, b.Bytes())
			if err != nil || f.Failed > 0 || len(f.Products) != 1 {
				t.Fatalf("%s: %v %+v in %s", format, err, f, b.String())
			}
			if diff := cmp.Diff(emptyAsNil(p), emptyAsNil(told(t, f.Products[0]))); diff != "" {
				t.Fatalf("%s (-written +read)\n%s\n%s", format, diff, b.String())
			}
		}
	})
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestCells(t *testing.T) {
	for cell, want := range map[string]string{"": "", "a=b": "a=b", "=1+1": "'=1+1", "'tis": "''tis", "-5": "'-5", "@x": "'@x", "＝x": "'＝x"} {
		if got := defuse(cell); got != want || arm(got) != cell {
			t.Errorf("%q: %q, back %q", cell, got, arm(got))
		}
	}
	if arm("'plain") != "'plain" || arm("'") != "'" {
		t.Error("what a person wrote was changed")
	}
}

func csvOf(rows ...string) []byte { return []byte(strings.Join(rows, "\n") + "\n") }

func TestReadCSV(t *testing.T) {
	f, err := Read(CSV, csvOf("title;price;stock_total;attributes", "Tea;19,90;5;", "Cup;9.90;x;size", "Scarf;1;2;colour=red", ";2;3;colour=blue", "", ";1;-1;a=1"))
	if err != nil || f.Rows != 5 || len(f.Products) != 3 || len(f.Products[2].SKUs) != 3 {
		t.Fatalf("%+v %v", f, err)
	}
	var got []string
	for _, e := range f.Errors {
		got = append(got, fmt.Sprint(e.Row, " ", e.Column))
	}
	if diff := cmp.Diff([]string{"3 attributes", "3 stock_total", "7 stock_total"}, got); diff != "" {
		t.Error(diff)
	}
	f, err = Read(CSV, csvOf(`title,points,price,per_buyer`, "Tea,\"a\nb\nc\",1,", "", "Cup,,1,x"))
	if err != nil || len(f.Errors) != 1 || f.Errors[0].Row != 4 {
		t.Errorf("%+v %v", f, err)
	}
	gbk, err := simplifiedchinese.GBK.NewEncoder().Bytes(csvOf("title,price", "龙井茶,19.90"))
	if err != nil {
		t.Fatal(err)
	}
	if f, err = Read(CSV, gbk); err != nil || *f.Products[0].Title != "龙井茶" {
		t.Errorf("%+v %v", f, err)
	}
	f, err = Read(CSV, csvOf("product_id,title,price", "prod_1,Tea,1", "prod_2,Cup,1", "prod_1,,2", "prod_1,Coffee,3"))
	if err != nil || len(f.Products) != 2 || len(f.Products[0].SKUs) != 3 || len(f.Errors) != 1 || f.Errors[0].Row != 5 || f.Errors[0].Column != "title" {
		t.Errorf("%+v %v", f, err)
	}
	if f, err = Read(CSV, csvOf("title,price", `Tea,1`, `"Cup,2`)); err != nil || len(f.Errors) != 1 || f.Errors[0].Row != 3 {
		t.Errorf("%+v %v", f, err)
	}
}

func TestReadRefuses(t *testing.T) {
	many := append([]string{"code,price"}, make([]string, MaxRows+1)...)
	for i := range many[1:] {
		many[i+1] = fmt.Sprint(i, ",1")
	}
	for name, c := range map[string]struct {
		format Format
		b      []byte
		want   string
	}{
		"nothing":          {CSV, nil, "names of the columns"},
		"a spreadsheet":    {CSV, []byte("PK\x03\x04..."), "save it as CSV"},
		"UTF-16":           {CSV, []byte("\xff\xfet\x00"), "UTF-16"},
		"no text":          {CSV, []byte("title\n\x80\xff\xff\n"), "neither"},
		"unknown column":   {CSV, csvOf("title,colour"), `"colour" is unknown`},
		"a column twice":   {CSV, csvOf("title,Title"), "twice"},
		"no column":        {CSV, csvOf(",,"), "does not name"},
		"too many rows":    {CSV, csvOf(many...), "5000 rows"},
		"too many bytes":   {JSON, make([]byte, MaxBytes+1), "16 MiB"},
		"no JSON":          {JSON, []byte("x"), "products"},
		"no products":      {JSON, []byte(`{"items": []}`), "no products"},
		"products no list": {JSON, []byte(`{"products": {}}`), "no list"},
	} {
		if _, err := Read(c.format, c.b); errs.KindOf(err) != errs.Invalid || !strings.Contains(errs.MessageOf(err), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadJSON(t *testing.T) {
	f, err := Read(JSON, []byte(`{"version": 1, "products": [{"title": "Tea", "skus": [{"price": 1990}]}, {"titel": "Cup"}, {"title": 5}, {"title": "Lamp", "skus": []}`))
	if err != nil || len(f.Products) != 2 || f.Products[1].Row != 4 || len(f.Errors) != 3 || f.Errors[0].Row != 2 || f.Errors[1].Column != "title" {
		t.Errorf("%+v %v", f, err)
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add(csvOf("title,price,stock_total", "Tea,1,2"))
	f.Add(csvOf("product_id\tcode\tattributes", "p\t'=x\ta=b", "\t\t"))
	f.Add([]byte("title\n\"\xb2\xe8\""))
	f.Fuzz(func(t *testing.T, b []byte) { checkRead(t, CSV, b) })
}

func FuzzReadJSON(f *testing.F) {
	f.Add([]byte(`{"products": [{"title": "Tea", "skus": [{"price": 1}]}]}`))
	f.Add([]byte(`[{"skus": null}, 5, [`))
	f.Fuzz(func(t *testing.T, b []byte) { checkRead(t, JSON, b) })
}

// checkRead checks that whatever comes is told of in bounds, in rows that there are.
func checkRead(t *testing.T, format Format, b []byte) {
	f, err := Read(format, b)
	if err != nil {
		if errs.KindOf(err) != errs.Invalid || errs.MessageOf(err) == "" {
			t.Errorf("got %v", err)
		}
		return
	}
	if f.Rows > MaxRows || len(f.Errors) > commerce.MaxRowErrors || len(f.Errors) > f.Failed {
		t.Errorf("%d rows, %d of %d errors", f.Rows, len(f.Errors), f.Failed)
	}
	for _, e := range f.Errors {
		if e.Row < 0 || e.Message == "" {
			t.Errorf("%+v", e)
		}
	}
}
