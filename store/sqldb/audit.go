package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/vitrine-live/vitrine/commerce/account"
)

// AddAudit adds entries to the audit log, each with its outcome if that is known, all or none.
func (db *DB) AddAudit(ctx context.Context, es []account.Entry) error {
	return db.update(ctx, "sqldb.AddAudit", func(ctx context.Context, tx *sql.Tx) error {
		for i := range es {
			if err := addAudit(ctx, tx, &es[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func addAudit(ctx context.Context, tx *sql.Tx, e *account.Entry) error {
	targets, err := json.Marshal(e.Targets)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO audit_log (id, store_id, at, who, name, role, remote, operation, permission, targets)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		e.ID, e.StoreID, millis(e.At), e.Who, e.Name, string(e.Role), e.Remote, e.Operation, string(e.Permission), string(targets))
	if err != nil || e.Outcome == nil {
		return err
	}
	return addAuditOutcome(ctx, tx, e.ID, *e.Outcome)
}

// AddAuditOutcome adds how an operation went to each of its entries. Conflict: it is there already. NotFound: no such entry.
func (db *DB) AddAuditOutcome(ctx context.Context, entryIDs []string, o account.Outcome) error {
	return db.update(ctx, "sqldb.AddAuditOutcome", func(ctx context.Context, tx *sql.Tx) error {
		for _, id := range entryIDs {
			if err := addAuditOutcome(ctx, tx, id, o); err != nil {
				return err
			}
		}
		return nil
	})
}

func addAuditOutcome(ctx context.Context, tx *sql.Tx, entryID string, o account.Outcome) error {
	changes, err := json.Marshal(o.Changes)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO audit_outcomes (entry_id, at, status, changes) VALUES ($1, $2, $3, $4)",
		entryID, millis(o.At), o.Status, string(changes))
	return err
}

// AuditEntries lists the audit log, newest first, entries older than the one named; from the newest when it is empty. It is
// empty before one that is not there.
func (db *DB) AuditEntries(ctx context.Context, f account.EntryFilter, before string, limit int) ([]account.Entry, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT id, store_id, e.at, who, name, role, remote, operation, permission, targets,
		o.at, o.status, o.changes FROM audit_log e LEFT JOIN audit_outcomes o ON o.entry_id = e.id
		WHERE ($1 = 1 OR store_id = $2) AND ($3 = '' OR who = $3) AND ($4 = '' OR operation = $4)
		AND (CAST($5 AS BIGINT) IS NULL OR e.at >= $5) AND (CAST($6 AS BIGINT) IS NULL OR e.at < $6)
		AND ($7 = '' OR (e.at, id) < (SELECT at, id FROM audit_log WHERE id = $7))
		ORDER BY e.at DESC, id DESC LIMIT $8`,
		flag(f.AllStores), f.StoreID, f.Who, f.Operation, millis(f.From), millis(f.To), before, limit)
	es, err := collect(rows, err, scanAudit)
	return es, db.fail("sqldb.AuditEntries", err)
}

func scanAudit(row scanner) (e account.Entry, err error) {
	var at, ended, status sql.NullInt64
	var targets string
	var changes sql.NullString
	err = row.Scan(&e.ID, &e.StoreID, &at, &e.Who, &e.Name, &e.Role, &e.Remote, &e.Operation, &e.Permission, &targets, &ended, &status, &changes)
	if err != nil {
		return e, err
	}
	e.At = instant(at)
	if err := json.Unmarshal([]byte(targets), &e.Targets); err != nil || !ended.Valid {
		return e, err
	}
	e.Outcome = &account.Outcome{At: instant(ended), Status: int(status.Int64)}
	return e, json.Unmarshal([]byte(changes.String), &e.Outcome.Changes)
}
