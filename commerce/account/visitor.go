package account

import (
	"context"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// VisitorTTL is how long a visitor is remembered after the token was made.
const VisitorTTL = 365 * 24 * time.Hour

const visitorIssuer = "vitrine"

// Visitors makes and checks the tokens of anonymous viewers: JSON Web Tokens (RFC 7519) signed with this server's own
// secret (HS256). Safe for concurrent use.
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

// New returns a viewer nobody knows anything of, and the token that proves to be them.
func (v *Visitors) New() (Viewer, string, error) {
	viewer := Viewer{ID: "visitor:" + ids.New("vis")}
	at := v.now()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Issuer: visitorIssuer, Subject: viewer.ID, IssuedAt: jwt.NewNumericDate(at), ExpiresAt: jwt.NewNumericDate(at.Add(VisitorTTL)),
	}).SignedString(v.secret)
	return viewer, token, err
}

// Viewer returns whose token it is. Unauthorized: it is not one of this server, or it has expired.
func (v *Visitors) Viewer(_ context.Context, token string) (Viewer, error) {
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return v.secret, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer(visitorIssuer), jwt.WithExpirationRequired(), jwt.WithTimeFunc(v.now))
	if err != nil {
		return Viewer{}, errs.As(errs.Unauthorized, "account.Viewer", err, "the viewer token is not valid any more: ask for a new one")
	}
	return Viewer{ID: claims.Subject}, nil
}
