package api

import (
	"log/slog"
	"strings"

	"github.com/vitrine-live/vitrine/commerce/lottery"
	"github.com/vitrine-live/vitrine/internal/ratelimit"
	"github.com/vitrine-live/vitrine/overlay/audience"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

// lotteryParts are what the house has of lotteries and of what viewers say and like.
type lotteryParts struct {
	lotteries *lottery.Service
	likes     *audience.Likes
	told      int64 // likes, as the channel heard of them last
}

// Likes stands for the channel.
func (p *lotteryParts) Likes(_, _ string, total int64) { p.told = total }

func (h *house) withLotteries(d *Deps, db *sqldb.DB, log *slog.Logger) {
	h.t.Helper()
	words, err := audience.ReadWords(strings.NewReader(audience.DefaultWords))
	if err != nil {
		h.t.Fatal(err)
	}
	limits := ratelimit.NewMemory(d.Now)
	d.Comments = audience.NewComments(audience.Config{}, audience.CommentDeps{
		Store: db, Shows: h.rooms, Timeline: d.Timeline, Limits: limits, Words: words, Log: log, Now: d.Now,
	})
	d.Likes = audience.NewLikes(audience.Config{}, audience.LikeDeps{Store: db, Shows: h.rooms, Hub: &h.lotteryParts, Limits: limits, Log: log, Now: d.Now})
	h.likes = d.Likes
	h.lotteries = lottery.New(lottery.Config{}, lottery.Deps{
		Store: db, Shows: h.rooms, Coupons: h.offers, Log: log, Now: d.Now, Facts: lottery.Facts{Commented: d.Comments.Said, Likes: d.Likes.Of},
	})
	d.Lotteries = h.lotteries
}
