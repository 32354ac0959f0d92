package account

import (
	"context"
	"slices"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// TokenPrefix is what API tokens begin with, so that whoever finds one knows what it is.
const TokenPrefix = "vt"

// Token lets a program work in one store, with permissions of its own.
type Token struct {
	ID        string // "tok_…"
	StoreID   string
	Name      string
	Scopes    []Permission
	CreatedBy string // the id of who made it
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	UsedAt    time.Time // zero: never; written at most once a minute
}

// Principal is the program in a store. ok tells whether it is the token's.
func (t *Token) Principal(storeID string) (p Principal, ok bool) {
	p = Principal{ID: t.ID, Name: t.Name, StoreID: storeID}
	if storeID != t.StoreID {
		return p, false
	}
	p.Permissions = slices.Clone(t.Scopes)
	return p, true
}

// CreateToken makes a token of by's store with some of the permissions that by has, and returns it with its secret, which
// is shown this once. The zero time stands for no end. Invalid names the field; Forbidden: by lacks one of the scopes.
func (p *People) CreateToken(ctx context.Context, by Principal, name string, scopes []Permission, until time.Time) (Token, string, error) {
	const op = "account.CreateToken"
	name, err := title(op, "name", name)
	if err != nil {
		return Token{}, "", err
	}
	if err := checkScopes(op, by, scopes); err != nil {
		return Token{}, "", err
	}
	at := p.instant()
	if !until.IsZero() && !until.After(at) {
		return Token{}, "", errs.Field(op, "expires_at", "must be in the future")
	}
	t := Token{ID: ids.New("tok"), StoreID: by.StoreID, Name: name, Scopes: sortedScopes(scopes), CreatedBy: by.ID, CreatedAt: at}
	if !until.IsZero() {
		t.ExpiresAt = until.UTC().Truncate(time.Millisecond)
	}
	secret := ids.Secret(TokenPrefix)
	return t, secret, errs.Wrap(op, p.store.CreateToken(ctx, t, hashOf(secret)))
}

func checkScopes(op string, by Principal, scopes []Permission) error {
	if len(scopes) == 0 {
		return errs.Field(op, "scopes", "at least one permission is needed")
	}
	for _, s := range scopes {
		if !slices.Contains(Permissions, s) {
			return errs.Field(op, "scopes", "there is no permission %q; there are %v", s, Permissions)
		}
	}
	if !by.covers(scopes) {
		return errs.New(errs.Forbidden, op, "you cannot give a permission that you do not have")
	}
	return nil
}

// sortedScopes lists each scope once, in the order of Permissions.
func sortedScopes(scopes []Permission) []Permission {
	return slices.DeleteFunc(slices.Clone(Permissions), func(p Permission) bool { return !slices.Contains(scopes, p) })
}

// Tokens lists the tokens of a store that have not been revoked, oldest first, those after the one named.
func (p *People) Tokens(ctx context.Context, storeID, after string, limit int) ([]Token, error) {
	return p.store.Tokens(ctx, storeID, after, limit)
}

// RevokeToken makes a token worthless from the next request on. NotFound: the store has no such token.
func (p *People) RevokeToken(ctx context.Context, storeID, id string) error {
	return errs.Wrap("account.RevokeToken", p.store.DeleteToken(ctx, storeID, id))
}

// Token returns the token of a secret. Unauthorized: it was revoked, has ended, or never was.
func (p *People) Token(ctx context.Context, secret string) (Token, error) {
	const op = "account.Token"
	at := p.instant()
	t, err := p.store.TokenByHash(ctx, hashOf(secret), at)
	if errs.KindOf(err) == errs.NotFound {
		return Token{}, errs.New(errs.Unauthorized, op, "the API token is not known: it was revoked, or its time is over")
	} else if err != nil {
		return Token{}, errs.Wrap(op, err)
	}
	if at.Sub(t.UsedAt) >= touchAfter {
		t.UsedAt = at
		err = p.store.TouchToken(ctx, t.ID, at)
	}
	return t, errs.Wrap(op, err)
}
