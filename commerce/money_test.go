package commerce

import (
	"testing"

	"github.com/vitrine-live/vitrine/internal/errs"
)

func TestMoneyValidate(t *testing.T) {
	for _, c := range []struct {
		name  string
		money Money
		field string // offending; "" when it is valid
	}{
		{"nothing", Money{0, "CNY"}, ""},
		{"the most", Money{MaxAmount, "CNY"}, ""},
		{"negative", Money{-1, "CNY"}, "price"},
		{"too much", Money{MaxAmount + 1, "CNY"}, "price"},
		{"no currency", Money{1, ""}, "currency"},
		{"lower case", Money{1, "cny"}, "currency"},
		{"two letters", Money{1, "CN"}, "currency"},
		{"four letters", Money{1, "CNYY"}, "currency"},
		{"digits", Money{1, "C1Y"}, "currency"},
		{"wide letters", Money{1, "Ａ"}, "currency"}, // three bytes
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.money.Validate()
			if c.field == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if errs.KindOf(err) != errs.Invalid || errs.FieldOf(err) != c.field {
				t.Errorf("got %v, want Invalid for %q", err, c.field)
			}
		})
	}
}

func TestMoneyDecimal(t *testing.T) {
	for _, c := range []struct {
		money Money
		want  string
	}{
		{Money{19900, "CNY"}, "199.00 CNY"},
		{Money{5, "CNY"}, "0.05 CNY"},
		{Money{0, "CNY"}, "0.00 CNY"},
		{Money{-1999, "USD"}, "-19.99 USD"},
		{Money{-5, "USD"}, "-0.05 USD"},
		{Money{500, "JPY"}, "500 JPY"},
		{Money{1250, "KWD"}, "1.250 KWD"},
		{Money{7, "KWD"}, "0.007 KWD"},
		{Money{12345, "UYW"}, "1.2345 UYW"},
		{Money{MaxAmount, "XYZ"}, "10000000000.00 XYZ"},
	} {
		if got := c.money.String(); got != c.want {
			t.Errorf("%d %s: got %q, want %q", c.money.Amount, c.money.Currency, got, c.want)
		}
	}
}
