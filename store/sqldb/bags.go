package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// Bag returns the products of a room's bag in order, without their SKUs. NotFound: no such room.
func (db *DB) Bag(ctx context.Context, roomID string) ([]commerce.Product, error) {
	const op = "sqldb.Bag"
	var bag []commerce.Product
	err := db.view(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := roomExists(ctx, tx, op, roomID); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, "SELECT "+productColumns+` FROM products JOIN bag_items ON product_id = products.id
			WHERE room_id = $1 AND deleted = 0 ORDER BY position`, roomID)
		bag, err = collect(rows, err, scanProduct)
		return err
	})
	return bag, err
}

// SetBag replaces a room's bag. NotFound names the room or the first product that its store does not have. Conflict: a product stands twice.
func (db *DB) SetBag(ctx context.Context, roomID string, productIDs []string) error {
	const op = "sqldb.SetBag"
	return db.update(ctx, op, func(ctx context.Context, tx *sql.Tx) error {
		if err := db.lockRow(ctx, tx, "rooms", roomID); err != nil {
			return noRoom(op, roomID, err)
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM bag_items WHERE room_id = $1", roomID); err != nil {
			return err
		}
		for i, id := range productIDs {
			if err := putInBag(ctx, tx, op, roomID, id, i); err != nil {
				return err
			}
		}
		return nil
	})
}

// RoomsWithProduct returns the rooms whose bag holds a product.
func (db *DB) RoomsWithProduct(ctx context.Context, productID string) ([]string, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT room_id FROM bag_items WHERE product_id = $1 ORDER BY room_id", productID)
	rooms, err := collect(rows, err, func(row scanner) (id string, err error) {
		err = row.Scan(&id)
		return id, err
	})
	return rooms, db.fail("sqldb.RoomsWithProduct", err)
}

func roomExists(ctx context.Context, tx *sql.Tx, op, roomID string) error {
	var one int
	return noRoom(op, roomID, tx.QueryRowContext(ctx, "SELECT 1 FROM rooms WHERE id = $1", roomID).Scan(&one))
}

func noRoom(op, id string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.As(errs.NotFound, op, err, "there is no room %s", id)
	}
	return err
}

func putInBag(ctx context.Context, tx *sql.Tx, op, roomID, productID string, position int) error {
	err := exactlyOne(tx.ExecContext(ctx, `INSERT INTO bag_items (room_id, product_id, position)
		SELECT CAST($1 AS TEXT), products.id, CAST($2 AS BIGINT) FROM products JOIN rooms ON rooms.store_id = products.store_id
		WHERE rooms.id = $1 AND products.id = $3 AND deleted = 0`, roomID, position, productID))
	return noProduct(op, productID, err)
}
