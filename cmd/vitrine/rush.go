package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/commerce/stock"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

// rush is a shop under a rush of buyers: the service that sells, over a real database.
type rush struct {
	db     *sqldb.DB
	orders *order.Service
	skus   []string
	total  int64 // what an order of one piece costs
}

// openRush puts the service over a database. gate may be nil.
func openRush(db *sqldb.DB, gate order.Gate, change func(*order.Deps)) *rush {
	deps := order.Deps{Store: db, Goods: commerce.NewCatalogue(db, nil), Gate: gate, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&deps)
	}
	return &rush{db: db, orders: order.New(order.Config{}, deps)}
}

// stockUp makes products of one SKU each.
func (r *rush) stockUp(ctx context.Context, skus int, units int64) error {
	catalogue := commerce.NewCatalogue(r.db, nil)
	for n := range skus {
		p, err := catalogue.Create(ctx, commerce.Product{Title: "Lamp " + strconv.Itoa(n+1), Price: commerce.Money{Amount: 9900, Currency: "CNY"}, Stock: &units})
		if err != nil {
			return err
		}
		r.skus = append(r.skus, p.SKUs[0].ID)
	}
	return r.ask(ctx)
}

// ask learns what an order costs.
func (r *rush) ask(ctx context.Context) error {
	q, err := r.orders.Quote(ctx, r.cart("visitor:asks", r.skus[0]))
	r.total = q.Total
	return err
}

func (r *rush) cart(viewer, sku string) order.Cart {
	return order.Cart{StoreID: account.DefaultStore, ViewerID: viewer, Lines: []order.CartLine{{SKU: sku, Quantity: 1}}}
}

// buy orders one piece.
func (r *rush) buy(ctx context.Context, viewer, sku string) (order.Order, error) {
	return r.orders.Place(ctx, order.Placing{
		Cart: r.cart(viewer, sku), Buyer: account.Viewer{ID: viewer, Name: "Buyer"}, Expects: r.total,
		Address: order.Address{Name: "Li Lei", Phone: "13800000000", Region: "Shanghai", Detail: "Nanjing Road 1"},
	})
}

// pay reports a payment of an order, as its provider would.
func (r *rush) pay(ctx context.Context, o *order.Order, transaction string) error {
	return r.orders.Notified(ctx, "bench", payment.Notification{ID: transaction, Payment: &payment.Result{
		OrderNo: o.No, TransactionID: transaction, State: payment.Paid, Amount: commerce.Money{Amount: o.Total, Currency: o.Currency},
	}})
}

// level sums the pools of all SKUs. An error names a pool whose pieces do not add up.
func (r *rush) level(ctx context.Context) (all stock.Level, err error) {
	for _, sku := range r.skus {
		pools, err := r.db.Pools(ctx, sku)
		if err != nil {
			return all, err
		}
		for _, p := range pools {
			if !p.Whole() {
				return all, fmt.Errorf("the pieces of %s do not add up: %+v", p.ID, p.Level)
			}
		}
		all = all.Plus(stock.Sum(pools))
	}
	return all, nil
}

// soldOut reports whether a buyer came too late, which is no failure.
func soldOut(err error) bool {
	var s *order.SoldOut
	return errors.As(err, &s)
}
