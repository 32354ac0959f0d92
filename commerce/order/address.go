package order

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Address is where a parcel goes.
type Address struct {
	Name   string `json:"name"`
	Phone  string `json:"phone"`
	Region string `json:"region"` // province, city, district
	Detail string `json:"detail"` // street, house, door
	Postal string `json:"postal_code,omitempty"`
}

// The limits of an address, in characters.
const (
	maxName, maxRegion, maxDetail, maxPostal = 40, 80, 200, 12
	minPhone, maxPhone                       = 5, 20
)

// Validate returns an Invalid error that names the first field that a courier could not work with, as "address.phone".
func (a *Address) Validate() error {
	const op = "order.Address"
	for _, f := range []struct {
		field, text, what string
		most              int
		optional          bool
	}{
		{"address.name", a.Name, "the recipient's name", maxName, false},
		{"address.region", a.Region, "the region (province, city, district)", maxRegion, false},
		{"address.detail", a.Detail, "the address in detail", maxDetail, false},
		{"address.postal_code", a.Postal, "the postal code", maxPostal, true},
	} {
		switch {
		case strings.TrimSpace(f.text) == "" && !f.optional:
			return errs.Field(op, f.field, "%s is missing", f.what)
		case !plain(f.text):
			return errs.Field(op, f.field, "%s must be plain text on one line", f.what)
		case utf8.RuneCountInString(f.text) > f.most:
			return errs.Field(op, f.field, "%s must be at most %d characters", f.what, f.most)
		}
	}
	return checkPhone(op, a.Phone)
}

// checkPhone accepts what can be dialled: digits, with a plus in front and spaces, hyphens or brackets between.
func checkPhone(op, phone string) error {
	digits := 0
	for i, r := range phone {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '+' && i == 0, r == ' ', r == '-', r == '(', r == ')':
		default:
			return errs.Field(op, "address.phone", "the phone number has characters that cannot be dialled")
		}
	}
	if digits < minPhone || len(phone) > maxPhone {
		return errs.Field(op, "address.phone", "the phone number must have %d to %d digits", minPhone, maxPhone)
	}
	return nil
}

func (a *Address) trim() {
	for _, s := range []*string{&a.Name, &a.Phone, &a.Region, &a.Detail, &a.Postal} {
		*s = strings.TrimSpace(*s)
	}
}

func plain(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) }

// Mask hides who somebody is but for the first character: "王**". An empty name becomes "**".
func Mask(name string) string {
	r, n := utf8.DecodeRuneInString(strings.TrimSpace(name))
	if n == 0 || r == utf8.RuneError {
		return "**"
	}
	return string(r) + "**"
}
