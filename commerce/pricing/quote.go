package pricing

import "time"

// Source says where the price of a line comes from.
type Source string

// The sources of a price, the strongest first: a flash sale goes before a show's price, a show's price before the list.
const (
	FlashPrice Source = "flash"
	ShowPrice  Source = "show"
	ListPrice  Source = "list"
)

// Special is a price beside the list price that may hold for a line.
type Special struct {
	Ref  string // the flash sale or the show price
	Unit int64  // minor units a piece
	// Limit is how many more pieces this buyer may have at this price; negative: any number.
	Limit int64
}

// Line is one SKU of a cart.
type Line struct {
	SKU       string
	ProductID string
	Quantity  int64 // at least 1
	List      int64 // minor units a piece
	Show      *Special
	Flash     *Special
}

// Coupon is one that the buyer has claimed.
type Coupon struct {
	ClaimID  string
	CouponID string
	Title    string
	Currency string // of its amounts; empty: the cart's
	// Amount is taken off, or Percent (in hundredths of a percent: 1500 is 15 % off) at most MaxOff (0: no cap). One of
	// Amount and Percent is set.
	Amount   int64
	Percent  int64
	MaxOff   int64
	MinSpend int64    // of the lines in scope, before coupons
	Products []string // scope; empty: all of the store
	// Stacks tells whether it may be used together with others: StacksNone: alone; StacksOther: with coupons of other
	// campaigns that stack too, one of each.
	Stacks     string
	ValidFrom  time.Time
	ValidUntil time.Time
	// Refused says that it cannot be used whatever the cart: Spent or Unknown. Empty: it can.
	Refused Code
}

// Input is a cart with all that may make it cheaper.
type Input struct {
	Currency string
	Lines    []Line
	Coupons  []Coupon // those the buyer asked for, or all the buyer has when Best
	// Best asks for the combination that saves most instead of all that were asked for.
	Best bool
	Now  time.Time
}

// QuotedLine is a line with its price. Amount == Unit*Quantity; Off is the line's share of the coupons; a line whose
// quantity exceeds a special price's limit is refused as a whole, with a Rejection.
type QuotedLine struct {
	SKU       string
	ProductID string
	Quantity  int64
	Source    Source
	Ref       string
	Unit      int64
	List      int64
	Amount    int64
	Off       int64 // 0 to Amount; over all lines it sums to the quote's Off
}

// Applied is a coupon that takes part.
type Applied struct {
	ClaimID  string
	CouponID string
	Title    string
	Off      int64
}

// Rejection says what does not hold and why.
type Rejection struct {
	ClaimID string // the coupon, or
	SKU     string // the line
	Code    Code
	Message string // what to do about it
	// Need is what would mend it: minor units still to be spent (TooLittle), pieces that may be had (OverLimit); else 0.
	Need int64
}

// Code says why something does not hold, for programs and pages in other languages.
type Code string

// The codes of coupons.
const (
	NotYet      Code = "not_yet"      // its validity has not begun
	Expired     Code = "expired"      // its validity is over
	OutOfScope  Code = "scope"        // no line is of its products
	TooLittle   Code = "min_spend"    // the lines in scope cost less than it asks for
	NoStacking  Code = "stacking"     // it cannot go together with those that are applied
	NothingLeft Code = "nothing_left" // the others take off all there is: it is kept for another order
	Repeated    Code = "repeated"     // the same claim stands in the input twice
	BadTerms    Code = "terms"        // it takes nothing off by its own terms
	BadCurrency Code = "currency"     // it is for carts of another currency
	Spent       Code = "used"         // an order has it
	Unknown     Code = "unknown"      // the buyer has no such coupon
)

// The codes of lines.
const (
	OverLimit   Code = "limit"    // more pieces than the buyer may have at this price
	BadQuantity Code = "quantity" // fewer than 1
	BadAmount   Code = "amount"   // a price below 0, or an amount beyond MaxLineAmount
	TooMany     Code = "lines"    // the cart has more than MaxLines
)

// The values of Coupon.Stacks.
const (
	StacksNone  = "none"
	StacksOther = "other"
)

// The largest cart that is priced. Within these no sum leaves 64 bits.
const (
	MaxLines            = 1000
	MaxLineAmount int64 = 1_000_000_000_000_000 // minor units
)

// Quote is what a cart costs: Total == Subtotal - Off, at least 0.
type Quote struct {
	Currency string
	Lines    []QuotedLine
	Subtotal int64
	Off      int64
	Total    int64
	Applied  []Applied
	Rejected []Rejection
}
