package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vitrine-live/vitrine/commerce/exchange"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

const catalogue = "/api/v1/stores/store_default/catalogue"

func (h *house) withImporter(d *Deps, db *sqldb.DB, clock func() time.Time) {
	h.t.Helper()
	d.Importer = exchange.NewImporter(exchange.Deps{Catalogue: h.goods, Store: db, Log: slog.New(slog.DiscardHandler), Now: clock})
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); d.Importer.Run(ctx) }()
	h.t.Cleanup(func() { cancel(); <-done })
}

// bring imports a file and waits for its end.
func (h *house) bring(query, file string) (i ProductImport) {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://shop.example"+catalogue+"/imports"+query, strings.NewReader(file))
	r.Header.Set("Content-Type", "text/csv")
	r.Header.Set("Authorization", "Bearer "+adminToken)
	w := httptest.NewRecorder()
	h.server.Handler().ServeHTTP(w, r)
	decodeInto(h.t, w, http.StatusAccepted, &i)
	for i.EndedAt == nil {
		h.read(http.StatusOK, &i, http.MethodGet, w.Header().Get("Location"), adminToken, nil)
	}
	return i
}

func (h *house) export(format string) string {
	h.t.Helper()
	w := h.ask(http.MethodGet, catalogue+"/export?format="+format, adminToken, nil)
	if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Content-Disposition"), "products."+format) {
		h.t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func (h *house) all() []Product {
	h.t.Helper()
	var list Page[Product]
	h.read(http.StatusOK, &list, http.MethodGet, goods, adminToken, nil)
	return list.Items
}

var apartFromTimes = cmpopts.IgnoreFields(Product{}, "CreatedAt", "UpdatedAt")

// What is exported and imported again changes nothing, in either format; what is imported elsewhere is the same.
func TestExportedIsImported(t *testing.T) {
	h := newHouse(t)
	nasty := scarf()
	nasty["title"], nasty["points"] = `=HYPERLINK("x"), "quoted"; 'tis`, []string{"-50%", "@home", "a, b"}
	nasty["skus"].([]any)[0].(map[string]any)["attributes"] = []map[string]string{{"name": `a=b\`, "value": "=1+1"}, {"name": "尺寸", "value": "大"}}
	h.read(http.StatusCreated, nil, http.MethodPost, goods, adminToken, nasty)
	for _, body := range []map[string]any{
		{"title": "Cup", "price": 12900, "original_price": 15900, "currency": "JPY"}, // not counted
		{"title": "Lamp", "price": 990, "url": "https://shop.example/?a=1,2", "stock": 7},
		{"title": "Mini", "price": 990, "url": "weapp:/pages/x", "display": "one"},
		{"title": "Poster", "price": 1, "link": "none"},
	} {
		h.read(http.StatusCreated, nil, http.MethodPost, goods, adminToken, body)
	}
	before := h.all()
	for _, format := range []string{"csv", "json"} {
		file := h.export(format)
		if i := h.bring("", file); i.State != "done" || i.Format != format || i.Updated != 5 || i.Created != 0 || i.Read != 6 || i.Applied != 6 {
			t.Fatalf("%s: %+v", format, i)
		}
		if diff := cmp.Diff(before, h.all(), apartFromTimes); diff != "" {
			t.Errorf("%s (-before +after)\n%s", format, diff)
		}
		if again := h.export(format); again != file {
			t.Errorf("%s: exported anew it is another file\n%s\n%s", format, file, again)
		}
		if format != "csv" {
			continue
		}
		elsewhere := newHouse(t)
		if i := elsewhere.bring("", withoutColumns(t, file, "product_id", "sku_id")); i.State != "done" || i.Created != 5 {
			t.Fatalf("%s: %+v", format, i)
		}
		same := cmp.Options{apartFromTimes, cmpopts.IgnoreFields(Product{}, "ID"), cmpopts.IgnoreFields(SKU{}, "ID"), cmpopts.SortSlices(func(a, b Product) bool { return a.Title < b.Title })}
		if diff := cmp.Diff(before, elsewhere.all(), same); diff != "" {
			t.Errorf("%s elsewhere (-before +after)\n%s", format, diff)
		}
	}
}

func TestImportIsAllOrNothing(t *testing.T) {
	h := newHouse(t)
	h.read(http.StatusCreated, nil, http.MethodPost, goods, adminToken, scarf())
	before := h.all()
	i := h.bring("", "title,code,price,stock_total,url\nTea,tea-1,19.90,5,\nCup,tea-1,19.999,5,\nLamp,,,1,\n,lamp-2,x,1,\nVase,vase,5,1,javascript:x\n")
	if i.State != "failed" || i.Created != 0 || i.Applied != 0 || i.Read != 5 || i.Valid != 1 || !strings.Contains(i.Reason, "nothing was imported") {
		t.Fatalf("%+v", i)
	}
	var got []string
	for _, e := range i.Errors {
		got = append(got, fmt.Sprint(e.Row, " ", e.Column))
	}
	if diff := cmp.Diff([]string{"3 code", "4 price", "5 price", "6 url"}, got); diff != "" {
		t.Errorf("%s in %+v", diff, i.Errors)
	}
	if i := h.bring("?dry_run=true", "title,price\nTea,1\n"); i.State != "done" || i.Created != 1 || i.Applied != 0 || !i.DryRun {
		t.Errorf("%+v", i)
	}
	if i := h.bring("", "title,colour\nTea,red\n"); i.State != "failed" || !strings.Contains(i.Reason, `"colour"`) {
		t.Errorf("%+v", i)
	}
	if diff := cmp.Diff(before, h.all()); diff != "" {
		t.Errorf("something was imported: %s", diff)
	}
	// A list of codes and prices changes what it names.
	if i := h.bring("", "code,price,stock_total\nscarf-indigo,269,10\nscarf-sand,259.50,\n"); i.State != "done" || i.Updated != 1 || i.Created != 0 {
		t.Fatalf("%+v", i)
	}
	p := h.all()[0]
	if p.SKUs[1].Price != 26900 || *p.SKUs[1].Stock != 10 || p.SKUs[0].Price != 25950 || *p.SKUs[0].Stock != 3 || p.Title != "Linen scarf" {
		t.Errorf("%+v", p)
	}
	var list Page[ProductImport]
	h.read(http.StatusOK, &list, http.MethodGet, catalogue+"/imports?limit=2", adminToken, nil)
	if len(list.Items) != 2 || list.Next == nil {
		t.Errorf("%+v", list)
	}
	h.read(http.StatusNotFound, nil, http.MethodGet, catalogue+"/imports/imp_x", adminToken, nil)
}

func TestImportsOfAnEarlierProcessFailed(t *testing.T) {
	h := newHouse(t)
	db := h.rooms.Store.(*sqldb.DB) //nolint:forcetypeassert // as newHouse made it
	left := exchange.Import{ID: "imp_1", StoreID: "store_default", Format: exchange.CSV, State: exchange.Applying, Read: 3, CreatedAt: h.now.Truncate(time.Millisecond)}
	if err := db.CreateImport(t.Context(), left); err != nil {
		t.Fatal(err)
	}
	if err := h.server.Importer.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	var i ProductImport
	h.read(http.StatusOK, &i, http.MethodGet, catalogue+"/imports/imp_1", adminToken, nil)
	if i.State != "failed" || !strings.Contains(i.Reason, "restarted") || i.EndedAt == nil {
		t.Errorf("%+v", i)
	}
}

// withoutColumns empties columns of a CSV file, so that it makes new products.
func withoutColumns(t *testing.T, file string, names ...string) string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file, "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for at, name := range rows[0] {
		for _, row := range rows[1:] {
			if slices.Contains(names, name) {
				row[at] = ""
			}
		}
	}
	var out bytes.Buffer
	if err := csv.NewWriter(&out).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
