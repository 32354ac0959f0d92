package commerce

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Rules are what products are looked at for before they are shown and sold. The zero value looks for claims that
// advertising law forbids, and for odd prices.
type Rules struct {
	Words        []string // that no product may have in its texts, in any case; each at least two characters
	NoClaims     bool     // claims are not looked for
	Domains      []string // that links may lead to, with their subdomains: "shop.example"; empty: any
	RequireImage bool     // of what is bought here
}

// priceJump is how many times more or less a price may be than the one approved before it.
const priceJump = 10

// Validate returns an Invalid error that names "words" or "domains".
func (r *Rules) Validate() error {
	const op = "commerce.Rules"
	for _, w := range r.Words {
		if len([]rune(plain(w))) < 2 {
			return errs.Field(op, "words", "the word %q is too short: it would be found everywhere", w)
		}
	}
	for _, d := range r.Domains {
		if d == "" || strings.ContainsAny(d, "/: *") || strings.HasPrefix(d, ".") {
			return errs.Field(op, "domains", "%q is no domain: write it like shop.example", d)
		}
	}
	return nil
}

// look returns what the rules find in the fields that changed.
func (r *Rules) look(p *Product, changed map[string]bool) (found []Reason) {
	if changed[fieldTitle] {
		found = append(found, r.lookAtText(fieldTitle, p.Title)...)
	}
	if changed[fieldPoints] {
		found = append(found, r.lookAtText(fieldPoints, strings.Join(p.Points, "\n"))...)
	}
	if changed[fieldAttributes] {
		found = append(found, r.lookAtText(fieldAttributes, p.words())...)
	}
	if changed[fieldPrice] {
		found = append(found, lookAtPrices(p)...)
	}
	if changed[fieldImages] && r.RequireImage && p.Link == LinkCheckout && len(p.Images) == 0 {
		found = append(found, Reason{"image", fieldImages, "it is bought here and has no image"})
	}
	if changed[fieldURL] {
		found = append(found, r.lookAtLink(p.URL)...)
	}
	return found
}

func (r *Rules) lookAtText(field, text string) (found []Reason) {
	folded := plain(text)
	for _, w := range r.Words {
		if strings.Contains(folded, plain(w)) {
			found = append(found, Reason{"word", field, fmt.Sprintf("%q is not allowed in this shop", w)})
		}
	}
	if r.NoClaims {
		return found
	}
	for _, claim := range claimsIn(text) {
		found = append(found, Reason{"claim", field, fmt.Sprintf("%q is a claim that advertising law forbids or asks proof of", claim)})
	}
	return found
}

func lookAtPrices(p *Product) (found []Reason) {
	say := func(s *SKU, rule, format string, args ...any) {
		detail := fmt.Sprintf(format, args...)
		if v := s.Variant(); v != "" {
			detail = v + ": " + detail
		}
		found = append(found, Reason{rule, fieldPrice, detail})
	}
	for i := range p.SKUs {
		s := &p.SKUs[i]
		was, known := p.Audit.Prices[s.ID]
		if s.Price == 0 {
			say(s, "free", "the price is 0")
		}
		if s.Original != 0 && s.Original < s.Price {
			say(s, "original_price", "the original price is below the price")
		}
		if known && was > 0 && s.Price > 0 && (s.Price/priceJump >= was || was/priceJump >= s.Price) {
			say(s, "price_jump", "the price was %s", Money{was, p.Price.Currency})
		}
	}
	return found
}

func (r *Rules) lookAtLink(raw string) []Reason {
	if len(r.Domains) == 0 || LinkOf(raw) != LinkURL {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil // Validate refused it
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	for _, d := range r.Domains {
		if d = strings.ToLower(d); host == d || strings.HasSuffix(host, "."+d) {
			return nil
		}
	}
	return []Reason{{"domain", fieldURL, fmt.Sprintf("the link leads to %s, which is not one of the shop's domains", host)}}
}
