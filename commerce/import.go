package commerce

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// MaxRowErrors is how many errors of an import are told; more are only counted.
const MaxRowErrors = 200

// Imported is a product as a file tells of it. What is nil was not told: it stays as it is, or is left out of a new one.
type Imported struct {
	Row      int    // where the file tells of it, counted from 1
	ID       string // of the product that it changes; empty: the one whose SKU has a code of these SKUs, or a new one
	Title    *string
	Points   *[]string
	Images   *[]string
	Currency *string
	Display  *Display
	URL      *string
	Link     *LinkKind
	// Stock is what is shown of a product that is not bought here; HideStock shows none.
	Stock     *int64
	HideStock bool
	SKUs      []ImportedSKU // those that the product has and that are not told of stay
}

// ImportedSKU is a SKU as a file tells of it. One that the product has is found by its ID, its code or its attributes; the
// only SKU of a product is found by none.
type ImportedSKU struct {
	Row        int
	ID         string
	Code       *string
	Attributes *[]Attribute
	Price      *Amount
	Original   *Amount
	PerBuyer   *int64
	Tracked    *bool
	Total      *int64 // pieces in all, sold ones included
}

// Amount is an amount of money of a currency that is told elsewhere: Decimal in major units where it is not empty, else
// Minor.
type Amount struct {
	Minor   int64
	Decimal string
}

func (a *Amount) in(currency string) (int64, error) {
	if a.Decimal == "" {
		return a.Minor, nil
	}
	return ParseDecimal(a.Decimal, currency)
}

// RowError is what is wrong in one place of a file.
type RowError struct {
	Row     int    `json:"row"`
	Column  string `json:"column"`
	Message string `json:"message"`
}

// Error renders it for a log line.
func (e *RowError) Error() string { return fmt.Sprintf("row %d, %s: %s", e.Row, e.Column, e.Message) }

// ImportPlan is what an import does, all of it or nothing.
type ImportPlan struct {
	StoreID string
	Creates []PlannedCreate
	Updates []PlannedUpdate
	Valid   int        // rows of products without an error
	Errors  []RowError // the first MaxRowErrors
	Failed  int        // how many there are
}

// PlannedCreate is a product to be made.
type PlannedCreate struct {
	Row     int
	Product Product
}

// PlannedUpdate is a product to be changed: first by Change, then its pieces.
type PlannedUpdate struct {
	Row    int
	ID     string
	Change func(*Product) error
	Stock  []StockChange // in the order of the SKUs' ids
}

func (p *ImportPlan) wrong(wrong ...RowError) {
	p.Failed += len(wrong)
	if room := MaxRowErrors - len(p.Errors); room > 0 {
		p.Errors = append(p.Errors, wrong[:min(room, len(wrong))]...)
	}
}

// AtRow says where in a file an error that a person can mend came from; other errors stay as they are.
func AtRow(op string, row int, err error) error {
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Conflict, errs.NotFound:
		at := rowError(row, err)
		return errs.As(errs.KindOf(err), op, &at, "%s", at.Error())
	}
	return err
}

func rowError(row int, err error) RowError {
	return RowError{Row: row, Column: columnOf(errs.FieldOf(err)), Message: errs.MessageOf(err)}
}

// columnOf is the column of a file that a field is in.
func columnOf(field string) string {
	if field == "stock" {
		return "stock_total"
	}
	return field
}

// planner makes a plan of what a file tells.
type planner struct {
	c        *Catalogue
	plan     *ImportPlan
	currency string
	products map[string]Product // that the file may mean, by id
	owners   map[string]string  // of codes: the product
	seen     map[string]int     // rows of products that were told of, by id
	codes    map[string]int     // rows of codes that were told
}

// PlanImport looks at all that a file tells, changing nothing. What is wrong is in the plan; an error says that the
// looking failed.
func (c *Catalogue) PlanImport(ctx context.Context, storeID string, items []Imported) (*ImportPlan, error) {
	const op = "commerce.PlanImport"
	currency, err := c.store.StoreCurrency(ctx, storeID)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	p := &planner{c: c, plan: &ImportPlan{StoreID: storeID}, currency: currency, seen: map[string]int{}, codes: map[string]int{}}
	if err := p.find(ctx, items); err != nil {
		return nil, errs.Wrap(op, err)
	}
	for _, item := range p.fold(items) {
		if wrong := p.take(&item); len(wrong) > 0 {
			p.plan.wrong(wrong...)
		} else {
			p.plan.Valid += max(1, len(item.SKUs))
		}
	}
	return p.plan, nil
}

