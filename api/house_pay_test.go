package api

import (
	"log/slog"

	"github.com/vitrine-live/vitrine/commerce/mall"
	"github.com/vitrine-live/vitrine/commerce/payment"
	"github.com/vitrine-live/vitrine/commerce/reconcile"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

func (h *house) withPay(d *Deps, db *sqldb.DB, log *slog.Logger) {
	d.PayDeps = PayDeps{
		Mall:  mall.NewService(db, h.goods, mall.NewClicks(make([]byte, 32)), nil, d.Now),
		Books: reconcile.New(reconcile.Config{}, h.orders, db, []payment.Provider{h.sandbox}, log, func(string) {}, d.Now),
	}
}
