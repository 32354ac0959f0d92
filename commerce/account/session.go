package account

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/internal/printable"
)

// Session is one browser in which a person is signed in.
type Session struct {
	ID        string // "sess_…"
	StaffID   string
	Remote    string // the address from which it was begun
	Agent     string // what the browser called itself
	CreatedAt time.Time
	UsedAt    time.Time
	ExpiresAt time.Time
}

// Client is where a request comes from.
type Client struct {
	Addr    netip.Addr   // may be the zero Addr
	Network netip.Prefix // what counts as one client where clients are limited
	Agent   string       // what the browser calls itself
}

// SignedIn is a person with the session and what they may.
type SignedIn struct {
	Session
	Staff Staff
	Roles map[string]Role // by store
}

// Principal is the person in a store; in none of theirs, they may nothing. ok tells whether it is one of theirs.
func (s *SignedIn) Principal(storeID string) (p Principal, ok bool) {
	role, ok := s.Roles[storeID]
	return Principal{ID: s.Staff.ID, Name: s.Staff.Name, StoreID: storeID, Role: role, Permissions: role.Permissions()}, ok
}

// touchAfter is how long the use of a session or token may go unwritten: a write per request would cost more than it
// tells.
const touchAfter = time.Minute

// SignIn begins a session for who knows the password of a login name or e-mail address, and returns its token.
//
// Unauthorized: name and password do not belong together. It is the same answer, after the same time, whether there is
// such a person or not. Exhausted: too many failures, of this name or from this network.
func (p *People) SignIn(ctx context.Context, name, password string, from Client) (SignedIn, string, error) {
	const op = "account.SignIn"
	name = strings.ToLower(strings.TrimSpace(name))
	forgive, err := p.attempt(op, name, from.Network)
	if err != nil {
		return SignedIn{}, "", err
	}
	staff, err := p.store.StaffNamed(ctx, name)
	if err != nil && errs.KindOf(err) != errs.NotFound {
		return SignedIn{}, "", errs.Wrap(op, err)
	}
	ok, old, err := p.passwords.matches(ctx, staff.PasswordHash, password)
	if err != nil {
		return SignedIn{}, "", errs.Wrap(op, err)
	}
	if !ok {
		return SignedIn{}, "", errs.New(errs.Unauthorized, op, "the name or the password is wrong")
	}
	forgive()
	if old {
		p.upgrade(ctx, staff, password)
	}
	return p.begin(ctx, op, staff, from)
}

// attempt counts an attempt against its name and its network until it is forgiven.
func (p *People) attempt(op, name string, from netip.Prefix) (forgive func(), err error) {
	now, network := p.now(), from.String()
	refused := errs.New(errs.Exhausted, op, "too many failed attempts: wait some minutes, then try again; an owner of the store can send a new invitation")
	if !p.networks.take(network, now) {
		return nil, refused
	}
	if !p.accounts.take(name, now) {
		p.networks.giveBack(network, now)
		return nil, refused
	}
	return func() {
		p.networks.giveBack(network, now)
		p.accounts.giveBack(name, now)
	}, nil
}

// upgrade hashes a password anew at today's cost. When it fails the next sign-in tries again.
func (p *People) upgrade(ctx context.Context, s Staff, password string) {
	hash, err := p.passwords.hash(ctx, password)
	if err == nil {
		_ = p.store.SetPassword(ctx, s.ID, s.PasswordHash, hash, false)
	}
}

func (p *People) begin(ctx context.Context, op string, staff Staff, from Client) (SignedIn, string, error) {
	at, token := p.instant(), ids.Secret("vs")
	in := SignedIn{Staff: staff, Session: Session{
		ID: ids.New("sess"), StaffID: staff.ID, Agent: printable.Clip(from.Agent), CreatedAt: at, UsedAt: at, ExpiresAt: at.Add(p.cfg.SessionIdle),
	}}
	if from.Addr.IsValid() {
		in.Remote = from.Addr.String()
	}
	if err := p.store.CreateSession(ctx, in.Session, hashOf(token)); err != nil {
		return SignedIn{}, "", errs.Wrap(op, err)
	}
	roles, err := p.store.Roles(ctx, staff.ID)
	in.Roles = roles
	return in, token, errs.Wrap(op, err)
}