// fold makes one of items that tell nothing but SKUs of the same product, which a list of codes and prices does.
func (p *planner) fold(items []Imported) []Imported {
	var all []Imported
	at := map[string]int{}
	for _, item := range items {
		owner := ""
		if item.skusAlone() && item.SKUs[0].Code != nil {
			owner = p.owners[*item.SKUs[0].Code]
		}
		if place, ok := at[owner]; ok && owner != "" {
			all[place].SKUs = append(all[place].SKUs, item.SKUs...)
			continue
		}
		at[owner] = len(all)
		all = append(all, item)
	}
	return all
}

func (item *Imported) skusAlone() bool {
	return item.ID == "" && item.Title == nil && item.Points == nil && item.Images == nil && item.Currency == nil && item.Display == nil && item.URL == nil &&
		item.Link == nil && item.Stock == nil && !item.HideStock && len(item.SKUs) > 0
}

func (p *planner) find(ctx context.Context, items []Imported) (err error) {
	var products, codes []string
	for i := range items {
		if items[i].ID != "" {
			products = append(products, items[i].ID)
		}
		for j := range items[i].SKUs {
			if code := items[i].SKUs[j].Code; code != nil && *code != "" {
				codes = append(codes, *code)
			}
		}
	}
	p.products, p.owners, err = p.c.store.ImportTargets(ctx, p.plan.StoreID, products, codes)
	return err
}

// take plans what becomes of one product.
func (p *planner) take(item *Imported) []RowError {
	id, wrong := p.target(item)
	if len(wrong) > 0 {
		return wrong
	}
	if id == "" {
		return p.create(item)
	}
	return p.update(id, item)
}

// target is the product that an item means, "" for a new one.
func (p *planner) target(item *Imported) (id string, wrong []RowError) {
	id = item.ID
	if _, ok := p.products[id]; id != "" && !ok {
		return "", []RowError{{item.Row, "product_id", fmt.Sprintf("the store has no product %s; leave it empty for a new one", id)}}
	}
	for i := range item.SKUs {
		s := &item.SKUs[i]
		if s.Code == nil || *s.Code == "" {
			continue
		}
		if row, twice := p.codes[*s.Code]; twice {
			wrong = append(wrong, RowError{s.Row, "code", fmt.Sprintf("the code %q stands in row %d already", *s.Code, row)})
			continue
		}
		p.codes[*s.Code] = s.Row
		owner := p.owners[*s.Code]
		if id == "" {
			id = owner
		} else if owner != "" && owner != id {
			wrong = append(wrong, RowError{s.Row, "code", fmt.Sprintf("the code %q is another product's, %s", *s.Code, owner)})
		}
	}
	if row, twice := p.seen[id]; twice && id != "" {
		return "", append(wrong, RowError{item.Row, "product_id", fmt.Sprintf("row %d tells of the same product", row)})
	}
	p.seen[id] = item.Row
	return id, wrong
}

func (p *planner) create(item *Imported) []RowError {
	product := Product{StoreID: p.plan.StoreID, Price: Money{Currency: p.currency}, Link: LinkCheckout}
	if wrong := item.merge(&product); len(wrong) > 0 {
		return wrong
	}
	product.ID, product.CreatedAt = ids.New("prod"), p.c.instant()
	if err := p.c.settle(&product, nil, nil); err != nil {
		return []RowError{rowError(item.Row, err)}
	}
	p.plan.Creates = append(p.plan.Creates, PlannedCreate{item.Row, product})
	return nil
}

func (p *planner) update(id string, item *Imported) []RowError {
	change := func(product *Product) error {
		before := product.clone()
		if wrong := item.merge(product); len(wrong) > 0 {
			return errs.As(errs.Invalid, "commerce.Import", &wrong[0], "%s", wrong[0].Error())
		}
		return p.c.settle(product, &before, nil)
	}
	product := p.products[id]
	trial := product.clone()
	if wrong := item.merge(&trial); len(wrong) > 0 {
		return wrong
	}
	stock := item.stockChanges(&product, &trial)
	if err := p.c.settle(&trial, &product, nil); err != nil {
		return []RowError{rowError(item.Row, err)}
	}
	p.plan.Updates = append(p.plan.Updates, PlannedUpdate{item.Row, id, change, stock})
	return nil
}

