package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
)

const (
	staffColumns  = "id, merchant_id, login, email, name, password, created_at"
	memberColumns = `s.id, s.merchant_id, s.login, s.email, s.name, s.password, s.created_at, r.store_id, r.role, r.created_at,
		i.expires_at FROM staff_roles r JOIN staff s ON s.id = r.staff_id LEFT JOIN staff_invitations i ON i.staff_id = s.id`
)

// AddStaff lets a person work in a store: a new one, or one of the same merchant whom login and e-mail name; added tells
// which. Conflict: the names are another's, or the person works in the store already. NotFound: no such store.
func (db *DB) AddStaff(ctx context.Context, storeID string, s account.Staff, role account.Role) (m account.Member, added bool, err error) {
	const op = "sqldb.AddStaff"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := storeExists(ctx, tx, op, storeID); err != nil {
			return err
		}
		err := tx.QueryRowContext(ctx, "SELECT merchant_id FROM stores WHERE id = $1", storeID).Scan(&s.MerchantID)
		if err != nil {
			return err
		}
		known, err := sameStaff(ctx, tx, op, s)
		if err != nil {
			return err
		}
		at := s.CreatedAt
		if added = known.ID == ""; added {
			known, err = s, addStaff(ctx, tx, s)
		}
		if err != nil {
			return err
		}
		err = exactlyOne(tx.ExecContext(ctx, `INSERT INTO staff_roles (staff_id, store_id, role, created_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (staff_id, store_id) DO NOTHING`, known.ID, storeID, string(role), millis(at)))
		if errors.Is(err, sql.ErrNoRows) {
			return errs.As(errs.Conflict, op, err, "%s works in this store already", known.Name)
		}
		m = account.Member{Staff: known, StoreID: storeID, Role: role, Since: at}
		return err
	})
	return m, added, err
}

// sameStaff returns the person of the same merchant whom the names of s name; the zero Staff when they name nobody.
func sameStaff(ctx context.Context, tx *sql.Tx, op string, s account.Staff) (account.Staff, error) {
	rows, err := tx.QueryContext(ctx, "SELECT "+staffColumns+` FROM staff WHERE ($1 <> '' AND login = $1) OR ($2 <> '' AND email = $2)`,
		s.Login, s.Email)
	known, err := collect(rows, err, scanStaff)
	if err != nil || len(known) == 0 {
		return account.Staff{}, err
	}
	k := known[0]
	if len(known) > 1 || k.MerchantID != s.MerchantID || s.Login != "" && k.Login != s.Login || s.Email != "" && k.Email != s.Email {
		return account.Staff{}, errs.New(errs.Conflict, op, "this login name or e-mail address is taken: choose another")
	}
	return k, nil
}

func addStaff(ctx context.Context, tx *sql.Tx, s account.Staff) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO staff ("+staffColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7)",
		s.ID, s.MerchantID, s.Login, s.Email, s.Name, s.PasswordHash, millis(s.CreatedAt))
	return err
}

// Members lists who works in a store, the longest there first, those after the one named; all from the first when it is
// empty. It is empty after one who does not work there, and for an unknown store.
func (db *DB) Members(ctx context.Context, storeID, after string, limit int) ([]account.Member, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+memberColumns+` WHERE r.store_id = $1 AND ($2 = ''
		OR (r.created_at, r.staff_id) > (SELECT created_at, staff_id FROM staff_roles WHERE store_id = $1 AND staff_id = $2))
		ORDER BY r.created_at, r.staff_id LIMIT $3`, storeID, after, limit)
	ms, err := collect(rows, err, scanMember)
	return ms, db.fail("sqldb.Members", err)
}

// Member returns a person in a store, or NotFound.
func (db *DB) Member(ctx context.Context, storeID, staffID string) (account.Member, error) {
	const op = "sqldb.Member"
	m, err := scanMember(db.read.QueryRowContext(ctx, "SELECT "+memberColumns+" WHERE r.store_id = $1 AND r.staff_id = $2", storeID, staffID))
	return m, db.fail(op, noMember(op, err))
}

// SetRole changes the role of a person in a store. NotFound; Conflict: the store would be without an owner.
func (db *DB) SetRole(ctx context.Context, storeID, staffID string, role account.Role) (account.Member, error) {
	const op = "sqldb.SetRole"
	var m account.Member
	err := db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := storeExists(ctx, tx, op, storeID); err != nil {
			return err
		}
		err := exactlyOne(tx.ExecContext(ctx, "UPDATE staff_roles SET role = $1 WHERE store_id = $2 AND staff_id = $3", string(role), storeID, staffID))
		if err != nil {
			return noMember(op, err)
		}
		if err := stillOwned(ctx, tx, op, storeID); err != nil {
			return err
		}
		m, err = scanMember(tx.QueryRowContext(ctx, "SELECT "+memberColumns+" WHERE r.store_id = $1 AND r.staff_id = $2", storeID, staffID))
		return err
	})
	return m, err
}

// RemoveMember ends a person's work in a store. Who works in none any more is removed, with sessions and invitation.
// NotFound; Conflict: the store would be without an owner.
func (db *DB) RemoveMember(ctx context.Context, storeID, staffID string) error {
	const op = "sqldb.RemoveMember"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := storeExists(ctx, tx, op, storeID); err != nil {
			return err
		}
		err := exactlyOne(tx.ExecContext(ctx, "DELETE FROM staff_roles WHERE store_id = $1 AND staff_id = $2", storeID, staffID))
		if err != nil {
			return noMember(op, err)
		}
		if err := stillOwned(ctx, tx, op, storeID); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM staff WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM staff_roles WHERE staff_id = $1)", staffID)
		return err
	})
}

