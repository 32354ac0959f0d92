// Package storetest is the conformance suite of the stores: what every adapter must do, run against a real database.
package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/exchange"
	"github.com/vitrine-live/vitrine/commerce/picture"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay/clip"
	"github.com/vitrine-live/vitrine/replay/highlight"
	"github.com/vitrine-live/vitrine/replay/retention"
)

// Store is all that an adapter implements.
type Store interface {
	CreateRoom(ctx context.Context, r live.Room) error
	Room(ctx context.Context, id string) (live.Room, error)
	RoomByKeyHash(ctx context.Context, hash string) (live.Room, error)
	Rooms(ctx context.Context, after string, limit int) ([]live.Room, error)
	RoomsWithSource(ctx context.Context) ([]live.Room, error)
	UpdateRoom(ctx context.Context, id string, u live.RoomUpdate) (live.Room, error)
	DeleteRoom(ctx context.Context, id string) error

	CreateShow(ctx context.Context, s live.Show) error
	Show(ctx context.Context, id string) (live.Show, error)
	CurrentShow(ctx context.Context, roomID string) (live.Show, error)
	Shows(ctx context.Context, roomID, before string, limit int) ([]live.Show, error)
	UnfinishedShows(ctx context.Context) ([]live.Show, error)
	UpdateShow(ctx context.Context, s live.Show) error
	UpdateScheduled(ctx context.Context, s live.Show) (bool, error)
	AddEpoch(ctx context.Context, showID string, e media.Epoch) error

	catalogueStore
	picture.Store
	exchange.Store

	AppendEvents(ctx context.Context, showID string, events []overlay.Event) (first int64, err error)
	Events(ctx context.Context, showID string, after int64, limit int) ([]overlay.Event, error)
	ShowEnd(ctx context.Context, showID string) (at media.Ticks, wall time.Time, ok bool, err error)

	editStore

	Answers

	lotteryStore

	peopleStore
	orderStore
	audienceStore

	Setting(ctx context.Context, key string) (string, error)
	SetSetting(ctx context.Context, key, value string) error
	SettingOr(ctx context.Context, key, value string) (string, error)

	webhookStore
	mallStore
	reconcileStore
	reminderStore
	funnelStore
	offerStore
	clip.Store
	highlight.Store
	retention.Store
}

