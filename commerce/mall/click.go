package mall

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// ClickTTL is how long an order may follow a click.
const ClickTTL = 30 * 24 * time.Hour

const (
	clickPrefix = "vtc1_"
	macBytes    = 16
	maxClickID  = 1024
	maxName     = 64 // characters of each part of an attribution
)

// Click is a viewer going to a mall to buy a product.
type Click struct {
	StoreID   string
	ProductID string
	At        time.Time
	commerce.Attribution
}

// Clicks signs clicks. A click's id holds the whole click: nothing needs to be kept until it comes back with an order, and
// a buyer who edits the address cannot change where the order is counted. Safe for concurrent use.
type Clicks struct{ secret []byte }

// NewClicks makes Clicks over a secret of this server, at least 32 bytes.
func NewClicks(secret []byte) *Clicks { return &Clicks{secret} }

// wire is a click as its id holds it, in an order that never changes.
type wire [9]any

// ID is the click's name.
func (c *Clicks) ID(k Click) string {
	doc, err := json.Marshal(wire{
		k.StoreID, k.ProductID, k.At.Unix(), k.ShowID, k.PinID, k.ShowTimeMS, string(k.Source), k.ShareCode, k.Channel,
	})
	if err != nil {
		return "" // strings and numbers always can
	}
	payload := base64.RawURLEncoding.EncodeToString(doc)
	return clickPrefix + payload + "." + base64.RawURLEncoding.EncodeToString(c.mac(payload))
}

func (c *Clicks) mac(payload string) []byte {
	h := hmac.New(sha256.New, c.secret)
	h.Write([]byte(clickPrefix + payload))
	return h.Sum(nil)[:macBytes]
}

// Read returns the click with an id. Invalid: this server did not sign it; Conflict: an order comes too long after it, or
// before it.
func (c *Clicks) Read(id string, ordered time.Time) (Click, error) {
	const op = "mall.Read"
	wrong := errs.New(errs.Invalid, op, "it is no click of this server")
	rest, ours := strings.CutPrefix(id, clickPrefix)
	payload, signature, ok := strings.Cut(rest, ".")
	got, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if !ours || !ok || len(id) > maxClickID || err != nil || !hmac.Equal(got, c.mac(payload)) {
		return Click{}, wrong
	}
	k, err := readClick(payload)
	if err != nil {
		return Click{}, wrong
	}
	if ordered.Before(k.At.Add(-clockSlack)) || ordered.After(k.At.Add(ClickTTL)) {
		return Click{}, errs.New(errs.Conflict, op, "the click is from %s, and the order is not within %d days after it", k.At.Format(time.RFC3339), int(ClickTTL.Hours())/24)
	}
	return k, nil
}

// readClick reads what was signed here.
func readClick(payload string) (k Click, err error) {
	doc, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return k, err
	}
	var at int64
	err = json.Unmarshal(doc, &wire{&k.StoreID, &k.ProductID, &at, &k.ShowID, &k.PinID, &k.ShowTimeMS, &k.Source, &k.ShareCode, &k.Channel})
	k.At = time.Unix(at, 0).UTC()
	return k, err
}

// Tidy makes an attribution that a page says one that can be kept: unknown sources are external ones, and what is too long
// or not plain text is dropped.
func Tidy(a commerce.Attribution) commerce.Attribution {
	for _, s := range []*string{&a.ShowID, &a.PinID, &a.ShareCode, &a.Channel} {
		if utf8.RuneCountInString(*s) > maxName || !utf8.ValidString(*s) || strings.ContainsFunc(*s, unicode.IsControl) {
			*s = ""
		}
	}
	if !a.Source.Valid() {
		a.Source = commerce.SourceExternal
	}
	if a.ShowID == "" || a.ShowTimeMS < 0 {
		a.ShowTimeMS = 0
	}
	return a
}
