// Package mall ties a store to a mall elsewhere: links that carry where a buyer came from, and reports of the orders that
// were made there, so that statistics stay whole. It speaks no HTTP itself.
package mall

import (
	"net/url"
	"strconv"

	"github.com/vitrine-live/vitrine/commerce"
)

// The parameters of a link, beside its own.
const (
	paramClick    = "vt_click" // signed by this server: what a mall needs to keep and report
	paramShow     = "vt_show"
	paramPin      = "vt_pin"
	paramShowTime = "vt_t" // milliseconds of the show
	paramVia      = "vt_via"
	paramShare    = "vt_share"
	paramChannel  = "vt_channel"
)

// Link adds the attribution and the click's id to an address of a product, which is valid. What does not fit into
// commerce.MaxURL bytes is left out, the click's id last: it holds all the others.
func Link(address, clickID string, a commerce.Attribution) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	q := u.Query()
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		} else {
			q.Del(name)
		}
	}
	set(paramClick, clickID)
	set(paramShow, a.ShowID)
	set(paramPin, a.PinID)
	set(paramVia, string(a.Source))
	set(paramShare, a.ShareCode)
	set(paramChannel, a.Channel)
	set(paramShowTime, "")
	if a.ShowID != "" {
		set(paramShowTime, strconv.FormatInt(a.ShowTimeMS, 10))
	}
	for _, name := range []string{"", paramChannel, paramShare, paramVia, paramShowTime, paramPin, paramShow, paramClick} {
		q.Del(name)
		u.RawQuery = q.Encode()
		if len(u.String()) <= commerce.MaxURL {
			return u.String()
		}
	}
	return address
}
