package mall

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var pinned = commerce.Attribution{ShowID: "show_1", PinID: "pin_1", ShowTimeMS: 61_500, Source: commerce.SourceReplay, ShareCode: "好友 1", Channel: "moments"}

func TestLink(t *testing.T) {
	for address, want := range map[string]string{
		"https://mall.example/p?id=1&vt_show=old#top": "https://mall.example/p?id=1&vt_channel=moments&vt_click=c&vt_pin=pin_1&vt_share=%E5%A5%BD%E5%8F%8B+1&vt_show=show_1&vt_t=61500&vt_via=replay#top",
		"weapp:/pages/goods/detail?id=1":              "weapp:/pages/goods/detail?id=1&vt_channel=moments&vt_click=c&vt_pin=pin_1&vt_share=%E5%A5%BD%E5%8F%8B+1&vt_show=show_1&vt_t=61500&vt_via=replay",
		"weapp://wx0123456789abcdef/pages/goods":      "weapp://wx0123456789abcdef/pages/goods?vt_channel=moments&vt_click=c&vt_pin=pin_1&vt_share=%E5%A5%BD%E5%8F%8B+1&vt_show=show_1&vt_t=61500&vt_via=replay",
	} {
		if got := Link(address, "c", pinned); got != want {
			t.Errorf("%s:\n got %s\nwant %s", address, got, want)
		}
	}
	if got := Link("https://mall.example/", "c", commerce.Attribution{Source: commerce.SourceExternal}); got != "https://mall.example/?vt_click=c&vt_via=external" {
		t.Error(got)
	}
	long := "https://mall.example/?x=" + strings.Repeat("x", commerce.MaxURL-60)
	got := Link(long, "c", pinned)
	if u, err := url.Parse(got); err != nil || len(got) > commerce.MaxURL || u.Query().Get("vt_click") != "c" || u.Query().Has("vt_channel") {
		t.Errorf("%d bytes: %s", len(got), got[len(got)-80:])
	}
	if full := "https://mall.example/?x=" + strings.Repeat("x", commerce.MaxURL-24); Link(full, "c", pinned) != full {
		t.Error("an address that is full was changed")
	}
}

func TestClicksComeBack(t *testing.T) {
	clicks, others := NewClicks(make([]byte, 32)), NewClicks(append(make([]byte, 31), 1))
	rapid.Check(t, func(t *rapid.T) {
		k := Click{StoreID: "store_1", ProductID: "prod_1", At: noon, Attribution: Tidy(commerce.Attribution{
			ShowID: rapid.String().Draw(t, "show"), PinID: rapid.String().Draw(t, "pin"), ShowTimeMS: rapid.Int64().Draw(t, "t"),
			Source: commerce.Source(rapid.SampledFrom([]string{"live", "clip", "?"}).Draw(t, "via")), ShareCode: rapid.String().Draw(t, "share"),
		})}
		id := clicks.ID(k)
		got, err := clicks.Read(id, noon.Add(time.Hour))
		if err != nil || got != k {
			t.Fatalf("%+v came back as %+v, %v", k, got, err)
		}
		if _, err := others.Read(id, noon); err == nil {
			t.Fatal("another server's click was taken")
		}
		at := rapid.IntRange(0, len(id)-1).Draw(t, "at")
		other := byte('A')
		if id[at] == other {
			other = 'B'
		}
		if _, err := clicks.Read(id[:at]+string(other)+id[at+1:], noon); errs.KindOf(err) != errs.Invalid {
			t.Fatalf("a changed click: %v", err)
		}
	})
}

func TestClicksEnd(t *testing.T) {
	clicks := NewClicks(make([]byte, 32))
	id := clicks.ID(Click{StoreID: "store_1", At: noon, Attribution: pinned})
	for after, want := range map[time.Duration]errs.Kind{
		0: errs.Internal, ClickTTL: errs.Internal, ClickTTL + time.Second: errs.Conflict, -clockSlack: errs.Internal, -clockSlack - time.Second: errs.Conflict,
	} {
		if _, err := clicks.Read(id, noon.Add(after)); errs.KindOf(err) != want {
			t.Errorf("%v after: %v", after, err)
		}
	}
}

const goodReport = `{"order_no":"A-1","state":"paid","currency":"CNY","total":19900,"paid_at":"2026-11-22T20:00:00+08:00",
	"lines":[{"product_id":"prod_1","code":"TEA","title":"春茶","quantity":2,"amount":19900}]}`

