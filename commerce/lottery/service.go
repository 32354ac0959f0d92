package lottery

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
)

// lotteryStore keeps lotteries. Each method is one transaction. What changes a state does so only from the state that it
// belongs to, whoever else is at it: Conflict otherwise.
type lotteryStore interface {
	CreateLottery(ctx context.Context, l Lottery) error
	Lottery(ctx context.Context, id string) (Lottery, error)               // NotFound
	StoreLottery(ctx context.Context, storeID, id string) (Lottery, error) // NotFound, also for one of another store
	// Lotteries lists a store's, newest first, those made before the one named; showID "" stands for all shows.
	Lotteries(ctx context.Context, storeID, showID, before string, limit int) ([]Lottery, error)
	// ShownLotteries lists those of a show that viewers may know of, in the order of their opening.
	ShownLotteries(ctx context.Context, showID string) ([]Lottery, error)
	// LotteriesAtWork lists those that wait for something, of all stores, at most limit.
	LotteriesAtWork(ctx context.Context, limit int) ([]Lottery, error)
	// UpdateLottery changes the terms of a draft; an error of change comes back and nothing is written.
	UpdateLottery(ctx context.Context, storeID, id string, change func(*Terms) error) (Lottery, error) // NotFound, Conflict
	OpenLottery(ctx context.Context, id string, o Opening) (Lottery, error)                            // NotFound, Conflict
	CancelLottery(ctx context.Context, storeID, id, reason string, at time.Time) (Lottery, error)      // NotFound, Conflict
	// CloseLottery fixes the entrants and stores their hash.
	CloseLottery(ctx context.Context, id string, at time.Time, hash func(entrants []string) string) (Lottery, error) // NotFound, Conflict
	// DrawLottery publishes the seed and stores the winners that draw makes of it and the entries.
	DrawLottery(ctx context.Context, id string, d Drawing) (Lottery, error) // NotFound, Conflict
	LotteryAnnounced(ctx context.Context, id string, s State) error

	// EnterLottery adds a viewer to an open lottery with at most limit entries, or returns the entry that is there. The
	// entrant is what pseudonym makes of the lottery's secret.
	EnterLottery(ctx context.Context, id string, e Entry, limit int, pseudonym func(Secret) string) (Entry, error) // NotFound, Conflict, Exhausted
	LotteryEntry(ctx context.Context, id, viewerID string) (Entry, error)                                          // NotFound
	// LotteryEntrants lists all entrants, ascending by their bytes.
	LotteryEntrants(ctx context.Context, id string) ([]string, error)

	LotteryWinners(ctx context.Context, id string) ([]Winner, error) // by rank
	ViewerPrizes(ctx context.Context, viewerID string, limit int) ([]Winner, error)
	// ClaimPrize claims a pending prize of a viewer; claim decides and fills in, its error comes back.
	ClaimPrize(ctx context.Context, viewerID, id string, claim func(*Winner) error) (Winner, error) // NotFound
	LapsePrizes(ctx context.Context, at time.Time) (int64, error)
}

// Opening is what is decided at the opening.
type Opening struct {
	Secret     Secret
	Commitment string
	OpenedMS   int64
	ClosesMS   int64
	At         time.Time
	ClosesBy   time.Time
}

// Drawing is what a draw does to a closed lottery.
type Drawing struct {
	At, ClaimsBy time.Time
	// Winners makes the winners of the seed and all entries.
	Winners func(l *Lottery, seed []byte, entries []Entry) ([]Winner, error)
}

// shows is the part of live rooms that lotteries need.
type shows interface {
	ShopShow(ctx context.Context, showID string) (commerce.Show, error) // NotFound
	// OnAirNow returns the show of a room that this process has on air and where its clock is.
	OnAirNow(roomID string) (showID string, atMS int64, ok bool)
	// Tell places an event onto a show's timeline; Conflict: this process has it not on air.
	Tell(ctx context.Context, showID, typ string, atMS *int64, data any) (showTimeMS int64, err error)
}

