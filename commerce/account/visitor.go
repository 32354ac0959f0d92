package account

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// VisitorTTL is how long a visitor is remembered after the token was made.
const VisitorTTL = 365 * 24 * time.Hour

// zeroWidthJoiner makes one picture of several emoji.
const zeroWidthJoiner = '\u200d'

// maxViewerName is the longest name of a viewer, in characters.
const maxViewerName = 40

const visitorIssuer = "vitrine"

// Visitors makes and checks the tokens of viewers whom this server itself vouches for, anonymous or known to WeChat: JSON
// Web Tokens (RFC 7519) signed with this server's own secret (HS256). Safe for concurrent use.
type Visitors struct {
	secret []byte
	now    func() time.Time
}

// NewVisitors makes Visitors over a secret of at least 32 bytes. nil stands for time.Now.
func NewVisitors(secret []byte, now func() time.Time) *Visitors {
	if now == nil {
		now = time.Now
	}
	return &Visitors{secret: secret, now: now}
}

// viewerClaims are what the token of a viewer says.
type viewerClaims struct {
	jwt.RegisteredClaims
	Name   string `json:"name,omitempty"`
	Avatar string `json:"avatar,omitempty"`
}

// New returns a viewer nobody knows anything of, and the token that proves to be them.
func (v *Visitors) New() (Viewer, string, error) {
	viewer := Viewer{ID: visitorPrefix + ids.New("vis")}
	token, _, err := v.Token(viewer)
	return viewer, token, err
}

// Token returns a token that proves to be the viewer for VisitorTTL from now on, and when it ends.
func (v *Visitors) Token(viewer Viewer) (token string, until time.Time, err error) {
	at := v.now()
	until = at.Add(VisitorTTL).UTC().Truncate(time.Second)
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, viewerClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: visitorIssuer, Subject: viewer.ID, IssuedAt: jwt.NewNumericDate(at), ExpiresAt: jwt.NewNumericDate(until),
		},
		Name: viewer.Name, Avatar: viewer.Avatar,
	}).SignedString(v.secret)
	return token, until, err
}

// Viewer returns whose token it is. Unauthorized: it is not one of this server, or it has expired.
func (v *Visitors) Viewer(_ context.Context, token string) (Viewer, error) {
	var claims viewerClaims
	_, err := jwt.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return v.secret, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer(visitorIssuer), jwt.WithExpirationRequired(), jwt.WithTimeFunc(v.now))
	if err != nil {
		return Viewer{}, errs.As(errs.Unauthorized, "account.Viewer", err, "the viewer token is not valid any more: ask for a new one")
	}
	viewer := Viewer{ID: claims.Subject, Name: claims.Name, Avatar: claims.Avatar}
	if rest, ok := strings.CutPrefix(viewer.ID, wechatPrefix); ok {
		viewer.AppID, viewer.OpenID, _ = strings.Cut(rest, ":")
	}
	return viewer, nil
}

// What the ids of viewers begin with, by who vouches for them.
const (
	visitorPrefix = "visitor:"
	wechatPrefix  = "wechat:"
	storePrefix   = "jwt:"
)

// WeChatViewer is the user of a mini-program.
func WeChatViewer(appID, openID string) Viewer {
	return Viewer{ID: wechatPrefix + appID + ":" + openID, AppID: appID, OpenID: openID}
}

// Anonymous reports whether nothing is known of the viewer but that it is the same one again.
func (v *Viewer) Anonymous() bool { return strings.HasPrefix(v.ID, visitorPrefix) }

// Named is the viewer under a name of their own choosing. Forbidden: somebody else vouches for the viewer, and the name.
// Invalid names "name".
func (v Viewer) Named(name string) (Viewer, error) {
	const op = "account.Named"
	if v.StoreID != "" {
		return v, errs.New(errs.Forbidden, op, "the store that vouches for you gives you your name")
	}
	name, err := viewerName(op, name)
	if err != nil {
		return v, err
	}
	v.Name = name
	return v, nil
}

// viewerName trims a name and refuses what cannot be shown beside others.
func viewerName(op, name string) (string, error) {
	name = strings.TrimSpace(name)
	unfit := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) && r != zeroWidthJoiner }
	if utf8.RuneCountInString(name) > maxViewerName || strings.ContainsFunc(name, unfit) {
		return "", errs.Field(op, "name", "must have at most %d printable characters", maxViewerName)
	}
	return name, nil
}
