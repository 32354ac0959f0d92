package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"slices"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// Config is how people prove who they are. The zero value of each field stands for its default.
type Config struct {
	// SessionIdle is how long a session lasts after it was last used; 0: 7 days.
	SessionIdle time.Duration
	// SessionMax is how long a session lasts however much it is used; 0: 90 days.
	SessionMax time.Duration
	// InvitationTTL is how long a link to set a password lasts; 0: 72 hours.
	InvitationTTL time.Duration
	// Password is what a look at a password costs; zero: DefaultPasswordCost.
	Password PasswordCost
}

// Validate reports what cannot work.
func (c *Config) Validate() error {
	if c.SessionIdle < 0 || c.SessionIdle > 0 && c.SessionIdle < 5*time.Minute {
		return errors.New("session: must be at least 5m")
	}
	if c.SessionMax < 0 || c.SessionMax > 0 && c.SessionMax < c.SessionIdle {
		return errors.New("session_max: must not be shorter than session")
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.SessionIdle == 0 {
		c.SessionIdle = 7 * 24 * time.Hour
	}
	if c.SessionMax == 0 {
		c.SessionMax = max(90*24*time.Hour, c.SessionIdle)
	}
	if c.InvitationTTL == 0 {
		c.InvitationTTL = 72 * time.Hour
	}
	return c
}

// People is the service for merchants, stores and those who work there. Safe for concurrent use.
type People struct {
	cfg       Config
	store     peopleStore
	now       func() time.Time
	passwords *passwords
	accounts  *attempts // failures by name
	networks  *attempts // failures by network
}

// NewPeople makes People over a store. nil stands for time.Now.
func NewPeople(cfg Config, store peopleStore, now func() time.Time) *People {
	if now == nil {
		now = time.Now
	}
	return &People{
		cfg: cfg.withDefaults(), store: store, now: now, passwords: newPasswords(cfg.Password),
		accounts: newAttempts(10, time.Minute), networks: newAttempts(30, 10*time.Second),
	}
}

// peopleStore keeps people and what they own. Each method is one transaction.
type peopleStore interface {
	CreateMerchant(ctx context.Context, m Merchant) error
	Merchant(ctx context.Context, id string) (Merchant, error)                           // NotFound
	Merchants(ctx context.Context, after string, limit int) ([]Merchant, error)          // oldest first
	CreateStore(ctx context.Context, s Store, ownerID string) error                      // NotFound: merchant; ownerID may be empty
	Store(ctx context.Context, id string) (Store, error)                                 // NotFound
	Stores(ctx context.Context, f StoreFilter, after string, limit int) ([]Store, error) // oldest first
	UpdateStore(ctx context.Context, id string, u StoreUpdate) (Store, error)            // NotFound
	RotateViewerSecret(ctx context.Context, storeID, secret string, at, keep time.Time) error

	// AddStaff lets a person work in a store: a new one, or one of the same merchant whom login and e-mail name; it says
	// which in added. Conflict: the names are another's, or the person works in the store already.
	AddStaff(ctx context.Context, storeID string, s Staff, role Role) (member Member, added bool, err error)
	Members(ctx context.Context, storeID, after string, limit int) ([]Member, error)
	Member(ctx context.Context, storeID, staffID string) (Member, error) // NotFound
	// SetRole and RemoveMember leave each store with an owner: Conflict otherwise.
	SetRole(ctx context.Context, storeID, staffID string, role Role) (Member, error)
	RemoveMember(ctx context.Context, storeID, staffID string) error
	Staff(ctx context.Context, id string) (Staff, error)                // NotFound
	StaffNamed(ctx context.Context, name string) (Staff, error)         // by login or e-mail; NotFound
	Roles(ctx context.Context, staffID string) (map[string]Role, error) // by store

	SetInvitation(ctx context.Context, staffID, hash string, until time.Time) error
	Invited(ctx context.Context, hash string, at time.Time) (Staff, error) // NotFound
	// TakeInvitation sets the password of whom it is for and ends their sessions. NotFound: it was taken or has ended.
	TakeInvitation(ctx context.Context, hash, passwordHash string, at time.Time) error
	// SetPassword replaces was; NotFound: it is another one by now. It ends all sessions if it is to.
	SetPassword(ctx context.Context, staffID, was, passwordHash string, endSessions bool) error

	CreateSession(ctx context.Context, s Session, hash string) error
	SessionByHash(ctx context.Context, hash string, at time.Time) (Session, error) // NotFound
	TouchSession(ctx context.Context, id string, used, until time.Time) error
	Sessions(ctx context.Context, staffID string, at time.Time) ([]Session, error) // newest first
	EndSession(ctx context.Context, staffID, id string) error                      // NotFound

	CreateToken(ctx context.Context, t Token, hash string) error
	TokenByHash(ctx context.Context, hash string, at time.Time) (Token, error) // NotFound
	TouchToken(ctx context.Context, id string, used time.Time) error
	Tokens(ctx context.Context, storeID, after string, limit int) ([]Token, error) // oldest first
	DeleteToken(ctx context.Context, storeID, id string) error                     // NotFound
}

// hashOf is how what is random and secret is kept: a plain hash is enough.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// instant is now as it is stored and shown.
func (p *People) instant() time.Time { return p.now().UTC().Truncate(time.Millisecond) }

var currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)

