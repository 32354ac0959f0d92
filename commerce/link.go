package commerce

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// MiniProgramScheme marks a link that opens a mini-program page instead of a web page:
//
//	weapp:/pages/goods/detail?id=1                       a page of the mini-program that shows the product
//	weapp://wx0123456789abcdef/pages/goods/detail?id=1   a page of another mini-program, by its app id
//
// A web page that meets one shows the product without a link.
const MiniProgramScheme = "weapp"

// LinkKind says what the card of a product leads to.
type LinkKind string

// The kinds of links.
const (
	LinkCheckout    LinkKind = "checkout"     // it is bought here
	LinkURL         LinkKind = "url"          // a web page sells it
	LinkMiniProgram LinkKind = "mini_program" // a page of a mini-program sells it
	LinkNone        LinkKind = "none"         // it is only shown
)

// LinkOf is the kind of an address, which is valid. What has none is bought here.
func LinkOf(raw string) LinkKind {
	switch {
	case raw == "":
		return LinkCheckout
	case strings.HasPrefix(raw, MiniProgramScheme+":"):
		return LinkMiniProgram
	}
	return LinkURL
}

// MiniProgram splits the address of a mini-program's page: its app id (empty: the one that shows the product) and the
// path with its query. ok is false for other addresses.
func MiniProgram(raw string) (appID, path string, ok bool) {
	u, parsed := parseLink(raw)
	if !parsed || !isMiniProgram(u) {
		return "", "", false
	}
	return u.Host, u.RequestURI(), true
}

func (p *Product) checkLink(op string) error {
	if err := CheckURL(p.URL); err != nil {
		return err
	}
	switch p.Link {
	case LinkCheckout, LinkNone:
		if p.URL != "" {
			return errs.Field(op, "url", "a product that is bought here or only shown has no address: leave it empty, or leave link out")
		}
	case LinkURL, LinkMiniProgram:
		if p.URL == "" || LinkOf(p.URL) != p.Link {
			return errs.Field(op, "url", "the address does not fit the link %q", p.Link)
		}
	default:
		return errs.Field(op, "link", "the link is checkout, url, mini_program or none")
	}
	return nil
}

// CheckURL checks where a product leads: empty, an absolute http or https address, or a mini-program path (see
// MiniProgramScheme). The error is Invalid and names the field "url".
func CheckURL(raw string) error {
	const op = "commerce.CheckURL"
	if raw == "" {
		return nil
	}
	u, ok := parseLink(raw)
	if !ok || (!isWeb(u) && !isMiniProgram(u)) {
		return errs.Field(op, "url", "the link must be an http(s) address or a mini-program path such as %s:/pages/detail?id=1, at most %d bytes",
			MiniProgramScheme, MaxURL)
	}
	return nil
}

// CheckImageURL checks where a product's picture is: empty, an absolute http or https address, or a path on this site
// that starts with one slash. The error is Invalid and names the field "images".
func CheckImageURL(raw string) error {
	const op = "commerce.CheckImageURL"
	if raw == "" {
		return nil
	}
	u, ok := parseLink(raw)
	if !ok || (!isWeb(u) && !isSitePath(u)) {
		return errs.Field(op, "images", "the image must be an http(s) address or a path on this site that starts with /, at most %d bytes", MaxURL)
	}
	return nil
}

// parseLink parses raw unless it holds what browsers read otherwise than net/url: they drop control characters and
// spaces and take a backslash for a slash.
func parseLink(raw string) (*url.URL, bool) {
	bad := func(r rune) bool { return r == '\\' || unicode.IsControl(r) || unicode.IsSpace(r) }
	if len(raw) > MaxURL || !utf8.ValidString(raw) || strings.ContainsFunc(raw, bad) {
		return nil, false
	}
	u, err := url.Parse(raw)
	return u, err == nil
}

// isWeb refuses credentials in the address, which serve only to disguise the host.
func isWeb(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil
}

func isMiniProgram(u *url.URL) bool {
	return u.Scheme == MiniProgramScheme && u.Opaque == "" && u.User == nil && u.Port() == "" && len(u.Path) > 1
}

func isSitePath(u *url.URL) bool {
	return u.Scheme == "" && u.Host == "" && u.User == nil && strings.HasPrefix(u.Path, "/") &&
		!strings.HasPrefix(u.Path, "//")
}
