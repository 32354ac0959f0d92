package offer

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// looks is a store that only notes when it is looked at.
type looks struct {
	store
	at    chan time.Time
	sales []FlashSale
	err   error
}

func (l *looks) OpenFlashSales(context.Context) ([]FlashSale, error) {
	l.at <- time.Now()
	return l.sales, l.err
}

func (l *looks) UntoldDrops(context.Context) ([]Drop, error) { return nil, nil }

// Run looks at the clocks when it starts, when something changed, and from time to time; a failure does not end it.
func TestRunLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &looks{at: make(chan time.Time), err: errors.New("the database is away")}
		s := New(Deps{Store: l, Log: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); s.Run(ctx) }()
		begun := <-l.at
		if got := (<-l.at).Sub(begun); got != idle {
			t.Errorf("after a failure it looks again in %v, want %v", got, idle)
		}
		time.Sleep(idle / 2) // of the bubble: no time passes outside
		woken := time.Now()
		s.tell(ctx)
		if got := (<-l.at).Sub(woken); got != 0 {
			t.Errorf("woken, it looks in %v", got)
		}
		cancel()
		<-ended
	})
}

func TestDueOfASale(t *testing.T) {
	ms := func(n int64) *int64 { return &n }
	for _, c := range []struct {
		name string
		sale FlashSale
		in   reading
		want time.Duration
	}{
		{"long before", FlashSale{State: Ready, StartsAtMS: ms(9000)}, reading{clock: 1000, here: true}, busy},
		{"just before", FlashSale{State: Ready, StartsAtMS: ms(1050)}, reading{clock: 1000, here: true}, 50 * time.Millisecond},
		{"missed", FlashSale{State: Ready, StartsAtMS: ms(900)}, reading{clock: 1000, here: true}, time.Millisecond},
		{"until it is stopped", FlashSale{State: Running}, reading{clock: 1000, here: true}, busy},
		{"just before the end", FlashSale{State: Running, StartsAtMS: ms(0), EndsAtMS: ms(1020)}, reading{clock: 1000, here: true}, 20 * time.Millisecond},
		{"elsewhere", FlashSale{State: Ready, StartsAtMS: ms(1000)}, reading{clock: 1000}, idle},
	} {
		if got := due(&c.sale, c.in); got != c.want {
			t.Errorf("%s: looks in %v, want %v", c.name, got, c.want)
		}
	}
}
