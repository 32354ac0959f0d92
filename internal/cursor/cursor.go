// Package cursor names places in lists that are ordered by an instant and an id, so that clients can ask for what follows
// without knowing how lists are ordered.
package cursor

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Key is a place: that of the thing with this instant (to the millisecond) and id. The zero Key is where a list begins.
type Key struct {
	At time.Time
	ID string
}

// String renders the key for clients; "" for the zero Key.
func (k Key) String() string {
	if k.ID == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(k.At.UnixMilli(), 10) + "." + k.ID))
}

// Parse reads what String rendered. Invalid: it did not.
func Parse(s string) (Key, error) {
	if s == "" {
		return Key{}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(s)
	ms, id, ok := strings.Cut(string(raw), ".")
	at, numErr := strconv.ParseInt(ms, 10, 64)
	if err != nil || numErr != nil || !ok || id == "" {
		return Key{}, errs.Field("cursor.Parse", "after", "it is not where a page of this list ended: leave it out to begin anew")
	}
	return Key{At: time.UnixMilli(at).UTC(), ID: id}, nil
}
