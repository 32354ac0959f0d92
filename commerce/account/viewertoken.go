package account

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// MaxViewerTokenTTL is how far ahead a viewer token that a store mints may end. A viewer who comes back later gets a new
// one from the store, which may have other things to say by then.
const MaxViewerTokenTTL = 30 * 24 * time.Hour

const (
	viewerTokenLeeway  = time.Minute // clocks of others
	maxViewerTokenSize = 4096        // bytes
	maxSubject         = 128         // bytes
	maxAvatar          = 2048        // bytes
)

// secretStore keeps the secrets with which stores sign viewer tokens.
type secretStore interface {
	// ViewerSecrets returns those that are good at an instant, the newest first; none for an unknown store.
	ViewerSecrets(ctx context.Context, storeID string, at time.Time) ([]string, error)
}

// Viewers tells viewers by their tokens: those of this server, and those that a store's backend or mini-program minted
// with the store's secret. Safe for concurrent use.
type Viewers struct {
	*Visitors
	secrets secretStore
}

// NewViewers makes Viewers.
func NewViewers(visitors *Visitors, secrets secretStore) *Viewers {
	return &Viewers{Visitors: visitors, secrets: secrets}
}

// Viewer returns whose token it is. Unauthorized: nobody vouches for it, or it has ended; the message says what the
// store's developer should look at. Unavailable: the store's secrets cannot be read just now.
func (v *Viewers) Viewer(ctx context.Context, token string) (Viewer, error) {
	const op = "account.Viewer"
	if len(token) > maxViewerTokenSize {
		return Viewer{}, errs.New(errs.Unauthorized, op, "the viewer token is longer than %d bytes", maxViewerTokenSize)
	}
	storeID, err := storeOf(token)
	if err != nil {
		return Viewer{}, err
	}
	if storeID == visitorIssuer {
		return v.Visitors.Viewer(ctx, token)
	}
	secrets, err := v.secrets.ViewerSecrets(ctx, storeID, v.now())
	if err != nil {
		return Viewer{}, errs.Wrap(op, err)
	}
	refused := errs.New(errs.Unauthorized, op, "no store with this id signs viewer tokens: put the store's id into iss or kid, and make a secret for the store")
	for _, secret := range secrets {
		var viewer Viewer
		if viewer, refused = v.minted(storeID, secret, token); refused == nil {
			return viewer, nil
		}
	}
	return Viewer{}, refused
}

// storeOf reads, without believing it, which store a token says it is of: by its iss, or the kid of its header.
func storeOf(token string) (string, error) {
	const op = "account.Viewer"
	var claims jwt.RegisteredClaims
	t, _, err := jwt.NewParser().ParseUnverified(token, &claims)
	if err != nil {
		return "", errs.As(errs.Unauthorized, op, err, "this is no viewer token: a JSON Web Token is expected")
	}
	kid, _ := t.Header["kid"].(string)
	switch {
	case claims.Issuer == "":
		return kid, nil
	case kid != "" && kid != claims.Issuer:
		return "", errs.New(errs.Unauthorized, op, "the viewer token's iss and kid name different stores")
	}
	return claims.Issuer, nil
}

// minted checks a token against one secret of a store.
func (v *Viewers) minted(storeID, secret, token string) (Viewer, error) {
	const op = "account.Viewer"
	var claims viewerClaims
	_, err := jwt.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return []byte(secret), nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired(), jwt.WithTimeFunc(v.now), jwt.WithLeeway(viewerTokenLeeway))
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return Viewer{}, errs.As(errs.Unauthorized, op, err, "the viewer token has expired: have the store make a new one")
	case err != nil:
		return Viewer{}, errs.As(errs.Unauthorized, op, err, "the viewer token is not good: it must be signed (HS256) with the store's secret and carry exp")
	case claims.ExpiresAt.After(v.now().Add(MaxViewerTokenTTL + viewerTokenLeeway)):
		return Viewer{}, errs.New(errs.Unauthorized, op, "the viewer token must end within %d days", int(MaxViewerTokenTTL.Hours()/24))
	}
	return claims.viewer(storeID)
}

// viewer takes over what a store says of its viewer. What cannot be shown is left out; what cannot tell viewers apart is
// refused.
func (c *viewerClaims) viewer(storeID string) (Viewer, error) {
	sub := c.Subject
	if sub == "" || len(sub) > maxSubject || !utf8.ValidString(sub) || strings.ContainsFunc(sub, unicode.IsControl) {
		return Viewer{}, errs.New(errs.Unauthorized, "account.Viewer", "the viewer token's sub must have 1 to %d bytes and no control characters", maxSubject)
	}
	viewer := Viewer{ID: storePrefix + storeID + ":" + sub, StoreID: storeID}
	if name, err := viewerName("account.Viewer", c.Name); err == nil {
		viewer.Name = name
	}
	if u, err := url.Parse(c.Avatar); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && len(c.Avatar) <= maxAvatar {
		viewer.Avatar = c.Avatar
	}
	return viewer, nil
}