// StoreFilter selects stores; zero fields select all.
type StoreFilter struct {
	MerchantID string
	StaffID    string // those in which the person works
}

// StoreUpdate is a partial change of a store; nil fields stay as they are.
type StoreUpdate struct{ Name, Currency *string }

// CreateMerchant makes a merchant without stores. Invalid names "name".
func (p *People) CreateMerchant(ctx context.Context, name string) (Merchant, error) {
	const op = "account.CreateMerchant"
	name, err := title(op, "name", name)
	if err != nil {
		return Merchant{}, err
	}
	m := Merchant{ID: ids.New("merchant"), Name: name, CreatedAt: p.instant()}
	return m, errs.Wrap(op, p.store.CreateMerchant(ctx, m))
}

// Merchants lists merchants, oldest first, those after the one named.
func (p *People) Merchants(ctx context.Context, after string, limit int) ([]Merchant, error) {
	return p.store.Merchants(ctx, after, limit)
}

// CreateStore makes a store of a merchant, with an owner unless ownerID is empty. Invalid names the field; NotFound: no
// such merchant.
func (p *People) CreateStore(ctx context.Context, merchantID, name, currency, ownerID string) (Store, error) {
	const op = "account.CreateStore"
	s := Store{ID: ids.New("store"), MerchantID: merchantID, Name: name, Currency: currency, CreatedAt: p.instant()}
	u := StoreUpdate{Name: &s.Name, Currency: &s.Currency}
	if err := u.check(op); err != nil {
		return Store{}, err
	}
	s.Name = *u.Name
	return s, errs.Wrap(op, p.store.CreateStore(ctx, s, ownerID))
}

// Stores lists stores, oldest first, those after the one named.
func (p *People) Stores(ctx context.Context, f StoreFilter, after string, limit int) ([]Store, error) {
	return p.store.Stores(ctx, f, after, limit)
}

// Store returns a store, or NotFound.
func (p *People) Store(ctx context.Context, id string) (Store, error) { return p.store.Store(ctx, id) }

// UpdateStore changes a store and returns it with what it was before. Invalid names the field. NotFound.
func (p *People) UpdateStore(ctx context.Context, id string, u StoreUpdate) (before, after Store, err error) {
	const op = "account.UpdateStore"
	if err := u.check(op); err != nil {
		return Store{}, Store{}, err
	}
	if before, err = p.store.Store(ctx, id); err != nil {
		return Store{}, Store{}, errs.Wrap(op, err)
	}
	after, err = p.store.UpdateStore(ctx, id, u)
	return before, after, errs.Wrap(op, err)
}

func (u *StoreUpdate) check(op string) error {
	if u.Currency != nil && !currencyCode.MatchString(*u.Currency) {
		return errs.Field(op, "currency", "must be an ISO 4217 code such as CNY")
	}
	if u.Name == nil {
		return nil
	}
	name, err := title(op, "name", *u.Name)
	u.Name = &name
	return err
}

// RotateViewerSecret makes a new secret with which the store signs viewer tokens, and returns it: it is shown this once.
// The one before stays good for keep, at most MaxViewerTokenTTL, so that tokens under way live on. NotFound.
func (p *People) RotateViewerSecret(ctx context.Context, storeID string, keep time.Duration) (secret string, err error) {
	const op = "account.RotateViewerSecret"
	if keep < 0 || keep > MaxViewerTokenTTL {
		return "", errs.Field(op, "keep_previous_hours", "must be between 0 and %d", int(MaxViewerTokenTTL.Hours()))
	}
	at := p.instant()
	secret = ids.Secret("vsk") + ids.Secret("")
	return secret, errs.Wrap(op, p.store.RotateViewerSecret(ctx, storeID, secret, at, at.Add(keep)))
}

// covers reports whether the principal has all of the permissions: nobody gives what they do not have.
func (p *Principal) covers(perms []Permission) bool {
	return !slices.ContainsFunc(perms, func(perm Permission) bool { return !p.May(perm) })
}