func TestParse(t *testing.T) {
	r, err := Parse([]byte(goodReport))
	if err != nil || r.No != "A-1" || !r.PaidAt.Equal(noon) || len(r.Lines) != 1 || r.Lines[0].Quantity != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	for change, field := range map[string]string{
		`"A-1"` + ">" + `""`: "order_no", `"A-1"` + ">" + `"A\n1"`: "order_no", `"paid"` + ">" + `"shipped"`: "state", `"CNY"` + ">" + `"yuan"`: "currency",
		`"total":19900` + ">" + `"total":-1`: "total", `"total":19900` + ">" + `"total":19900,"refunded":19901`: "refunded",
		`"2026-11-22T20:00:00+08:00"` + ">" + `"0001-01-01T00:00:00Z"`: "paid_at", `"quantity":2` + ">" + `"quantity":0`: "lines",
		`"amount":19900` + ">" + `"amount":-1`: "lines", `"total":19900` + ">" + `"total":"x"`: "total", `"lines":[` + ">" + `"lines":[],"x":[`: "",
		`"TEA"` + ">" + `"` + strings.Repeat("x", maxNo+1) + `"`: "lines",
	} {
		old, now, _ := strings.Cut(change, ">")
		body := strings.Replace(goodReport, old, now, 1)
		if body == goodReport {
			t.Fatalf("%s changes nothing", change)
		}
		if _, err := Parse([]byte(body)); errs.KindOf(err) != errs.Invalid || errs.FieldOf(err) != field {
			t.Errorf("%s: field %q, %v", now, errs.FieldOf(err), err)
		}
	}
	for _, body := range []string{"", "[]", goodReport + "{}", "null", strings.Repeat(" ", MaxReport) + goodReport} {
		if _, err := Parse([]byte(body)); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%.20q: %v", body, err)
		}
	}
}

func TestRefundedAll(t *testing.T) {
	r, err := Parse([]byte(strings.Replace(goodReport, `"paid"`, `"refunded"`, 1)))
	if err != nil || r.Refunded != 19900 {
		t.Errorf("%+v, %v", r, err)
	}
	first, _ := Parse([]byte(goodReport))
	if first.hash() != r.hash() {
		t.Error("a refund makes it another order")
	}
	other, _ := Parse([]byte(strings.Replace(goodReport, `"amount":19900`, `"amount":19800`, 1)))
	if first.hash() == other.hash() {
		t.Error("another amount is the same order")
	}
	utc, _ := Parse([]byte(strings.Replace(goodReport, "20:00:00+08:00", "12:00:00Z", 1)))
	if first.hash() != utc.hash() {
		t.Error("another way to write a time makes it another order")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(goodReport))
	f.Add([]byte(`{"lines":[{}]}`))
	f.Add([]byte(`{"paid_at":"9999-12-31T23:59:59.999999999+23:59"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := Parse(body)
		if err != nil {
			if errs.KindOf(err) != errs.Invalid || errs.MessageOf(err) == "" {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		if r.hash() == "" || r.Refunded > r.Total || len(r.Lines) == 0 {
			t.Errorf("%q: %+v", body, r)
		}
	})
}

func FuzzClick(f *testing.F) {
	clicks := NewClicks(make([]byte, 32))
	good := clicks.ID(Click{StoreID: "s", ProductID: "p", At: noon, Attribution: pinned})
	f.Add(good)
	f.Add("vtc1_." + strings.Repeat("A", 22))
	f.Fuzz(func(t *testing.T, id string) {
		if _, err := clicks.Read(id, noon); (err == nil) != (id == good) {
			t.Errorf("%q: %v", id, err)
		}
		_, _ = readClick(strings.TrimPrefix(id, clickPrefix)) // whatever is signed must not end the program
	})
}

func TestTidy(t *testing.T) {
	got := Tidy(commerce.Attribution{ShowID: "a\nb", PinID: strings.Repeat("x", 65), ShowTimeMS: 5, Source: "tv", ShareCode: "ok", Channel: "\xff"})
	if got != (commerce.Attribution{Source: commerce.SourceExternal, ShareCode: "ok"}) {
		t.Errorf("%+v", got)
	}
	if Tidy(pinned) != pinned {
		t.Error("changed what is right")
	}
}
