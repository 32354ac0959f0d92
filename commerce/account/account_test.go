package account

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// TestRoles says what each role may, permission by permission: o owner, p operator, a anchor, s assistant.
func TestRoles(t *testing.T) {
	table := map[Permission]string{
		StoreRead: "opas", StoreWrite: "o", StaffWrite: "o", AuditRead: "op", CatalogueRead: "opas", CatalogueWrite: "op", StockWrite: "op",
		OrdersRead: "op", OrdersWrite: "op", OffersWrite: "op", RoomsRead: "opas", RoomsWrite: "op", OverlayWrite: "opas", ReplayWrite: "opa", ReportsRead: "opa",
		WebhooksWrite: "op",
	}
	letters := map[Role]string{Owner: "o", Operator: "p", Anchor: "a", Assistant: "s"}
	if len(table) != len(Permissions) || len(letters) != len(Roles) {
		t.Fatal("the table is not whole")
	}
	for _, p := range Permissions {
		for _, r := range Roles {
			if want := strings.Contains(table[p], letters[r]); r.May(p) != want {
				t.Errorf("%s, %s: %v", r, p, !want)
			}
		}
		if Role("").May(p) || Role("boss").May(p) {
			t.Errorf("an unknown role may %s", p)
		}
	}
}

func TestPasswordRules(t *testing.T) {
	for password, good := range map[string]bool{
		"otter lamp rises late":          true,
		"correct-zebra-7-balcony":        true,
		"雨后的茶园有七只白鹭":                     true,
		"short":                          false,
		"password123!":                   false,
		"P@ssw0rd2026":                   false,
		"iloveyou1314":                   false,
		"woaini5201314":                  false,
		"13800138000":                    false,
		"1990-01-02 10":                  false,
		"aaaaaaaaaaaa":                   false,
		"abababababab":                   false,
		"qwertyuiop123":                  false,
		"1qaz2wsx3edc":                   false,
		"abcdefghijkl":                   false,
		"zyxwvutsrqpo":                   false,
		"vitrinevitrine":                 false,
		"meitea-2026":                    false,
		"meimeilan":                      false, // nine characters
		strings.Repeat("long word ", 20): false,
		"bad\xff\xfe but long enough":    false,
	} {
		err := checkPassword("op", "password", password, "mei-lan", "meitea@example.com")
		if (err == nil) != good || err != nil && errs.FieldOf(err) != "password" {
			t.Errorf("%q: %v", password, err)
		}
	}
	if checkPassword("op", "password", "mei-lan-2026", "mei-lan") == nil {
		t.Error("one's own name was taken")
	}
}

var cheap = PasswordCost{MemoryKiB: 64, Time: 1, Threads: 1}

func TestPasswordsAreHashed(t *testing.T) {
	p := newPasswords(cheap)
	hash, err := p.hash(t.Context(), "otter lamp rises late")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=64,t=1,p=1$") || strings.Contains(hash, "otter") {
		t.Fatalf("%q, %v", hash, err)
	}
	if again, _ := p.hash(t.Context(), "otter lamp rises late"); again == hash {
		t.Error("no salt")
	}
	dearer := newPasswords(PasswordCost{MemoryKiB: 128, Time: 1, Threads: 1})
	for _, c := range []struct {
		by             *passwords
		hash, password string
		ok, old        bool
	}{
		{p, hash, "otter lamp rises late", true, false},
		{dearer, hash, "otter lamp rises late", true, true},
		{p, hash, "otter lamp rises lat", false, false},
		{p, "", "", false, false},
		{p, "$argon2id$v=19$m=4294967295,t=1,p=1$AAAA$AAAA", "x", false, true},
		{p, "$argon2i$v=19$m=64,t=1,p=1$AAAA$AAAA", "x", false, true},
		{p, "nonsense", "x", false, true},
	} {
		ok, old, err := c.by.matches(t.Context(), c.hash, c.password)
		if ok != c.ok || ok && old != c.old || err != nil {
			t.Errorf("%q against %.40q: %v, %v, %v", c.password, c.hash, ok, old, err)
		}
	}
}

