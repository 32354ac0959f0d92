package order

import (
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

func mustTime(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestAddress(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Address)
		field  string
	}{
		{"as it is", func(*Address) {}, ""},
		{"no name", func(a *Address) { a.Name = " " }, "address.name"},
		{"long name", func(a *Address) { a.Name = strings.Repeat("王", 41) }, "address.name"},
		{"two lines", func(a *Address) { a.Detail = "a\nb" }, "address.detail"},
		{"not UTF-8", func(a *Address) { a.Region = "\xff" }, "address.region"},
		{"no region", func(a *Address) { a.Region = "" }, "address.region"},
		{"no phone", func(a *Address) { a.Phone = "" }, "address.phone"},
		{"letters to dial", func(a *Address) { a.Phone = "1380013800O" }, "address.phone"},
		{"plus within", func(a *Address) { a.Phone = "138+0013" }, "address.phone"},
		{"abroad", func(a *Address) { a.Phone = "+1 (415) 555-0100" }, ""},
		{"postal code", func(a *Address) { a.Postal = "200030" }, ""},
		{"long postal code", func(a *Address) { a.Postal = "1234567890123" }, "address.postal_code"},
	} {
		a := Address{Name: "王小明", Phone: "13800138000", Region: "上海市", Detail: "1 号"}
		c.change(&a)
		if err := a.Validate(); errs.FieldOf(err) != c.field {
			t.Errorf("%s: got %v, want an error for %q", c.name, err, c.field)
		}
	}
}

func TestMask(t *testing.T) {
	for name, want := range map[string]string{"": "**", "王小明": "王**", " Ann": "A**", "💡x": "💡**", "\xff": "**"} {
		if got := Mask(name); got != want {
			t.Errorf("Mask(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestConfig(t *testing.T) {
	if err := (Config{}).Validate(); err != nil {
		t.Error(err)
	}
	for _, c := range []Config{{Expiry: time.Second}, {AutoComplete: time.Minute}, {CloseGrace: 2 * time.Hour}, {Sweep: time.Hour}} {
		if c.Validate() == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
	for _, c := range []struct{ public, base, want string }{
		{"https://a.example/", "http://b.example", "https://a.example/api/v1/payments/p/notifications"},
		{"", "http://b.example", "http://b.example/api/v1/payments/p/notifications"},
		{"", "", ""},
	} {
		if got := (Config{PublicURL: c.public}).notifyURL("p", c.base); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