// stillOwned refuses a change that would leave a store to nobody. The store's row is locked by then.
func stillOwned(ctx context.Context, tx *sql.Tx, op, storeID string) error {
	var owners int
	err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM staff_roles WHERE store_id = $1 AND role = $2", storeID, string(account.Owner)).Scan(&owners)
	if err == nil && owners == 0 {
		return errs.New(errs.Conflict, op, "this is the store's only owner: make somebody else an owner first")
	}
	return err
}

// Staff returns a person, or NotFound.
func (db *DB) Staff(ctx context.Context, id string) (account.Staff, error) {
	const op = "sqldb.Staff"
	s, err := scanStaff(db.read.QueryRowContext(ctx, "SELECT "+staffColumns+" FROM staff WHERE id = $1", id))
	return s, db.fail(op, noMember(op, err))
}

// StaffNamed returns the person with a login name or e-mail address in lower case, or NotFound.
func (db *DB) StaffNamed(ctx context.Context, name string) (account.Staff, error) {
	const op = "sqldb.StaffNamed"
	s, err := scanStaff(db.read.QueryRowContext(ctx, "SELECT "+staffColumns+" FROM staff WHERE $1 <> '' AND (login = $1 OR email = $1)", name))
	return s, db.fail(op, noMember(op, err))
}

// Roles returns what a person is in which store. It is empty for an unknown person.
func (db *DB) Roles(ctx context.Context, staffID string) (map[string]account.Role, error) {
	type place struct {
		store string
		role  account.Role
	}
	rows, err := db.read.QueryContext(ctx, "SELECT store_id, role FROM staff_roles WHERE staff_id = $1", staffID)
	places, err := collect(rows, err, func(row scanner) (p place, err error) {
		err = row.Scan(&p.store, &p.role)
		return p, err
	})
	roles := map[string]account.Role{}
	for _, p := range places {
		roles[p.store] = p.role
	}
	return roles, db.fail("sqldb.Roles", err)
}

// SetPassword replaces the hash that was. It ends all sessions and the invitation of the person if it is to. NotFound: the
// hash is another one by now.
func (db *DB) SetPassword(ctx context.Context, staffID, was, hash string, endSessions bool) error {
	return db.update(ctx, "sqldb.SetPassword", func(ctx context.Context, tx *sql.Tx) error {
		err := exactlyOne(tx.ExecContext(ctx, "UPDATE staff SET password = $1 WHERE id = $2 AND password = $3", hash, staffID, was))
		if err != nil || !endSessions {
			return err
		}
		return signOut(ctx, tx, staffID)
	})
}

// signOut makes worthless whatever lets a person in beside the password.
func signOut(ctx context.Context, tx *sql.Tx, staffID string) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM staff_sessions WHERE staff_id = $1", staffID); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM staff_invitations WHERE staff_id = $1", staffID)
	return err
}

// SetInvitation keeps the hash of a person's invitation in place of the one before. NotFound: no such person.
func (db *DB) SetInvitation(ctx context.Context, staffID, hash string, until time.Time) error {
	return db.update(ctx, "sqldb.SetInvitation", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO staff_invitations (staff_id, hash, expires_at) VALUES ($1, $2, $3)
			ON CONFLICT (staff_id) DO UPDATE SET hash = excluded.hash, expires_at = excluded.expires_at`, staffID, hash, millis(until))
		return err
	})
}

// Invited returns whom an invitation is for, or NotFound when there is none or it has ended.
func (db *DB) Invited(ctx context.Context, hash string, at time.Time) (account.Staff, error) {
	const op = "sqldb.Invited"
	s, err := scanStaff(db.read.QueryRowContext(ctx, "SELECT "+staffColumns+` FROM staff
		WHERE id = (SELECT staff_id FROM staff_invitations WHERE hash = $1 AND expires_at > $2)`, hash, at.UnixMilli()))
	return s, db.fail(op, noMember(op, err))
}

// TakeInvitation sets the password of whom an invitation is for, ends the invitation and all sessions. NotFound: it was
// taken, replaced, or has ended.
func (db *DB) TakeInvitation(ctx context.Context, hash, passwordHash string, at time.Time) error {
	return db.update(ctx, "sqldb.TakeInvitation", func(ctx context.Context, tx *sql.Tx) error {
		var staffID string
		err := tx.QueryRowContext(ctx, "DELETE FROM staff_invitations WHERE hash = $1 AND expires_at > $2 RETURNING staff_id",
			hash, at.UnixMilli()).Scan(&staffID)
		if err != nil {
			return err
		}
		if err := exactlyOne(tx.ExecContext(ctx, "UPDATE staff SET password = $1 WHERE id = $2", passwordHash, staffID)); err != nil {
			return err
		}
		return signOut(ctx, tx, staffID)
	})
}

func noMember(op string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.NotFound, op, err, "there is no such member of staff")
	}
	return err
}

func scanStaff(row scanner) (s account.Staff, err error) {
	var created sql.NullInt64
	err = row.Scan(&s.ID, &s.MerchantID, &s.Login, &s.Email, &s.Name, &s.PasswordHash, &created)
	s.CreatedAt = instant(created)
	return s, err
}

func scanMember(row scanner) (m account.Member, err error) {
	var created, since, invited sql.NullInt64
	err = row.Scan(&m.ID, &m.MerchantID, &m.Login, &m.Email, &m.Name, &m.PasswordHash, &created, &m.StoreID, &m.Role, &since, &invited)
	m.CreatedAt, m.Since, m.InvitedUntil = instant(created), instant(since), instant(invited)
	return m, err
}