func TestHashersAreFew(t *testing.T) {
	p := newPasswords(cheap)
	for range hashersAtOnce {
		p.turn <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.hash(ctx, "x"); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("%v", err)
	}
	p.queued.Store(hashersQueued)
	if _, err := p.hash(t.Context(), "x"); errs.KindOf(err) != errs.Exhausted || p.queued.Load() != hashersQueued {
		t.Errorf("%v, %d queued", err, p.queued.Load())
	}
}

func TestAttempts(t *testing.T) {
	a, now := newAttempts(3, time.Minute), time.Unix(1_800_000_000, 0)
	for n := range 3 {
		if !a.take("mei", now) {
			t.Fatalf("refused at %d", n)
		}
	}
	if a.take("mei", now) || !a.take("lan", now) {
		t.Error("the limit is not one for each")
	}
	if a.take("mei", now.Add(59*time.Second)) || !a.take("mei", now.Add(time.Minute)) {
		t.Error("one a minute is to be forgiven")
	}
	a.giveBack("lan", now)
	if _, owes := a.owed["lan"]; owes {
		t.Error("an attempt given back is remembered")
	}
	full := newAttempts(1, time.Minute)
	for n := range maxTried {
		full.take(fmt.Sprint(n), now)
	}
	if !full.take("newcomer", now) || len(full.owed) != maxTried {
		t.Error("a newcomer is remembered beyond the bound")
	}
	if !full.take("later", now.Add(2*time.Minute)) || len(full.owed) != 1 {
		t.Errorf("%d are remembered after all is forgiven", len(full.owed))
	}
}

// oneStore vouches for viewers with two secrets.
type oneStore map[string][]string

func (o oneStore) ViewerSecrets(_ context.Context, storeID string, _ time.Time) ([]string, error) {
	return o[storeID], nil
}

const (
	tea    = "store_0000000000000001"
	coffee = "store_0000000000000002"
)