// Session returns who is signed in by a session's token, and lets the session last longer. Unauthorized: there is no such
// session, or it has ended.
func (p *People) Session(ctx context.Context, token string) (SignedIn, error) {
	const op = "account.Session"
	at := p.instant()
	s, err := p.store.SessionByHash(ctx, hashOf(token), at)
	if errs.KindOf(err) == errs.NotFound {
		return SignedIn{}, errs.New(errs.Unauthorized, op, "you are not signed in any more: sign in again")
	} else if err != nil {
		return SignedIn{}, errs.Wrap(op, err)
	}
	if at.Sub(s.UsedAt) >= touchAfter {
		s.UsedAt, s.ExpiresAt = at, earlier(at.Add(p.cfg.SessionIdle), s.CreatedAt.Add(p.cfg.SessionMax))
		if err := p.store.TouchSession(ctx, s.ID, s.UsedAt, s.ExpiresAt); err != nil {
			return SignedIn{}, errs.Wrap(op, err)
		}
	}
	staff, err := p.store.Staff(ctx, s.StaffID)
	if err != nil {
		return SignedIn{}, errs.Wrap(op, err)
	}
	roles, err := p.store.Roles(ctx, s.StaffID)
	return SignedIn{Session: s, Staff: staff, Roles: roles}, errs.Wrap(op, err)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Sessions lists where a person is signed in, the newest first.
func (p *People) Sessions(ctx context.Context, staffID string) ([]Session, error) {
	return p.store.Sessions(ctx, staffID, p.instant())
}

// EndSession signs a person out in one browser. NotFound: the person has no such session.
func (p *People) EndSession(ctx context.Context, staffID, id string) error {
	return errs.Wrap("account.EndSession", p.store.EndSession(ctx, staffID, id))
}

// ChangePassword replaces the password of who knows it, signs them out everywhere, and signs them in here anew.
// Unauthorized: the current one is wrong. Invalid names "new". Exhausted: too many failures.
func (p *People) ChangePassword(ctx context.Context, staffID, current, next string, from Client) (SignedIn, string, error) {
	const op = "account.ChangePassword"
	staff, err := p.store.Staff(ctx, staffID)
	if err != nil {
		return SignedIn{}, "", errs.Wrap(op, err)
	}
	if err := checkPassword(op, "new", next, staff.Login, staff.Email); err != nil {
		return SignedIn{}, "", err
	}
	forgive, err := p.attempt(op, staff.ID, from.Network)
	if err != nil {
		return SignedIn{}, "", err
	}
	ok, _, err := p.passwords.matches(ctx, staff.PasswordHash, current)
	if err != nil {
		return SignedIn{}, "", errs.Wrap(op, err)
	}
	if !ok {
		return SignedIn{}, "", errs.Field(op, "current", "the current password is wrong")
	}
	forgive()
	hash, err := p.passwords.hash(ctx, next)
	if err != nil {
		return SignedIn{}, "", errs.Wrap(op, err)
	}
	if err := p.store.SetPassword(ctx, staff.ID, staff.PasswordHash, hash, true); err != nil {
		return SignedIn{}, "", errs.As(errs.Conflict, op, err, "the password was changed elsewhere at this moment: sign in again")
	}
	return p.begin(ctx, op, staff, from)
}

// AcceptInvitation sets the password of whom an invitation is for and signs them out everywhere. It returns who it is.
// Before it does so it calls begin, whose error stops it, and calls what begin returns when it is done.
// Unauthorized: the invitation was taken, replaced, or has ended. Invalid names "password".
func (p *People) AcceptInvitation(ctx context.Context, token, password string, begin func(Staff, []string) (done func(error), err error)) (Staff, error) {
	const op = "account.AcceptInvitation"
	staff, err := p.store.Invited(ctx, hashOf(token), p.now())
	if err != nil {
		return Staff{}, invitationGone(op, err)
	}
	if err := checkPassword(op, "password", password, staff.Login, staff.Email); err != nil {
		return Staff{}, err
	}
	hash, err := p.passwords.hash(ctx, password)
	if err != nil {
		return Staff{}, errs.Wrap(op, err)
	}
	roles, err := p.store.Roles(ctx, staff.ID)
	if err != nil {
		return Staff{}, errs.Wrap(op, err)
	}
	done, err := begin(staff, slices.Sorted(maps.Keys(roles)))
	if err != nil {
		return Staff{}, err
	}
	err = invitationGone(op, p.store.TakeInvitation(ctx, hashOf(token), hash, p.now()))
	done(err)
	return staff, err
}

// SessionMax is how long a session lasts at most.
func (p *People) SessionMax() time.Duration { return p.cfg.SessionMax }

func invitationGone(op string, err error) error {
	if errs.KindOf(err) == errs.NotFound {
		return errs.As(errs.Unauthorized, op, err, "the invitation was used, replaced or is too old: ask an owner of the store for a new one")
	}
	return errs.Wrap(op, err)
}
