package storetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
)

// peopleStore is what commerce/account and the API's authorisation ask of an adapter.
type peopleStore interface {
	CreateMerchant(ctx context.Context, m account.Merchant) error
	Merchant(ctx context.Context, id string) (account.Merchant, error)
	Merchants(ctx context.Context, after string, limit int) ([]account.Merchant, error)
	CreateStore(ctx context.Context, s account.Store, ownerID string) error
	Store(ctx context.Context, id string) (account.Store, error)
	Stores(ctx context.Context, f account.StoreFilter, after string, limit int) ([]account.Store, error)
	UpdateStore(ctx context.Context, id string, u account.StoreUpdate) (account.Store, error)
	RoomsOfStore(ctx context.Context, storeID, after string, limit int) ([]live.Room, error)
	ViewerSecrets(ctx context.Context, storeID string, at time.Time) ([]string, error)
	RotateViewerSecret(ctx context.Context, storeID, secret string, at, keep time.Time) error

	AddStaff(ctx context.Context, storeID string, s account.Staff, role account.Role) (account.Member, bool, error)
	Members(ctx context.Context, storeID, after string, limit int) ([]account.Member, error)
	Member(ctx context.Context, storeID, staffID string) (account.Member, error)
	SetRole(ctx context.Context, storeID, staffID string, role account.Role) (account.Member, error)
	RemoveMember(ctx context.Context, storeID, staffID string) error
	Staff(ctx context.Context, id string) (account.Staff, error)
	StaffNamed(ctx context.Context, name string) (account.Staff, error)
	Roles(ctx context.Context, staffID string) (map[string]account.Role, error)
	SetInvitation(ctx context.Context, staffID, hash string, until time.Time) error
	Invited(ctx context.Context, hash string, at time.Time) (account.Staff, error)
	TakeInvitation(ctx context.Context, hash, passwordHash string, at time.Time) error
	SetPassword(ctx context.Context, staffID, was, passwordHash string, endSessions bool) error

	CreateSession(ctx context.Context, s account.Session, hash string) error
	SessionByHash(ctx context.Context, hash string, at time.Time) (account.Session, error)
	TouchSession(ctx context.Context, id string, used, until time.Time) error
	Sessions(ctx context.Context, staffID string, at time.Time) ([]account.Session, error)
	EndSession(ctx context.Context, staffID, id string) error

	CreateToken(ctx context.Context, t account.Token, hash string) error
	TokenByHash(ctx context.Context, hash string, at time.Time) (account.Token, error)
	TouchToken(ctx context.Context, id string, used time.Time) error
	Tokens(ctx context.Context, storeID, after string, limit int) ([]account.Token, error)
	DeleteToken(ctx context.Context, storeID, id string) error

	AddAudit(ctx context.Context, es []account.Entry) error
	AddAuditOutcome(ctx context.Context, entryIDs []string, o account.Outcome) error
	AuditEntries(ctx context.Context, f account.EntryFilter, before string, limit int) ([]account.Entry, error)
}

func newShop(n int, merchantID string) account.Store {
	return account.Store{
		ID: fmt.Sprintf("store_%016d", n), MerchantID: merchantID, Name: fmt.Sprintf("茶 %d", n), Currency: "CNY", CreatedAt: epoch0.Add(time.Duration(n) * time.Second),
	}
}

func newPerson(n int) account.Staff {
	return account.Staff{
		ID: fmt.Sprintf("staff_%016d", n), Login: fmt.Sprintf("person-%d", n), Email: fmt.Sprintf("p%d@example.com", n), Name: fmt.Sprintf("梅 %d", n),
		CreatedAt: epoch0.Add(time.Duration(n) * time.Second),
	}
}

// withShops makes two merchants, the first with two stores, the second with one.
func withShops(t *testing.T, s Store) (a, b, other account.Store) {
	t.Helper()
	var shops []account.Store
	for n, merchant := range []int{1, 1, 2} {
		m := account.Merchant{ID: fmt.Sprintf("merchant_%016d", merchant), Name: "Merchant", CreatedAt: epoch0.Add(time.Duration(merchant) * time.Second)}
		if n != 1 {
			ok(t, s.CreateMerchant(t.Context(), m))
		}
		shop := newShop(n+1, m.ID)
		ok(t, s.CreateStore(t.Context(), shop, ""))
		shops = append(shops, shop)
	}
	return shops[0], shops[1], shops[2]
}

