package order

import (
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// MaxLines is how many lines an order holds.
const MaxLines = 50

// MaxQuantity is how many pieces one line may ask for.
const MaxQuantity = 9999

// Order is what a buyer ordered of one store, at the terms of that instant. Amounts are minor units of Currency; Total is
// Subtotal - Off + ShippingFee.
type Order struct {
	ID       string // "ord_…"
	No       string // what people and providers call it, see NewNo
	StoreID  string
	ViewerID string
	Buyer    string // the viewer's name as it is shown; may be empty
	State    State

	Currency    string
	Subtotal    int64
	Off         int64
	ShippingFee int64
	Total       int64
	Refunded    int64 // of Total, what is back with the buyer

	Lines   []Line
	Offers  []Offer
	Address Address
	Remark  string // the buyer's

	Shipping   Shipping
	History    []Entry // oldest first
	Attempts   []Attempt
	Receipts   []Receipt
	Repayments []Repayment

	Provider      string // of the payment that counts
	TransactionID string // of the payment that counts

	// Zero times are unset.
	CreatedAt   time.Time
	UpdatedAt   time.Time
	ExpiresAt   time.Time
	PaidAt      time.Time
	ShippedAt   time.Time
	CompletedAt time.Time
	EndedAt     time.Time // cancelled, expired or refunded
}

// Hold is what an order has of the pieces of a line.
type Hold string

// The holds.
const (
	Held     Hold = "held"     // reserved: nobody else can have them
	Sold     Hold = "sold"     // paid
	Released Hold = "released" // free again
)

// Line is one SKU of an order. Amount is Unit*Quantity; Off is its share of the coupons.
type Line struct {
	N         int // from 1
	SKU       string
	ProductID string
	Quantity  int64
	Unit      int64
	Amount    int64
	Off       int64
	Source    string // where the price came from: "flash", "show" or "list"
	Ref       string // the flash sale or the show price

	PoolID   string // where the pieces came from; empty: nobody counts them
	Hold     Hold
	Returned int64 // sold pieces that are for sale again

	Item        Item
	Attribution commerce.Attribution
}

// Item is what a line showed when it was ordered, and the limits that held.
type Item struct {
	Code       string               `json:"code,omitempty"`
	Title      string               `json:"title"`
	ImageURL   string               `json:"image_url,omitempty"`
	Attributes []commerce.Attribute `json:"attributes,omitempty"`
	List       int64                `json:"list"` // the list price
	// PerBuyer and FlashPerBuyer are how many pieces one buyer may have of the SKU and of the flash sale; 0: any number.
	// The store fills in the latter.
	PerBuyer      int64 `json:"per_buyer,omitempty"`
	FlashPerBuyer int64 `json:"flash_per_buyer,omitempty"`
}

// Offer is a coupon that an order used.
type Offer struct {
	ClaimID  string `json:"claim_id"`
	CouponID string `json:"coupon_id"`
	Title    string `json:"title"`
	Off      int64  `json:"off"`
}

// Shipping is how a parcel travels.
type Shipping struct {
	Carrier string `json:"carrier"`
	Number  string `json:"number"`
	Note    string `json:"note,omitempty"`
}

// NewID returns the id and the number of a new order. The number is the day in UTC and what follows the id's prefix, with 50
// random bits: 24 characters of [0-9a-z], which every provider takes and nobody guesses.
func NewID(at time.Time) (id, no string) {
	id = ids.Ordered("ord", at)
	return id, at.UTC().Format(noDay) + strings.TrimPrefix(id, "ord_")
}

const noDay = "20060102"

// IDOf returns the id of the order with a number; ok is false where no order can have it.
func IDOf(no string) (id string, ok bool) {
	if len(no) <= len(noDay) {
		return "", false
	}
	id = "ord_" + no[len(noDay):]
	return id, ids.Valid("ord", id)
}

// Money is an amount in the order's currency.
func (o *Order) Money(amount int64) commerce.Money {
	return commerce.Money{Amount: amount, Currency: o.Currency}
}
