package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/providers/sandbox"
)

const sandboxColumns = "order_no, page, description, amount, currency, state, return_url, created_at, expires_at, late"

// OpenSandboxPayment stores a payment of the sandbox, or returns the one that its order has.
func (db *DB) OpenSandboxPayment(ctx context.Context, p sandbox.Payment) (got sandbox.Payment, err error) {
	err = db.update(ctx, "sqldb.OpenSandboxPayment", func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO sandbox_payments ("+sandboxColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
			ON CONFLICT (order_no) DO UPDATE SET return_url = excluded.return_url`, p.OrderNo, p.Page, p.Description, p.Amount.Amount,
			p.Amount.Currency, string(p.State), p.ReturnURL, p.CreatedAt.UnixMilli(), p.ExpiresAt.UnixMilli(), flag(p.Late)); err != nil {
			return err
		}
		got, err = readSandbox(ctx, tx, "order_no", p.OrderNo)
		return err
	})
	return got, err
}

// SandboxPayment returns the sandbox's payment of an order, or NotFound.
func (db *DB) SandboxPayment(ctx context.Context, orderNo string) (sandbox.Payment, error) {
	return db.sandboxPayment(ctx, "sqldb.SandboxPayment", "order_no", orderNo)
}

// SandboxPaymentOfPage returns the sandbox's payment whose page it is, or NotFound.
func (db *DB) SandboxPaymentOfPage(ctx context.Context, page string) (sandbox.Payment, error) {
	return db.sandboxPayment(ctx, "sqldb.SandboxPaymentOfPage", "page", page)
}

func (db *DB) sandboxPayment(ctx context.Context, op, column, value string) (p sandbox.Payment, err error) {
	err = db.view(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		p, err = readSandbox(ctx, tx, column, value)
		return noPayment(op, err)
	})
	return p, err
}

// ChangeSandboxPayment locks a payment of the sandbox, changes it and stores its state and new transactions. NotFound.
func (db *DB) ChangeSandboxPayment(ctx context.Context, orderNo string, change func(*sandbox.Payment) error) (p sandbox.Payment, err error) {
	const op = "sqldb.ChangeSandboxPayment"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := lockSandbox(ctx, tx, orderNo); err != nil {
			return noPayment(op, err)
		}
		if p, err = readSandbox(ctx, tx, "order_no", orderNo); err != nil {
			return noPayment(op, err)
		}
		known := len(p.Transactions)
		if err := change(&p); err != nil {
			return err
		}
		for _, t := range p.Transactions[known:] {
			if _, err := tx.ExecContext(ctx, "INSERT INTO sandbox_reports (id, order_no, transaction_id, at, reported) VALUES ($1, $2, $3, $4, 0)",
				t.ID, t.OrderNo, t.ID, t.At.UnixMilli()); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "UPDATE sandbox_payments SET state = $1, late = $2 WHERE order_no = $3", string(p.State), flag(p.Late), orderNo)
		return err
	})
	return p, err
}

// lockSandbox makes everybody else wait for a payment, by a write that changes nothing.
func lockSandbox(ctx context.Context, tx *sql.Tx, orderNo string) error {
	return exactlyOne(tx.ExecContext(ctx, "UPDATE sandbox_payments SET late = late WHERE order_no = $1", orderNo))
}

// LateSandboxPayments lists payments of the sandbox to be made late that expired by an instant.
func (db *DB) LateSandboxPayments(ctx context.Context, before time.Time, limit int) ([]string, error) {
	return db.orderIDs(ctx, "sqldb.LateSandboxPayments", "SELECT order_no FROM sandbox_payments WHERE late = 1 AND expires_at <= $1 ORDER BY expires_at LIMIT $2",
		before.UnixMilli(), limit)
}

// UnreportedSandbox lists transactions of the sandbox of which the shop has not taken note, the oldest first.
func (db *DB) UnreportedSandbox(ctx context.Context, limit int) ([]sandbox.Transaction, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+sandboxReportColumns+" FROM sandbox_reports WHERE reported = 0 ORDER BY at, id LIMIT $1", limit)
	all, err := collect(rows, err, scanSandboxReport)
	return all, db.fail("sqldb.UnreportedSandbox", err)
}

// SandboxReported notes that the shop knows of a transaction.
func (db *DB) SandboxReported(ctx context.Context, transactionID string) error {
	return db.update(ctx, "sqldb.SandboxReported", func(ctx context.Context, tx *sql.Tx) error {
		return exactlyOne(tx.ExecContext(ctx, "UPDATE sandbox_reports SET reported = 1 WHERE id = $1", transactionID))
	})
}

// AddSandboxRefund stores a refund of the sandbox, or returns the one of its number. Conflict: the transaction has not as
// much left; NotFound: there is no such transaction.
func (db *DB) AddSandboxRefund(ctx context.Context, r sandbox.Refund) (got sandbox.Refund, err error) {
	const op = "sqldb.AddSandboxRefund"
	err = db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := lockSandbox(ctx, tx, r.OrderNo); err != nil { // refunds of one payment take turns
			return noPayment(op, err)
		}
		if got, err = readSandboxRefund(ctx, tx, r.No); !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var left int64
		if err := tx.QueryRowContext(ctx, `SELECT p.amount - (SELECT COALESCE(SUM(amount), 0) FROM sandbox_refunds WHERE transaction_id = $1)
			FROM sandbox_reports t JOIN sandbox_payments p ON p.order_no = t.order_no WHERE t.id = $1 AND t.order_no = $2`,
			r.TransactionID, r.OrderNo).Scan(&left); err != nil {
			return noPayment(op, err)
		}
		if r.Amount.Amount > left {
			return errs.New(errs.Conflict, op, "the transaction has only %d left", left)
		}
		got = r
		_, err := tx.ExecContext(ctx, "INSERT INTO sandbox_refunds (refund_no, order_no, transaction_id, amount, at) VALUES ($1, $2, $3, $4, $5)",
			r.No, r.OrderNo, r.TransactionID, r.Amount.Amount, r.At.UnixMilli())
		return err
	})
	return got, err
}

// SandboxRefund returns a refund of the sandbox, or NotFound.
func (db *DB) SandboxRefund(ctx context.Context, no string) (r sandbox.Refund, err error) {
	const op = "sqldb.SandboxRefund"
	err = db.view(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		r, err = readSandboxRefund(ctx, tx, no)
		return noPayment(op, err)
	})
	return r, err
}

func readSandboxRefund(ctx context.Context, tx *sql.Tx, no string) (r sandbox.Refund, err error) {
	var at sql.NullInt64
	err = tx.QueryRowContext(ctx, `SELECT r.refund_no, r.order_no, r.transaction_id, r.amount, p.currency, r.at FROM sandbox_refunds r
		JOIN sandbox_payments p ON p.order_no = r.order_no WHERE r.refund_no = $1`, no).
		Scan(&r.No, &r.OrderNo, &r.TransactionID, &r.Amount.Amount, &r.Amount.Currency, &at)
	r.At = instant(at)
	return r, err
}

func readSandbox(ctx context.Context, tx *sql.Tx, column, value string) (p sandbox.Payment, err error) {
	var created, expires sql.NullInt64
	if err := tx.QueryRowContext(ctx, "SELECT "+sandboxColumns+" FROM sandbox_payments WHERE "+column+" = $1", value).
		Scan(&p.OrderNo, &p.Page, &p.Description, &p.Amount.Amount, &p.Amount.Currency, &p.State, &p.ReturnURL, &created, &expires, &p.Late); err != nil {
		return p, err
	}
	p.CreatedAt, p.ExpiresAt = instant(created), instant(expires)
	rows, err := tx.QueryContext(ctx, "SELECT "+sandboxReportColumns+" FROM sandbox_reports WHERE order_no = $1 ORDER BY at, id", p.OrderNo)
	p.Transactions, err = collect(rows, err, scanSandboxReport)
	return p, err
}

const sandboxReportColumns = "transaction_id, order_no, at, reported"

func scanSandboxReport(row scanner) (t sandbox.Transaction, err error) {
	var at sql.NullInt64
	err = row.Scan(&t.ID, &t.OrderNo, &at, &t.Reported)
	t.At = instant(at)
	return t, err
}

func noPayment(op string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.NotFound, op, err, "the sandbox knows no such payment")
	}
	return err
}