// cases are what every adapter is asked.
var cases = []struct {
	name string
	test func(t *testing.T, s Store)
}{
	{"rooms", testRooms},
	{"room list", testRoomList},
	{"room deletion", testRoomDeletion},
	{"shows", testShows},
	{"one show on air", testOneOnAir},
	{"epochs", testEpochs},
	{"products", testProducts},
	{"product list", testProductList},
	{"product update", testProductUpdate},
	{"product images", testImages},
	{"bags", testBags},
	{"product codes", testProductCodes},
	{"SKU changes", testSKUChanges},
	{"offered SKUs", testOfferedSKUs},
	{"stock changes", testStockChanges},
	{"show prices", testShowPrices},
	{"sellable", testSellable},
	{"images", testImages},
	{"product imports", testImports},
	{"import targets", testImportTargets},
	{"applied import", testApplyImport},
	{"catalogue", testCatalogue},
	{"catalogue pages", testCataloguePages},
	{"events", testEvents},
	{"events are gapless", testEventsGapless},
	{"show end", testShowEnd},
	{"schedule", testSchedule},
	{"edits", testEdits},
	{"edit race", testEditRace},
	{"idempotency", func(t *testing.T, s Store) { testIdempotency(t, s) }},
	{"idempotency race", func(t *testing.T, s Store) { testIdempotencyRace(t, s) }},
	{"idempotency expiry", func(t *testing.T, s Store) { testIdempotencyExpiry(t, s) }},
	{"lottery drafts", testLotteryDrafts},
	{"lottery course", testLotteryCourse},
	{"lottery cancelled", testLotteryCancel},
	{"lottery race", testLotteryRace},
	{"lottery full", testLotteryFull},
	{"prizes", testPrizes},
	{"comments", testComments},
	{"mutes", testMutes},
	{"likes", testLikes},
	{"stores", testShops},
	{"viewer secrets", testViewerSecrets},
	{"staff", testStaff},
	{"owners", testOwners},
	{"invitations", testInvitations},
	{"sessions", testSessions},
	{"API tokens", testTokens},
	{"audit log", testAudit},
	{"settings", testSettings},
	{"clips", testClips},
	{"clips that may wait", testClipBounds},
	{"clip queue", testClipQueue},
	{"clip attempts", testClipAttempts},
	{"clip race", testClipRace},
	{"orders", testOrders},
	{"order list", testOrderList},
	{"order payments", testOrderPayments},
	{"order refunds", testOrderRefunds},
	{"orders compete", testOrdersCompete},
	{"order limits", testOrderLimits},
	{"orders expire once", testOrdersExpireOnce},
	{"late payment", testLatePayment},
	{"allotments", testAllotments},
	{"orders at random", testOrdersAtRandom},
	{"sandbox", testSandbox},
	{"reminders", testReminders},
	{"reminder claims", testReminderClaims},
	{"reminder attempts", testReminderAttempts},
	{"reminder shows", testReminderShows},
	{"reminder doubles", testReminderDoubles},
	{"funnel events", testFunnelEvents},
	{"share codes", testShareCodes},
	{"coupons", testCoupons},
	{"coupon claims", testCouponClaims},
	{"given coupons", testGivenCoupons},
	{"prepared offers", testPreparedOffers},
	{"given race", testGivenRace},
	{"claim lists", testClaimLists},
	{"coupon race", testCouponRace},
	{"allowance race", testAllowanceRace},
	{"red packets", testRedPackets},
	{"red packet race", testRedPacketRace},
	{"flash sales", testFlashSales},
	{"flash sale turns", testFlashSaleTurns},
	{"flash sale race", testFlashSaleRace},
	{"offer drops", testDrops},
	{"ended context", testEndedContext},
	{"webhooks", testWebhooks},
	{"webhook limit", testWebhookLimit},
	{"webhook fan-out", testWebhookFanOut},
	{"webhook claims", testWebhookClaims},
	{"webhook reports", testWebhookReports},
	{"webhook replay", testWebhookReplay},
	{"webhook pruning", testWebhookPruning},
	{"malls", testMalls},
	{"external orders", testExternalOrders},
	{"external order race", testExternalOrderRace},
	{"payment checks", testPaymentChecks},
	{"discrepancies", testDiscrepancies},
	{"stray payments", testStrays},
	{"viewer samples", testViewerSamples},
	{"highlights", testHighlights},
	{"retention", testRetention},
}

// Run runs the suite. open returns an empty store that closes with its test.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// epoch0 is when the suite takes place.
var epoch0 = time.Date(2026, 11, 22, 12, 0, 0, 123_000_000, time.UTC)

func newRoom(n int) live.Room {
	return live.Room{
		ID: fmt.Sprintf("room_%016d", n), Title: fmt.Sprintf("房间 %d", n), KeyHash: fmt.Sprintf("hash-%d", n),
		CaptureDelay: 1500 * time.Millisecond, StoreID: account.DefaultStore, CreatedAt: epoch0.Add(time.Duration(n) * time.Second),
	}
}

func newShow(n int, room live.Room, state live.ShowState) live.Show {
	return live.Show{
		ID: fmt.Sprintf("show_%016d", n), RoomID: room.ID, StoreID: room.StoreID, Title: "Evening show", State: state,
		CreatedAt: epoch0.Add(time.Duration(n) * time.Minute),
	}
}

func withRoom(t *testing.T, s Store, n int) live.Room {
	t.Helper()
	r := newRoom(n)
	ok(t, s.CreateRoom(t.Context(), r))
	return r
}

func withShow(t *testing.T, s Store, n int, state live.ShowState) live.Show {
	t.Helper()
	show := newShow(n, withRoom(t, s, n), state)
	ok(t, s.CreateShow(t.Context(), show))
	return show
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// kind checks that an error has a kind and, as each that goes to the person who asked, a message.
func kind(t *testing.T, err error, want errs.Kind) {
	t.Helper()
	if err == nil || errs.KindOf(err) != want {
		t.Errorf("got %v, want an error of kind %v", err, want)
	}
	if errs.MessageOf(err) == "" {
		t.Errorf("the error %v has no message", err)
	}
}

func equal(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
}

// must returns v of a call that may not fail.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		ok(t, err)
		return v
	}
}
