package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/exchange"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// inOneList is how many values stand in one list of a statement.
const inOneList = 500

// ImportTargets returns products of a store: those named and those whose SKUs have one of the codes, by id; and of each of
// these codes that is taken, whose it is. Unknown ones are left out.
func (db *DB) ImportTargets(ctx context.Context, storeID string, productIDs, codes []string) (products map[string]commerce.Product, owners map[string]string, err error) {
	err = db.view(ctx, "sqldb.ImportTargets", func(ctx context.Context, tx *sql.Tx) error {
		products, owners = map[string]commerce.Product{}, map[string]string{}
		ids := slices.Clone(productIDs)
		for some := range slices.Chunk(codes, inOneList) {
			found, err := codeOwners(ctx, tx, storeID, some)
			if err != nil {
				return err
			}
			for _, o := range found {
				owners[o.code] = o.product
				ids = append(ids, o.product)
			}
		}
		slices.Sort(ids)
		for some := range slices.Chunk(slices.Compact(ids), inOneList) {
			found, err := productsByID(ctx, tx, storeID, some)
			if err != nil {
				return err
			}
			for _, p := range found {
				products[p.ID] = p
			}
		}
		return nil
	})
	return products, owners, err
}

type codeOwner struct{ code, product string }

func codeOwners(ctx context.Context, tx *sql.Tx, storeID string, codes []string) ([]codeOwner, error) {
	list := placeholders(2, len(codes))
	rows, err := tx.QueryContext(ctx, "SELECT code, product_id FROM skus WHERE store_id = $1 AND deleted = 0 AND code <> '' AND code IN ("+list+")", listArgs(storeID, codes)...) //nolint:gosec // only placeholders are put in
	return collect(rows, err, func(row scanner) (o codeOwner, err error) {
		err = row.Scan(&o.code, &o.product)
		return o, err
	})
}

func productsByID(ctx context.Context, tx *sql.Tx, storeID string, ids []string) ([]commerce.Product, error) {
	list := placeholders(2, len(ids))
	rows, err := tx.QueryContext(ctx, "SELECT "+productColumns+" FROM products WHERE products.store_id = $1 AND deleted = 0 AND products.id IN ("+list+")", listArgs(storeID, ids)...) //nolint:gosec // only placeholders are put in
	products, err := collect(rows, err, scanProduct)
	if err != nil {
		return nil, err
	}
	return products, withSKUs(ctx, tx, products)
}

func listArgs(first string, list []string) []any {
	args := make([]any, 0, len(list)+1)
	args = append(args, first)
	for _, v := range list {
		args = append(args, v)
	}
	return args
}

// ApplyImport does all of a plan and stores the import as it is now done, or nothing. An error that a person can mend says
// in which row.
func (db *DB) ApplyImport(ctx context.Context, plan *commerce.ImportPlan, done exchange.Import) error {
	const op = "sqldb.ApplyImport"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		for i := range plan.Updates {
			u := &plan.Updates[i]
			if err := db.applyUpdate(ctx, tx, op, plan.StoreID, u); err != nil {
				return commerce.AtRow(op, u.Row, err)
			}
		}
		for i := range plan.Creates {
			c := &plan.Creates[i]
			if err := createProduct(ctx, tx, op, &c.Product); err != nil {
				return commerce.AtRow(op, c.Row, err)
			}
		}
		return saveImport(ctx, tx, &done)
	})
}

func (db *DB) applyUpdate(ctx context.Context, tx *sql.Tx, op, storeID string, u *commerce.PlannedUpdate) error {
	if _, err := changeProduct(ctx, tx, op, storeID, u.ID, u.Change); err != nil {
		return err
	}
	for _, ch := range u.Stock {
		if err := db.changePieces(ctx, tx, op, ch); err != nil {
			return err
		}
	}
	return nil
}

const importColumns = `id, store_id, format, dry_run, state, rows_read, rows_valid, rows_applied, created, updated, reason, errors, started_by,
	created_at, ended_at`

// CreateImport stores a new import.
func (db *DB) CreateImport(ctx context.Context, i exchange.Import) error {
	return db.update(ctx, "sqldb.CreateImport", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO catalogue_imports ("+importColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`, i.ID, i.StoreID, string(i.Format), flag(i.DryRun),
			string(i.State), i.Read, i.Valid, i.Applied, i.Created, i.Updated, i.Reason, jsonText(i.Errors), i.By, millis(i.CreatedAt), millis(i.EndedAt))
		return err
	})
}

// SaveImport stores how far an import is. NotFound.
func (db *DB) SaveImport(ctx context.Context, i exchange.Import) error {
	return db.update(ctx, "sqldb.SaveImport", func(ctx context.Context, tx *sql.Tx) error { return saveImport(ctx, tx, &i) })
}

func saveImport(ctx context.Context, tx *sql.Tx, i *exchange.Import) error {
	return exactlyOne(tx.ExecContext(ctx, `UPDATE catalogue_imports SET state = $1, rows_read = $2, rows_valid = $3, rows_applied = $4, created = $5,
		updated = $6, reason = $7, errors = $8, ended_at = $9 WHERE id = $10`, string(i.State), i.Read, i.Valid, i.Applied, i.Created, i.Updated,
		i.Reason, jsonText(i.Errors), millis(i.EndedAt), i.ID))
}

// Import returns an import of a store, or NotFound.
func (db *DB) Import(ctx context.Context, storeID, id string) (exchange.Import, error) {
	const op = "sqldb.Import"
	i, err := scanImport(db.read.QueryRowContext(ctx, "SELECT "+importColumns+" FROM catalogue_imports WHERE id = $1 AND store_id = $2", id, storeID))
	if errors.Is(err, sql.ErrNoRows) {
		return i, errs.As(errs.NotFound, op, err, "the store has no import %s", id)
	}
	return i, db.fail(op, err)
}

// Imports lists the imports of a store, newest first, those before the one named; all from the newest when it is empty.
func (db *DB) Imports(ctx context.Context, storeID, beforeID string, limit int) ([]exchange.Import, error) {
	where, args := "store_id = $1", []any{storeID}
	if beforeID != "" {
		where, args = where+" AND (created_at, id) < (SELECT created_at, id FROM catalogue_imports WHERE id = $2)", append(args, beforeID)
	}
	args = append(args, limit)
	rows, err := db.read.QueryContext(ctx, "SELECT "+importColumns+" FROM catalogue_imports WHERE "+where+ //nolint:gosec // constants
		" ORDER BY created_at DESC, id DESC LIMIT "+placeholder(len(args)), args...)
	imports, err := collect(rows, err, scanImport)
	return imports, db.fail("sqldb.Imports", err)
}

// OpenImports lists the imports of all stores that have not ended.
func (db *DB) OpenImports(ctx context.Context) ([]exchange.Import, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+importColumns+` FROM catalogue_imports
		WHERE state IN ('waiting', 'checking', 'applying') ORDER BY created_at, id`)
	imports, err := collect(rows, err, scanImport)
	return imports, db.fail("sqldb.OpenImports", err)
}

func scanImport(row scanner) (i exchange.Import, err error) {
	var created, ended sql.NullInt64
	var wrong string
	err = row.Scan(&i.ID, &i.StoreID, &i.Format, &i.DryRun, &i.State, &i.Read, &i.Valid, &i.Applied, &i.Created, &i.Updated, &i.Reason, &wrong,
		&i.By, &created, &ended)
	if err != nil {
		return i, err
	}
	i.CreatedAt, i.EndedAt = instant(created), instant(ended)
	return i, readList(wrong, &i.Errors)
}
