package commerce

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// The limits of a product's SKUs.
const (
	MaxSKUs       = 200 // of one product
	MaxAttributes = 10  // of one SKU
	MaxAttribute  = 40  // characters of a name or a value
	MaxCode       = 64  // characters
	MaxPerBuyer   = 1_000_000
)

// Attribute is one property in which the SKUs of a product differ: {"颜色", "红"}.
type Attribute struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// SKU is what is bought: one variant of a product. Its currency is the product's.
type SKU struct {
	ID         string      // "sku_…"
	Code       string      // the merchant's own, unique in the store; empty: none
	Attributes []Attribute // in the order in which a buyer chooses; empty for a product with one SKU
	Price      int64       // minor units
	Original   int64       // the price it is compared with, minor units; 0: none
	PerBuyer   int64       // pieces that one buyer may have in all; 0: any number
	// Tracked SKUs sell no more pieces than there are. Others are never sold out.
	Tracked bool
	// Total is the pieces in all pools, sold ones included. A new SKU begins with as many; afterwards they change by
	// SetStock and AdjustStock alone.
	Total     int64
	Available int64 // pieces that can be bought now, in all open pools
	// ShowPrice is the price in the show that was asked about, where one holds; nil: none.
	ShowPrice *int64
}

func (s *SKU) validate(op string) error {
	if err := checkText(op, "code", s.Code, MaxCode); err != nil {
		return err
	}
	if s.Price < 0 || s.Price > MaxAmount {
		return errs.Field(op, "price", "the price must be 0 to %d minor units of its currency", MaxAmount)
	}
	if s.Original < 0 || s.Original > MaxAmount {
		return errs.Field(op, "original_price", "the original price must be 0 to %d minor units of its currency", MaxAmount)
	}
	if s.PerBuyer < 0 || s.PerBuyer > MaxPerBuyer {
		return errs.Field(op, "per_buyer", "the limit per buyer must be 0 (none) to %d pieces", MaxPerBuyer)
	}
	if s.Total < 0 || s.Total > MaxStock {
		return errs.Field(op, "stock", "the stock must be 0 to %d pieces", MaxStock)
	}
	return checkAttributes(op, s.Attributes)
}

func checkAttributes(op string, attributes []Attribute) error {
	if len(attributes) > MaxAttributes {
		return errs.Field(op, "attributes", "a SKU has at most %d attributes", MaxAttributes)
	}
	for i, a := range attributes {
		if a.Name == "" || a.Value == "" {
			return errs.Field(op, "attributes", "an attribute needs a name and a value")
		}
		for _, word := range []string{a.Name, a.Value} {
			if err := checkText(op, "attributes", word, MaxAttribute); err != nil {
				return err
			}
		}
		if slices.ContainsFunc(attributes[:i], func(b Attribute) bool { return a.Name == b.Name }) {
			return errs.Field(op, "attributes", "the attribute %q stands twice", a.Name)
		}
	}
	return nil
}

// checkSKUs looks at the SKUs of a product together: a buyer must be able to tell them apart.
func checkSKUs(op string, skus []SKU) error {
	if len(skus) == 0 || len(skus) > MaxSKUs {
		return errs.Field(op, "skus", "a product has 1 to %d SKUs", MaxSKUs)
	}
	codes, variants := map[string]bool{}, map[string]bool{}
	for i := range skus {
		s := &skus[i]
		if err := s.validate(op); err != nil {
			return err
		}
		if s.Code != "" && codes[s.Code] {
			return errs.Field(op, "code", "the code %q stands at two SKUs", s.Code)
		}
		v := s.variant()
		if variants[v] {
			return errs.Field(op, "attributes", "two SKUs have the same attributes: %q", s.Variant())
		}
		codes[s.Code], variants[v] = true, true
	}
	return nil
}

// Variant names the SKU among those of its product: "红 / XL". It is empty for one without attributes.
func (s *SKU) Variant() string {
	values := make([]string, len(s.Attributes))
	for i, a := range s.Attributes {
		values[i] = a.Value
	}
	return strings.Join(values, " / ")
}

// variant is the same for SKUs with the same attributes in any order.
func (s *SKU) variant() string {
	pairs := make([]string, len(s.Attributes))
	for i, a := range s.Attributes {
		pairs[i] = a.Name + "\x00" + a.Value
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "\x01")
}

// checkText accepts plain text on one line, without spaces around it, of at most so many characters; also none.
func checkText(op, field, text string, most int) error {
	switch {
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return errs.Field(op, field, "must be plain text on one line")
	case strings.TrimSpace(text) != text:
		return errs.Field(op, field, "has spaces around it: %q", text)
	case utf8.RuneCountInString(text) > most:
		return errs.Field(op, field, "must be at most %d characters", most)
	}
	return nil
}