func testShops(t *testing.T, s Store) {
	ctx := t.Context()
	a, b, other := withShops(t, s)
	equal(t, must(s.Store(ctx, a.ID))(t), a)
	_, err := s.Store(ctx, "store_x")
	kind(t, err, errs.NotFound)
	_, err = s.Merchant(ctx, "merchant_x")
	kind(t, err, errs.NotFound)
	kind(t, s.CreateStore(ctx, newShop(9, "merchant_x"), ""), errs.NotFound)
	kind(t, s.CreateStore(ctx, a, ""), errs.Conflict)
	merchants := must(s.Merchants(ctx, "", 10))(t)
	equal(t, len(merchants), 3) // and that of the default store
	equal(t, must(s.Merchants(ctx, merchants[0].ID, 1))(t), merchants[1:2])
	equal(t, must(s.Merchant(ctx, merchants[1].ID))(t), merchants[1])
	of := func(f account.StoreFilter, after string) []account.Store { return must(s.Stores(ctx, f, after, 10))(t) }
	equal(t, of(account.StoreFilter{MerchantID: a.MerchantID}, ""), []account.Store{a, b})
	equal(t, of(account.StoreFilter{}, b.ID), []account.Store{other})
	equal(t, len(of(account.StoreFilter{StaffID: "staff_x"}, "")), 0)
	name := "New name"
	a.Name = name
	equal(t, must(s.UpdateStore(ctx, a.ID, account.StoreUpdate{Name: &name}))(t), a)
	_, err = s.UpdateStore(ctx, "store_x", account.StoreUpdate{Name: &name})
	kind(t, err, errs.NotFound)

	owner := must2(s.AddStaff(ctx, a.ID, newPerson(1), account.Owner))(t)
	third := newShop(4, a.MerchantID)
	ok(t, s.CreateStore(ctx, third, owner.ID))
	equal(t, of(account.StoreFilter{StaffID: owner.ID}, ""), []account.Store{a, third})
	kind(t, s.CreateStore(ctx, newShop(5, other.MerchantID), owner.ID), errs.NotFound) // of another merchant
	_, err = s.Store(ctx, newShop(5, "").ID)
	kind(t, err, errs.NotFound)

	room := newRoom(1)
	room.StoreID = a.ID
	ok(t, s.CreateRoom(ctx, room))
	withRoom(t, s, 2)
	equal(t, must(s.RoomsOfStore(ctx, a.ID, "", 10))(t), []live.Room{room})
	equal(t, len(must(s.RoomsOfStore(ctx, a.ID, room.ID, 10))(t)), 0)
	equal(t, len(must(s.RoomsOfStore(ctx, b.ID, "", 10))(t)), 0)
}

// must2 returns the first of two values of a call that may not fail.
func must2[T, U any](v T, _ U, err error) func(t *testing.T) T {
	return must(v, err)
}

func testViewerSecrets(t *testing.T, s Store) {
	ctx := t.Context()
	a, b, _ := withShops(t, s)
	at := func(h int) time.Time { return epoch0.Add(time.Duration(h) * time.Hour) }
	secrets := func(h int) []string { return must(s.ViewerSecrets(ctx, a.ID, at(h)))(t) }
	equal(t, len(secrets(0)), 0)
	ok(t, s.RotateViewerSecret(ctx, a.ID, "first", at(0), at(1)))
	equal(t, secrets(1000), []string{"first"})
	ok(t, s.RotateViewerSecret(ctx, a.ID, "second", at(1), at(25)))
	equal(t, secrets(24), []string{"second", "first"})
	equal(t, secrets(25), []string{"second"})
	ok(t, s.RotateViewerSecret(ctx, a.ID, "third", at(2), at(26)))
	equal(t, secrets(2), []string{"third", "second"}) // two at most
	ok(t, s.RotateViewerSecret(ctx, a.ID, "fourth", at(3), at(3)))
	equal(t, secrets(3), []string{"fourth"})
	equal(t, len(must(s.ViewerSecrets(ctx, b.ID, at(3)))(t)), 0)
	kind(t, s.RotateViewerSecret(ctx, "store_x", "x", at(0), at(1)), errs.NotFound)
}