// Facts tell what viewers have done, as far as conditions ask for it. Fields that are nil leave their condition out:
// lotteries with it cannot be made.
type Facts struct {
	// Commented reports whether a viewer's comment with a phrase is shown in a show, of those made since an instant.
	Commented func(ctx context.Context, showID, viewerID, phrase string, since time.Time) (bool, error)
	Likes     func(ctx context.Context, showID, viewerID string) (int64, error)
	Reminder  func(ctx context.Context, viewerID, showID string) (bool, error)
	Bought    func(ctx context.Context, viewerID, storeID, showID string) (bool, error)
}

// coupons gives out coupons that were won, once per ref.
type coupons interface {
	// Usable reports why a coupon cannot be a prize that winners may claim until an instant: NotFound when the store has none
	// of this id, Conflict when it cannot be promised.
	Usable(ctx context.Context, storeID, couponID string, until time.Time) error
	Give(ctx context.Context, storeID, couponID, viewerID, ref string) (claimID string, err error)
}

// Deps are what lotteries work with.
type Deps struct {
	Store   lotteryStore
	Shows   shows
	Facts   Facts
	Coupons coupons // nil: no coupons as prizes
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now
	// Count is told what happened, n times: a state that a lottery came to, "entered", "lapsed" (prizes), "failed" (steps that
	// are tried again). nil: nobody counts.
	Count func(what string, n int64)
}

// Service is the lotteries of all stores. Nothing in it lets anybody choose a winner or draw again. Safe for concurrent
// use, by several processes over one store as well.
type Service struct {
	Deps
	cfg Config
}

// Config sets up lotteries. The zero value of each field stands for its default.
type Config struct {
	// RevealAfter is the least time between the publication of the entrants' hash and that of the seed, in which anybody
	// may note the one before they know the other. Default 5 s.
	RevealAfter time.Duration
	// Grace is how long after its window a lottery closes when the show's clock stands because the anchor is away. Default
	// 10 minutes.
	Grace time.Duration
}

// Validate returns an Invalid error that names the first field out of range.
func (c Config) Validate() error {
	const op = "lottery.Config"
	if c.RevealAfter < 0 || c.RevealAfter > 10*time.Minute {
		return errs.Field(op, "reveal_after", "must be at most 10 minutes")
	}
	if c.Grace < 0 || c.Grace > 24*time.Hour {
		return errs.Field(op, "grace", "must be at most a day")
	}
	return nil
}

