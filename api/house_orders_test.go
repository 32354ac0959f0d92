package api

import (
	"context"
	"log/slog"

	"github.com/vitrine-live/vitrine/commerce/order"
	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/providers/sandbox"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

// orderParts are what the house has of orders.
type orderParts struct {
	orders  *order.Service
	sandbox *sandbox.Provider
}

func (h *house) withOrders(d *Deps, db *sqldb.DB, log *slog.Logger) {
	h.sandbox = sandbox.New(sandbox.Config{Secret: make([]byte, 32)}, db, log, d.Now)
	h.orders = order.New(order.Config{}, order.Deps{
		Store: db, Goods: h.goods, Offers: h.offers, Shows: h.rooms, Providers: []payment.Provider{h.sandbox}, Log: log, Now: d.Now,
		PoolChanged: h.offers.PoolChanged,
	})
	h.sandbox.Connect(func(ctx context.Context, header map[string][]string, body []byte) error {
		return h.orders.Notification(ctx, sandbox.Name, header, body)
	})
	d.OrderDeps = OrderDeps{Orders: h.orders, SandboxPage: h.sandbox}
}
