package account

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// AddStaff lets a person work in a store. A person of the same merchant whom login and e-mail name is taken over with the
// password they have; a new one, or one who has set none yet, gets an invitation to set it.
//
// Errors: Invalid names the field. Forbidden: the role may more than by. Conflict: the names are another's, or the person
// works in the store already. NotFound: no such store.
func (p *People) AddStaff(ctx context.Context, by Principal, storeID string, s Staff, role Role) (Member, *Invitation, error) {
	const op = "account.AddStaff"
	if err := mayGive(op, by, role); err != nil {
		return Member{}, nil, err
	}
	if err := s.check(op); err != nil {
		return Member{}, nil, err
	}
	s.ID, s.PasswordHash, s.CreatedAt = ids.New("staff"), "", p.instant()
	m, _, err := p.store.AddStaff(ctx, storeID, s, role)
	if err != nil || m.PasswordHash != "" {
		return m, nil, errs.Wrap(op, err)
	}
	inv, err := p.invite(ctx, m.ID)
	m.InvitedUntil = inv.ExpiresAt
	return m, &inv, errs.Wrap(op, err)
}

// Invite makes a new invitation for a person who works in the store: the first was lost, or the password is forgotten. What
// was sent before is worthless now; the password stays until the invitation is taken.
//
// Forbidden: the person works in another store too, where by may not decide.
func (p *People) Invite(ctx context.Context, by Principal, storeID, staffID string) (Invitation, error) {
	const op = "account.Invite"
	m, err := p.store.Member(ctx, storeID, staffID)
	if err != nil {
		return Invitation{}, errs.Wrap(op, err)
	}
	if err := p.mayReset(ctx, op, by, m); err != nil {
		return Invitation{}, err
	}
	inv, err := p.invite(ctx, staffID)
	return inv, errs.Wrap(op, err)
}

// mayReset keeps whoever decides in one store from becoming a person who may more, or more elsewhere.
func (p *People) mayReset(ctx context.Context, op string, by Principal, m Member) error {
	if by.Admin {
		return nil
	}
	if err := mayGive(op, by, m.Role); err != nil {
		return err
	}
	theirs, err := p.store.Roles(ctx, m.ID)
	if err != nil {
		return errs.Wrap(op, err)
	}
	own, err := p.store.Roles(ctx, by.ID)
	if err != nil {
		return errs.Wrap(op, err)
	}
	for storeID, role := range theirs {
		if mine := own[storeID]; storeID != m.StoreID && (!mine.May(StaffWrite) || !mine.covers(role)) {
			return errs.New(errs.Forbidden, op, "%s works in another store too, where you may not decide about staff: ask an owner of both, or the operator of the server", m.Name)
		}
	}
	return nil
}

func (p *People) invite(ctx context.Context, staffID string) (Invitation, error) {
	inv := Invitation{Token: ids.Secret("inv"), ExpiresAt: p.instant().Add(p.cfg.InvitationTTL)}
	return inv, p.store.SetInvitation(ctx, staffID, hashOf(inv.Token), inv.ExpiresAt)
}

// Named returns the person with a login name or e-mail address, and the stores in which they work. NotFound.
func (p *People) Named(ctx context.Context, name string) (Staff, []string, error) {
	const op = "account.Named"
	staff, err := p.store.StaffNamed(ctx, strings.ToLower(strings.TrimSpace(name)))
	if err != nil {
		return Staff{}, nil, errs.Wrap(op, err)
	}
	roles, err := p.store.Roles(ctx, staff.ID)
	if err == nil && len(roles) == 0 {
		err = errs.New(errs.NotFound, op, "%s works in no store", staff.Name)
	}
	return staff, slices.Sorted(maps.Keys(roles)), errs.Wrap(op, err)
}

// Members lists who works in a store, the longest there first, those after the one named.
func (p *People) Members(ctx context.Context, storeID, after string, limit int) ([]Member, error) {
	return p.store.Members(ctx, storeID, after, limit)
}

// SetRole gives a person another role in a store and returns the one before. Forbidden: by may less than the old or the
// new role. Conflict: the store would be without an owner. NotFound: the person does not work there.
func (p *People) SetRole(ctx context.Context, by Principal, storeID, staffID string, role Role) (m Member, was Role, err error) {
	const op = "account.SetRole"
	before, err := p.store.Member(ctx, storeID, staffID)
	if err != nil {
		return Member{}, "", errs.Wrap(op, err)
	}
	for _, r := range []Role{role, before.Role} {
		if err := mayGive(op, by, r); err != nil {
			return Member{}, "", err
		}
	}
	m, err = p.store.SetRole(ctx, storeID, staffID, role)
	return m, before.Role, errs.Wrap(op, err)
}

// RemoveStaff ends a person's work in a store, from the next request on. Who works in no store any more is forgotten.
// Errors as of SetRole.
func (p *People) RemoveStaff(ctx context.Context, by Principal, storeID, staffID string) (Member, error) {
	const op = "account.RemoveStaff"
	m, err := p.store.Member(ctx, storeID, staffID)
	if err != nil {
		return Member{}, errs.Wrap(op, err)
	}
	if err := mayGive(op, by, m.Role); err != nil {
		return Member{}, err
	}
	return m, errs.Wrap(op, p.store.RemoveMember(ctx, storeID, staffID))
}

// mayGive refuses a role that may more than whoever gives or takes it.
func mayGive(op string, by Principal, r Role) error {
	if !slices.Contains(Roles, r) {
		return errs.Field(op, "role", "must be one of %v", Roles)
	}
	if !by.covers(r.Permissions()) {
		return errs.New(errs.Forbidden, op, "you cannot decide about a role, %s, that may more than you", r)
	}
	return nil
}

// covers reports whether the role may all that another one may.
func (r Role) covers(other Role) bool {
	return !slices.ContainsFunc(granted[other], func(p Permission) bool { return !r.May(p) })
}