func testStaff(t *testing.T, s Store) {
	ctx := t.Context()
	a, b, other := withShops(t, s)
	p := newPerson(1)
	m, added, err := s.AddStaff(ctx, a.ID, p, account.Owner)
	p.MerchantID = a.MerchantID
	want := account.Member{Staff: p, StoreID: a.ID, Role: account.Owner, Since: p.CreatedAt}
	if err != nil || !added {
		t.Fatalf("added %v, %v", added, err)
	}
	equal(t, m, want)
	equal(t, must(s.Member(ctx, a.ID, p.ID))(t), want)
	for _, name := range []string{p.Login, p.Email} {
		equal(t, must(s.StaffNamed(ctx, name))(t), p)
	}
	for _, name := range []string{"", "nobody"} {
		_, err = s.StaffNamed(ctx, name)
		kind(t, err, errs.NotFound)
	}
	_, _, err = s.AddStaff(ctx, a.ID, newPerson(1), account.Anchor)
	kind(t, err, errs.Conflict)
	again := account.Staff{ID: "staff_x", Login: p.Login, Name: "Other name", CreatedAt: epoch0.Add(time.Hour)}
	m, added, err = s.AddStaff(ctx, b.ID, again, account.Anchor) // the same person in the merchant's other store
	if err != nil || added || m.ID != p.ID || m.Name != p.Name || m.Role != account.Anchor {
		t.Errorf("%+v, %v, %v", m, added, err)
	}
	_, _, err = s.AddStaff(ctx, other.ID, again, account.Owner) // of another merchant: whose name it is stays untold
	kind(t, err, errs.Conflict)
	mixed := newPerson(2)
	mixed.Email = p.Email
	_, _, err = s.AddStaff(ctx, b.ID, mixed, account.Anchor)
	kind(t, err, errs.Conflict)
	_, _, err = s.AddStaff(ctx, "store_x", newPerson(3), account.Owner)
	kind(t, err, errs.NotFound)
	equal(t, must(s.Roles(ctx, p.ID))(t), map[string]account.Role{a.ID: account.Owner, b.ID: account.Anchor})
	equal(t, len(must(s.Roles(ctx, "staff_x"))(t)), 0)

	second := must2(s.AddStaff(ctx, a.ID, newPerson(2), account.Operator))(t)
	equal(t, must(s.Members(ctx, a.ID, "", 10))(t), []account.Member{want, second})
	equal(t, must(s.Members(ctx, a.ID, p.ID, 10))(t), []account.Member{second})
	equal(t, len(must(s.Members(ctx, other.ID, "", 10))(t)), 0)
}