func TestMintedViewerTokens(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	v := NewViewers(NewVisitors(make([]byte, 32), func() time.Time { return now }), oneStore{tea: {"new-secret", "old-secret"}, coffee: {"coffee-secret"}})
	claims := func(change func(jwt.MapClaims)) jwt.MapClaims {
		c := jwt.MapClaims{"iss": tea, "sub": "7", "name": "梅", "avatar": "https://a.example/7.png", "exp": now.Add(time.Hour).Unix()}
		change(c)
		return c
	}
	same := func(jwt.MapClaims) {}
	sign := func(m jwt.SigningMethod, key any, c jwt.MapClaims, kid string) string {
		token := jwt.NewWithClaims(m, c)
		if kid != "" {
			token.Header["kid"] = kid
		}
		s, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	hs, secret := jwt.SigningMethodHS256, []byte("new-secret")
	want := Viewer{ID: "jwt:" + tea + ":7", StoreID: tea, Name: "梅", Avatar: "https://a.example/7.png"}
	for name, token := range map[string]string{
		"iss":        sign(hs, secret, claims(same), ""),
		"iss, kid":   sign(hs, secret, claims(same), tea),
		"kid":        sign(hs, secret, claims(func(c jwt.MapClaims) { delete(c, "iss") }), tea),
		"old secret": sign(hs, []byte("old-secret"), claims(same), ""),
	} {
		if got, err := v.Viewer(t.Context(), token); err != nil || got != want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, token := range map[string]string{
		"another secret":        sign(hs, []byte("guess"), claims(same), ""),
		"another store's":       sign(hs, []byte("coffee-secret"), claims(same), ""),
		"iss and kid differ":    sign(hs, []byte("coffee-secret"), claims(same), coffee),
		"unknown store":         sign(hs, secret, claims(func(c jwt.MapClaims) { c["iss"] = "store_x" }), ""),
		"no store":              sign(hs, secret, claims(func(c jwt.MapClaims) { delete(c, "iss") }), ""),
		"this server's name":    sign(hs, secret, claims(func(c jwt.MapClaims) { c["iss"] = visitorIssuer }), ""),
		"none":                  sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(same), ""),
		"another algorithm":     sign(jwt.SigningMethodHS512, secret, claims(same), ""),
		"expired":               sign(hs, secret, claims(func(c jwt.MapClaims) { c["exp"] = now.Add(-2 * time.Minute).Unix() }), ""),
		"no end":                sign(hs, secret, claims(func(c jwt.MapClaims) { delete(c, "exp") }), ""),
		"too far":               sign(hs, secret, claims(func(c jwt.MapClaims) { c["exp"] = now.Add(31 * 24 * time.Hour).Unix() }), ""),
		"not yet":               sign(hs, secret, claims(func(c jwt.MapClaims) { c["nbf"] = now.Add(time.Hour).Unix() }), ""),
		"no subject":            sign(hs, secret, claims(func(c jwt.MapClaims) { delete(c, "sub") }), ""),
		"subject of many bytes": sign(hs, secret, claims(func(c jwt.MapClaims) { c["sub"] = strings.Repeat("7", 129) }), ""),
		"subject of controls":   sign(hs, secret, claims(func(c jwt.MapClaims) { c["sub"] = "7\n" }), ""),
		"long":                  strings.Repeat("a", 5000),
		"no token":              "a.b",
	} {
		if got, err := v.Viewer(t.Context(), token); errs.KindOf(err) != errs.Unauthorized || errs.MessageOf(err) == "" || got != (Viewer{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	odd := sign(hs, secret, claims(func(c jwt.MapClaims) { c["name"], c["avatar"] = "a\nb", "javascript:alert(1)" }), "")
	if got, err := v.Viewer(t.Context(), odd); err != nil || got.Name != "" || got.Avatar != "" {
		t.Errorf("what cannot be shown: %+v, %v", got, err)
	}
}

func TestOwnViewerTokens(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	v := NewViewers(NewVisitors(make([]byte, 32), func() time.Time { return now }), oneStore{})
	anybody, token, err := v.New()
	if got, viewerErr := v.Viewer(t.Context(), token); err != nil || viewerErr != nil || got != anybody || !got.Anonymous() {
		t.Errorf("%+v, %v, %v", got, err, viewerErr)
	}
	user := WeChatViewer("wx0123456789abcdef", "o:p-e_n")
	token, _, err = v.Token(user)
	if got, viewerErr := v.Viewer(t.Context(), token); err != nil || viewerErr != nil || got != user || got.Anonymous() {
		t.Errorf("%+v, %v, %v", got, err, viewerErr)
	}
	now = now.Add(VisitorTTL + time.Second)
	if _, err := v.Viewer(t.Context(), token); errs.KindOf(err) != errs.Unauthorized {
		t.Errorf("after its time: %v", err)
	}
	for name, good := range map[string]bool{"  Mei 👩‍🌾 ": true, "": true, strings.Repeat("梅", 41): false, "a\u202eb": false} {
		if got, err := anybody.Named(name); (err == nil) != good || good && got.Name != strings.TrimSpace(name) {
			t.Errorf("%q: %+v, %v", name, got, err)
		}
	}
	if _, err := (Viewer{StoreID: tea}).Named("x"); errs.KindOf(err) != errs.Forbidden {
		t.Errorf("a store's viewer: %v", err)
	}
}

func TestNamesOfStaff(t *testing.T) {
	for _, c := range []struct {
		in    Staff
		field string
	}{
		{Staff{Login: " Mei.Lan "}, ""},
		{Staff{Email: "Mei@Example.com"}, ""},
		{Staff{}, "login"},
		{Staff{Login: "me"}, "login"},
		{Staff{Login: "mei@tea"}, "login"},
		{Staff{Email: "Mei <mei@example.com>"}, "email"},
		{Staff{Login: "mei", Name: "a\nb"}, "name"},
	} {
		err := c.in.check("op")
		if errs.FieldOf(err) != c.field || err == nil && (c.in.Name == "" || strings.ToLower(c.in.Login+c.in.Email) != c.in.Login+c.in.Email) {
			t.Errorf("%+v: %v", c.in, err)
		}
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		good bool
	}{
		{Config{}, true},
		{Config{SessionIdle: time.Hour}, true},
		{Config{SessionIdle: time.Minute}, false},
		{Config{SessionIdle: time.Hour, SessionMax: time.Minute}, false},
	} {
		if err := c.cfg.Validate(); (err == nil) != c.good {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
}
