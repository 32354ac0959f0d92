package api

import (
	"log/slog"

	"github.com/vitrine-live/vitrine/commerce/lottery"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

// lotteryParts are what the house has of lotteries.
type lotteryParts struct {
	lotteries *lottery.Service
}

func (h *house) withLotteries(d *Deps, db *sqldb.DB, log *slog.Logger) {
	h.lotteries = lottery.New(lottery.Config{}, lottery.Deps{Store: db, Shows: h.rooms, Log: log, Now: d.Now})
	d.Lotteries = h.lotteries
}