// New makes the service. cfg must be valid.
func New(cfg Config, deps Deps) *Service {
	if cfg.RevealAfter == 0 {
		cfg.RevealAfter = 5 * time.Second
	}
	if cfg.Grace == 0 {
		cfg.Grace = 10 * time.Minute
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Count == nil {
		deps.Count = func(string, int64) {}
	}
	return &Service{Deps: deps, cfg: cfg}
}

// Create makes a draft. Invalid names the field; NotFound: the store has no such show, or no such coupon;
// Conflict: the show has ended, or a coupon cannot be promised.
func (s *Service) Create(ctx context.Context, storeID string, t Terms) (Lottery, error) {
	const op = "lottery.Create"
	if err := s.check(ctx, storeID, &t); err != nil {
		return Lottery{}, errs.Wrap(op, err)
	}
	l := Lottery{
		ID: ids.New("lot"), StoreID: storeID, Terms: t, State: Draft, Announced: Draft, CreatedAt: s.instant(), OpenedMS: -1, ClosesMS: -1,
	}
	return l, errs.Wrap(op, s.Store.CreateLottery(ctx, l))
}

// Update changes a draft by change. Errors as those of Create; Conflict: it has been opened.
func (s *Service) Update(ctx context.Context, storeID, id string, t Terms) (Lottery, error) {
	const op = "lottery.Update"
	if err := s.check(ctx, storeID, &t); err != nil {
		return Lottery{}, errs.Wrap(op, err)
	}
	l, err := s.Store.UpdateLottery(ctx, storeID, id, func(old *Terms) error { *old = t; return nil })
	return l, errs.Wrap(op, err)
}

// Get returns a store's lottery, or NotFound.
func (s *Service) Get(ctx context.Context, storeID, id string) (Lottery, error) {
	l, err := s.Store.StoreLottery(ctx, storeID, id)
	return l, errs.Wrap("lottery.Get", err)
}

// List returns at most limit of a store's lotteries, newest first, made before the one named; showID "" stands for all.
func (s *Service) List(ctx context.Context, storeID, showID, before string, limit int) ([]Lottery, error) {
	all, err := s.Store.Lotteries(ctx, storeID, showID, before, limit)
	return all, errs.Wrap("lottery.List", err)
}

// Shown returns the lotteries of a show that were opened, in the order of their opening, cancelled ones too.
func (s *Service) Shown(ctx context.Context, showID string) ([]Lottery, error) {
	all, err := s.Store.ShownLotteries(ctx, showID)
	return all, errs.Wrap("lottery.Shown", err)
}

// Public returns a lottery that was opened, or NotFound.
func (s *Service) Public(ctx context.Context, id string) (Lottery, error) {
	const op = "lottery.Public"
	l, err := s.Store.Lottery(ctx, id)
	if err == nil && l.Commitment == "" {
		err = errs.New(errs.NotFound, op, "there is no lottery %s", id)
	}
	if err != nil {
		return Lottery{}, errs.Wrap(op, err)
	}
	return l, nil
}

// Winners returns the winners of a store's lottery with what they claimed, by rank. NotFound.
func (s *Service) Winners(ctx context.Context, storeID, id string) ([]Winner, error) {
	const op = "lottery.Winners"
	if _, err := s.Store.StoreLottery(ctx, storeID, id); err != nil {
		return nil, errs.Wrap(op, err)
	}
	all, err := s.Store.LotteryWinners(ctx, id)
	return all, errs.Wrap(op, err)
}

// check looks at terms as they come from staff.
func (s *Service) check(ctx context.Context, storeID string, t *Terms) error {
	const op = "lottery.check"
	t.Title, t.Conditions.Phrase = strings.TrimSpace(t.Title), strings.TrimSpace(t.Conditions.Phrase)
	if err := t.Validate(); err != nil {
		return err
	}
	show, err := s.Shows.ShopShow(ctx, t.ShowID)
	if err != nil {
		return err
	}
	switch c := t.Conditions; {
	case show.StoreID != storeID:
		return errs.New(errs.NotFound, op, "the store has no show %s", t.ShowID)
	case show.Ended():
		return errs.New(errs.Conflict, op, "the show has ended: lotteries take place on air")
	case c.Phrase != "" && s.Facts.Commented == nil, c.MinLikes > 0 && s.Facts.Likes == nil,
		c.Reminder && s.Facts.Reminder == nil, c.Bought && s.Facts.Bought == nil:
		return errs.Field(op, "conditions", "this server cannot check one of these conditions")
	}
	return s.checkCoupons(ctx, storeID, t)
}

// checkCoupons makes sure that the coupons among the prizes can be promised: that winners of a lottery which opened now would get
// them. From the opening on nothing can take them back.
func (s *Service) checkCoupons(ctx context.Context, storeID string, t *Terms) error {
	until := s.instant().Add(t.Window + t.ClaimFor)
	for _, p := range t.Prizes {
		if p.CouponID == "" {
			continue
		}
		if s.Coupons == nil {
			return errs.Field("lottery.check", "prizes", "this server gives out no coupons as prizes")
		}
		if err := s.Coupons.Usable(ctx, storeID, p.CouponID, until); err != nil {
			return err
		}
	}
	return nil
}

// instant is now as it is stored and shown: whole milliseconds, UTC.
func (s *Service) instant() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