// merge changes a product as the file tells.
func (item *Imported) merge(p *Product) []RowError {
	u := ProductUpdate{Title: item.Title, Points: item.Points, Images: item.Images, Currency: item.Currency, Display: item.Display, URL: item.URL, Link: item.Link}
	if err := u.apply(p); err != nil {
		return []RowError{rowError(item.Row, err)}
	}
	if p.Link != LinkCheckout {
		if item.HideStock {
			p.Stock = nil
		}
		if item.Stock != nil {
			p.Stock = item.Stock
		}
	}
	var wrong []RowError
	for i := range item.SKUs {
		wrong = append(wrong, item.SKUs[i].merge(p, len(item.SKUs) == 1)...)
	}
	return wrong
}

// find is the place of the SKU that is meant; -1: it is new.
func (s *ImportedSKU) find(p *Product, alone bool) int {
	by := func(same func(*SKU) bool) int {
		return slices.IndexFunc(p.SKUs, func(k SKU) bool { return same(&k) })
	}
	if s.ID != "" {
		return by(func(k *SKU) bool { return k.ID == s.ID })
	}
	if s.Code != nil && *s.Code != "" {
		if at := by(func(k *SKU) bool { return k.Code == *s.Code }); at >= 0 {
			return at
		}
	}
	if s.Attributes != nil && len(*s.Attributes) > 0 {
		want := SKU{Attributes: *s.Attributes}
		return by(func(k *SKU) bool { return k.variant() == want.variant() })
	}
	if alone && len(p.SKUs) == 1 && p.SKUs[0].ID != "" {
		return 0
	}
	return -1
}

// merge changes the product's SKU that is meant, or adds a new one.
func (s *ImportedSKU) merge(p *Product, alone bool) []RowError {
	const op = "commerce.Import"
	at := s.find(p, alone)
	if at < 0 {
		switch {
		case s.ID != "":
			return []RowError{{s.Row, "sku_id", fmt.Sprintf("the product has no SKU %s; leave it empty for a new one", s.ID)}}
		case s.Price == nil:
			return []RowError{{s.Row, "price", "a new SKU needs a price"}}
		}
		p.SKUs = append(p.SKUs, SKU{Tracked: p.Link == LinkCheckout})
		at = len(p.SKUs) - 1
		set(&p.SKUs[at].Total, s.Total)
	}
	k := &p.SKUs[at]
	set(&k.Code, s.Code)
	set(&k.Attributes, s.Attributes)
	set(&k.PerBuyer, s.PerBuyer)
	set(&k.Tracked, s.Tracked)
	var wrong []RowError
	price := func(column string, told *Amount, field *int64) {
		if told == nil {
			return
		}
		minor, err := told.in(p.Price.Currency)
		if err != nil {
			wrong = append(wrong, RowError{s.Row, column, errs.MessageOf(err)})
		}
		*field = minor
	}
	price("price", s.Price, &k.Price)
	price("original_price", s.Original, &k.Original)
	if s.Total != nil && (*s.Total < 0 || *s.Total > MaxStock) {
		wrong = append(wrong, RowError{s.Row, "stock_total", fmt.Sprintf("the stock must be 0 to %d pieces", int64(MaxStock))})
	}
	if err := k.validate(op); err != nil && len(wrong) == 0 {
		wrong = append(wrong, rowError(s.Row, err))
	}
	return wrong
}

// stockChanges are the totals that differ from those of the SKUs that the product has.
func (item *Imported) stockChanges(before, after *Product) []StockChange {
	var changes []StockChange
	for i := range item.SKUs {
		s := &item.SKUs[i]
		at := s.find(before, len(item.SKUs) == 1)
		if at < 0 || s.Total == nil {
			continue
		}
		id := before.SKUs[at].ID
		k := slices.IndexFunc(after.SKUs, func(k SKU) bool { return k.ID == id })
		if k >= 0 && after.SKUs[k].Tracked && *s.Total != before.SKUs[at].Total {
			changes = append(changes, StockChange{SKU: id, Total: s.Total})
		}
	}
	slices.SortFunc(changes, func(a, b StockChange) int { return cmp.Compare(a.SKU, b.SKU) })
	return changes
}

// Each calls fn with each product of a store and its SKUs, newest first, until it fails. What changes meanwhile is told
// as it is or as it was.
func (c *Catalogue) Each(ctx context.Context, storeID string, fn func(*Product) error) error {
	f := ProductFilter{StoreID: storeID, Limit: MaxPage}
	for {
		page, err := c.List(ctx, f)
		if err != nil {
			return errs.Wrap("commerce.Each", err)
		}
		for i := range page.Products {
			if err := fn(&page.Products[i]); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		f.Cursor = page.Next
	}
}
