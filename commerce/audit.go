package commerce

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// AuditState says whether a product may be shown and sold.
type AuditState string

// The states of the audit.
const (
	Approved AuditState = "approved" // by the rules, or by a person
	Flagged  AuditState = "flagged"  // a rule found something: a person decides
	Rejected AuditState = "rejected" // a person decided against it
)

// MaxNote is the most characters that a decision may be explained in.
const MaxNote = 500

// Audit is what the rules and those who looked after them say of a product.
type Audit struct {
	State   AuditState
	Reasons []Reason  // why it is flagged
	Note    string    // of the person who decided last
	By      string    // who that was
	At      time.Time // when; zero: nobody had to
	// Prices are those last approved, by SKU: a new price is compared with them.
	Prices map[string]int64
}

// Reason is one thing that a rule found.
type Reason struct {
	Rule   string `json:"rule"`  // such as "claim"; see docs/catalogue.md
	Field  string `json:"field"` // see the Field constants; empty: the product as a whole
	Detail string `json:"detail"`
}

// The fields that rules look at. Changing another one asks nobody again.
const (
	fieldTitle      = "title"
	fieldPoints     = "points"
	fieldAttributes = "attributes"
	fieldPrice      = "price"
	fieldImages     = "images"
	fieldURL        = "url"
)

// ruleRejected marks a product that was changed after a person rejected it: a person looks again.
const ruleRejected = "changed_after_rejection"

// audit runs the rules over what a change touches. What was found in other fields stays found, and what a person approved
// in them stays approved. before is the product as it was; nil: it is new.
func (c *Catalogue) audit(p, before *Product) {
	changed := changedFields(p, before)
	if len(changed) == 0 {
		return
	}
	reasons := slices.DeleteFunc(slices.Clone(p.Audit.Reasons), func(r Reason) bool { return changed[r.Field] })
	reasons = append(reasons, c.rules.look(p, changed)...)
	if p.Audit.State == Rejected {
		reasons = append(reasons, Reason{Rule: ruleRejected, Detail: "it was rejected: " + p.Audit.Note})
	}
	p.Audit.Reasons, p.Audit.State = nil, Approved
	if len(reasons) > 0 {
		p.Audit.Reasons, p.Audit.State = reasons, Flagged
		return
	}
	p.Audit.Prices = p.prices()
}

// changedFields are the fields that rules look at and that differ from before; all of a new product.
func changedFields(p, before *Product) map[string]bool {
	if before == nil {
		return map[string]bool{fieldTitle: true, fieldPoints: true, fieldAttributes: true, fieldPrice: true, fieldImages: true, fieldURL: true}
	}
	changed := map[string]bool{}
	note := func(field string, differs bool) {
		if differs {
			changed[field] = true
		}
	}
	note(fieldTitle, p.Title != before.Title)
	note(fieldPoints, !slices.Equal(p.Points, before.Points))
	note(fieldAttributes, p.words() != before.words())
	note(fieldPrice, p.Price.Currency != before.Price.Currency || !slices.EqualFunc(p.SKUs, before.SKUs, func(a, b SKU) bool {
		return a.ID == b.ID && a.Price == b.Price && a.Original == b.Original
	}))
	note(fieldImages, (len(p.Images) == 0) != (len(before.Images) == 0) || p.Link != before.Link)
	note(fieldURL, p.URL != before.URL)
	return changed
}

// words is all that the SKUs' attributes say.
func (p *Product) words() string {
	var all []string
	for i := range p.SKUs {
		for _, a := range p.SKUs[i].Attributes {
			all = append(all, a.Name, a.Value)
		}
	}
	return strings.Join(all, "\n")
}

func (p *Product) prices() map[string]int64 {
	prices := make(map[string]int64, len(p.SKUs))
	for i := range p.SKUs {
		prices[p.SKUs[i].ID] = p.SKUs[i].Price
	}
	return prices
}

// Decision is what a person says of a product.
type Decision struct {
	Approve bool
	Note    string // at most MaxNote characters; a rejection needs one
	By      string // who decides
	// Seen is the UpdatedAt of the product as it was looked at; zero: as it is.
	Seen time.Time
}

// Decide approves or rejects a product of a store, and returns it as it is now. NotFound; Conflict: it changed since it
// was looked at; Invalid names "note".
func (c *Catalogue) Decide(ctx context.Context, storeID, id string, d Decision) (Product, error) {
	const op = "commerce.Decide"
	d.Note = strings.TrimSpace(d.Note)
	if err := checkText(op, "note", d.Note, MaxNote); err != nil {
		return Product{}, err
	}
	if !d.Approve && d.Note == "" {
		return Product{}, errs.Field(op, "note", "say why it is rejected, so that it can be mended")
	}
	p, err := c.store.UpdateProduct(ctx, storeID, id, func(p *Product) error {
		if !d.Seen.IsZero() && !d.Seen.Equal(p.UpdatedAt) {
			return errs.New(errs.Conflict, op, "the product was changed after you looked at it: look again")
		}
		p.Audit.Note, p.Audit.By, p.Audit.At, p.Audit.Reasons = d.Note, d.By, c.instant(), nil
		p.Audit.State = Rejected
		if d.Approve {
			p.Audit.State, p.Audit.Prices = Approved, p.prices()
		}
		return nil
	})
	return p, errs.Wrap(op, err)
}

// showable returns a Conflict that says what to do when the product may not be shown.
func (p *Product) showable(op string) error {
	switch p.Audit.State {
	case Approved:
		return nil
	case Rejected:
		return errs.New(errs.Conflict, op, "the product was rejected (%s): change it, and it will be looked at again", p.Audit.Note)
	}
	details := make([]string, len(p.Audit.Reasons))
	for i, r := range p.Audit.Reasons {
		details[i] = r.Detail
	}
	return errs.New(errs.Conflict, op, "the product waits in the audit queue: %s. Change it, or have it approved there", strings.Join(details, "; "))
}