func testOwners(t *testing.T, s Store) {
	ctx := t.Context()
	a, b, _ := withShops(t, s)
	one := must2(s.AddStaff(ctx, a.ID, newPerson(1), account.Owner))(t)
	_, err := s.SetRole(ctx, a.ID, one.ID, account.Anchor)
	kind(t, err, errs.Conflict)
	kind(t, s.RemoveMember(ctx, a.ID, one.ID), errs.Conflict)
	equal(t, must(s.Member(ctx, a.ID, one.ID))(t), one)
	two := must2(s.AddStaff(ctx, a.ID, newPerson(2), account.Owner))(t)
	var left atomic.Int32 // both leave at once: one stays
	var wg sync.WaitGroup
	for _, id := range []string{one.ID, two.ID} {
		wg.Go(func() {
			if err := s.RemoveMember(ctx, a.ID, id); err == nil {
				left.Add(1)
			} else if errs.KindOf(err) != errs.Conflict {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	rest := must(s.Members(ctx, a.ID, "", 10))(t)
	if left.Load() != 1 || len(rest) != 1 {
		t.Fatalf("%d left, %d stay", left.Load(), len(rest))
	}
	must2(s.AddStaff(ctx, b.ID, rest[0].Staff, account.Owner))(t)
	three := must2(s.AddStaff(ctx, a.ID, newPerson(3), account.Owner))(t)
	three.Role = account.Assistant
	equal(t, must(s.SetRole(ctx, a.ID, three.ID, account.Assistant))(t), three)
	ok(t, s.RemoveMember(ctx, a.ID, three.ID))
	_, err = s.Staff(ctx, three.ID) // worked nowhere else
	kind(t, err, errs.NotFound)
	equal(t, must(s.Staff(ctx, rest[0].ID))(t), rest[0].Staff)
	kind(t, s.RemoveMember(ctx, b.ID, three.ID), errs.NotFound)
	_, err = s.SetRole(ctx, b.ID, three.ID, account.Anchor)
	kind(t, err, errs.NotFound)
}

func testInvitations(t *testing.T, s Store) {
	ctx := t.Context()
	a, _, _ := withShops(t, s)
	m := must2(s.AddStaff(ctx, a.ID, newPerson(1), account.Owner))(t)
	until := epoch0.Add(time.Hour)
	ok(t, s.SetInvitation(ctx, m.ID, "first", until))
	ok(t, s.SetInvitation(ctx, m.ID, "second", until))
	m.InvitedUntil = until
	equal(t, must(s.Member(ctx, a.ID, m.ID))(t), m)
	equal(t, must(s.Invited(ctx, "second", epoch0))(t), m.Staff)
	for hash, at := range map[string]time.Time{"first": epoch0, "second": until, "": epoch0} {
		_, err := s.Invited(ctx, hash, at)
		kind(t, err, errs.NotFound)
		kind(t, s.TakeInvitation(ctx, hash, "pw", at), errs.NotFound)
	}
	session := account.Session{ID: "sess_1", StaffID: m.ID, CreatedAt: epoch0, UsedAt: epoch0, ExpiresAt: until}
	ok(t, s.CreateSession(ctx, session, "token"))
	ok(t, s.TakeInvitation(ctx, "second", "pw", epoch0))
	kind(t, s.TakeInvitation(ctx, "second", "pw2", epoch0), errs.NotFound)
	_, err := s.SessionByHash(ctx, "token", epoch0)
	kind(t, err, errs.NotFound)
	m.PasswordHash, m.InvitedUntil = "pw", time.Time{}
	equal(t, must(s.Member(ctx, a.ID, m.ID))(t), m)

	ok(t, s.SetPassword(ctx, m.ID, "pw", "pw2", false))
	kind(t, s.SetPassword(ctx, m.ID, "pw", "pw3", true), errs.NotFound)
	equal(t, must(s.Staff(ctx, m.ID))(t).PasswordHash, "pw2")
}

func testSessions(t *testing.T, s Store) {
	ctx := t.Context()
	a, _, _ := withShops(t, s)
	m, n := must2(s.AddStaff(ctx, a.ID, newPerson(1), account.Owner))(t), must2(s.AddStaff(ctx, a.ID, newPerson(2), account.Owner))(t)
	at := func(h int) time.Time { return epoch0.Add(time.Duration(h) * time.Hour) }
	first := account.Session{ID: "sess_1", StaffID: m.ID, Remote: "192.0.2.1", Agent: "Firefox", CreatedAt: at(0), UsedAt: at(0), ExpiresAt: at(2)}
	second := account.Session{ID: "sess_2", StaffID: m.ID, CreatedAt: at(1), UsedAt: at(1), ExpiresAt: at(9)}
	ok(t, s.CreateSession(ctx, first, "h1"))
	ok(t, s.CreateSession(ctx, second, "h2"))
	equal(t, must(s.SessionByHash(ctx, "h1", at(1)))(t), first)
	equal(t, must(s.Sessions(ctx, m.ID, at(1)))(t), []account.Session{second, first})
	equal(t, must(s.Sessions(ctx, m.ID, at(2)))(t), []account.Session{second})
	_, err := s.SessionByHash(ctx, "h1", at(2))
	kind(t, err, errs.NotFound)
	ok(t, s.TouchSession(ctx, second.ID, at(3), at(11)))
	second.UsedAt, second.ExpiresAt = at(3), at(11)
	equal(t, must(s.SessionByHash(ctx, "h2", at(10)))(t), second)
	kind(t, s.EndSession(ctx, n.ID, second.ID), errs.NotFound) // somebody else's
	ok(t, s.EndSession(ctx, m.ID, second.ID))
	_, err = s.SessionByHash(ctx, "h2", at(10))
	kind(t, err, errs.NotFound)
	kind(t, s.CreateSession(ctx, account.Session{ID: "sess_3", StaffID: "staff_x", CreatedAt: at(0), UsedAt: at(0), ExpiresAt: at(1)}, "h3"), errs.NotFound)
	ok(t, s.CreateSession(ctx, account.Session{ID: "sess_4", StaffID: m.ID, CreatedAt: at(20), UsedAt: at(20), ExpiresAt: at(21)}, "h4"))
	ok(t, s.SetPassword(ctx, m.ID, "", "pw", true))
	equal(t, len(must(s.Sessions(ctx, m.ID, at(20)))(t)), 0)
}

func testTokens(t *testing.T, s Store) {
	ctx := t.Context()
	a, b, _ := withShops(t, s)
	lasting := account.Token{ID: "tok_1", StoreID: a.ID, Name: "ERP", Scopes: []account.Permission{account.OrdersRead}, CreatedBy: "admin", CreatedAt: epoch0}
	ending := account.Token{ID: "tok_2", StoreID: a.ID, Name: "Ends", Scopes: account.Permissions, CreatedBy: "staff_1", CreatedAt: epoch0.Add(1e9), ExpiresAt: epoch0.Add(time.Hour)}
	ok(t, s.CreateToken(ctx, lasting, "h1"))
	ok(t, s.CreateToken(ctx, ending, "h2"))
	equal(t, must(s.TokenByHash(ctx, "h1", epoch0.Add(1e6*time.Second)))(t), lasting)
	equal(t, must(s.TokenByHash(ctx, "h2", epoch0))(t), ending)
	_, err := s.TokenByHash(ctx, "h2", epoch0.Add(time.Hour))
	kind(t, err, errs.NotFound)
	ok(t, s.TouchToken(ctx, lasting.ID, epoch0.Add(time.Minute)))
	lasting.UsedAt = epoch0.Add(time.Minute)
	equal(t, must(s.Tokens(ctx, a.ID, "", 10))(t), []account.Token{lasting, ending})
	equal(t, must(s.Tokens(ctx, a.ID, lasting.ID, 10))(t), []account.Token{ending})
	equal(t, len(must(s.Tokens(ctx, b.ID, "", 10))(t)), 0)
	kind(t, s.DeleteToken(ctx, b.ID, lasting.ID), errs.NotFound)
	ok(t, s.DeleteToken(ctx, a.ID, lasting.ID))
	_, err = s.TokenByHash(ctx, "h1", epoch0)
	kind(t, err, errs.NotFound)
	kind(t, s.CreateToken(ctx, account.Token{ID: "tok_3", StoreID: "store_x", CreatedAt: epoch0}, "h3"), errs.NotFound)
}

func testAudit(t *testing.T, s Store) {
	ctx := t.Context()
	entry := func(n int, storeID, who, operation string) account.Entry {
		return account.Entry{
			ID: fmt.Sprintf("aud_%016d", n), StoreID: storeID, At: epoch0.Add(time.Duration(n) * time.Minute), Who: who, Name: "梅", Role: account.Owner,
			Remote: "192.0.2.1", Operation: operation, Permission: account.StaffWrite, Targets: map[string]string{"store": storeID},
		}
	}
	es := []account.Entry{entry(1, "a", "staff_1", "set-role"), entry(2, "a", "staff_2", "set-role"), entry(3, "b", "staff_1", "add-staff"), entry(4, "", "admin", "create-merchant")}
	es[3].Outcome = &account.Outcome{At: epoch0, Status: 403}
	ok(t, s.AddAudit(ctx, es))
	o := account.Outcome{At: epoch0.Add(time.Hour), Status: 200, Changes: map[string]account.Change{"role": {Before: "anchor", After: "owner"}}}
	ok(t, s.AddAuditOutcome(ctx, []string{es[0].ID, es[2].ID}, o))
	es[0].Outcome, es[2].Outcome = &o, &o
	kind(t, s.AddAuditOutcome(ctx, []string{es[0].ID}, o), errs.Conflict)
	kind(t, s.AddAuditOutcome(ctx, []string{"aud_x"}, o), errs.NotFound)
	list := func(f account.EntryFilter, before string) []account.Entry {
		return must(s.AuditEntries(ctx, f, before, 10))(t)
	}
	equal(t, list(account.EntryFilter{StoreID: "a"}, ""), []account.Entry{es[1], es[0]})
	equal(t, list(account.EntryFilter{StoreID: "a"}, es[1].ID), []account.Entry{es[0]})
	equal(t, list(account.EntryFilter{StoreID: "a", Who: "staff_1"}, ""), []account.Entry{es[0]})
	equal(t, list(account.EntryFilter{AllStores: true}, ""), []account.Entry{es[3], es[2], es[1], es[0]})
	equal(t, list(account.EntryFilter{AllStores: true, Operation: "add-staff"}, ""), []account.Entry{es[2]})
	equal(t, list(account.EntryFilter{AllStores: true, From: es[1].At, To: es[3].At}, ""), []account.Entry{es[2], es[1]})
	equal(t, list(account.EntryFilter{}, ""), []account.Entry{es[3]}) // of no store
	kind(t, s.AddAudit(ctx, []account.Entry{entry(5, "a", "x", "y"), es[0]}), errs.Conflict)
	equal(t, len(list(account.EntryFilter{AllStores: true}, "")), 4) // all or none
}
