package commerce

import "time"

// AuditState says whether a product may be shown and sold.
type AuditState string

// The states of the audit.
const (
	Approved AuditState = "approved" // by the rules, or by a person
	Flagged  AuditState = "flagged"  // a rule found something: a person decides
	Rejected AuditState = "rejected" // a person decided against it
)

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
	Field  string `json:"field"` // "title", "points", "price", "images" or "url"
	Detail string `json:"detail"`
}
