package webhook

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vitrine-live/vitrine/internal/errs"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// The example that Standard Webhooks prints, so that its libraries verify what is sent here.
func TestSignatureOfTheConvention(t *testing.T) {
	body := []byte(`{"test": 2432232314}`)
	got := Sign([]string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), body)
	if got[HeaderSignature] != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("got %q", got[HeaderSignature])
	}
}

func TestVerify(t *testing.T) {
	secret, old, other := NewSecret(), NewSecret(), NewSecret()
	body := []byte(`{"id":"evt_1"}`)
	signed := func(change func(h map[string]string)) map[string]string {
		h := Sign([]string{secret}, "evt_1", noon, body)
		change(h)
		return h
	}
	same := func(map[string]string) {}
	for name, c := range map[string]struct {
		headers map[string]string
		body    []byte
		now     time.Time
		good    bool
	}{
		"right":            {signed(same), body, noon, true},
		"a little late":    {signed(same), body, noon.Add(Tolerance), true},
		"a little early":   {signed(same), body, noon.Add(-Tolerance), true},
		"too late":         {signed(same), body, noon.Add(Tolerance + time.Second), false},
		"too early":        {signed(same), body, noon.Add(-Tolerance - time.Second), false},
		"other body":       {signed(same), []byte(`{"id":"evt_2"}`), noon, false},
		"other id":         {signed(func(h map[string]string) { h[HeaderID] = "evt_2" }), body, noon, false},
		"other time":       {signed(func(h map[string]string) { h[HeaderTimestamp] = strconv.FormatInt(noon.Unix()+1, 10) }), body, noon, false},
		"time with a plus": {signed(func(h map[string]string) { h[HeaderTimestamp] = "+" + h[HeaderTimestamp] }), body, noon, false},
		"no time":          {signed(func(h map[string]string) { delete(h, HeaderTimestamp) }), body, noon, false},
		"no id":            {signed(func(h map[string]string) { delete(h, HeaderID) }), body, noon, false},
		"no signature":     {signed(func(h map[string]string) { delete(h, HeaderSignature) }), body, noon, false},
		"other version":    {signed(func(h map[string]string) { h[HeaderSignature] = strings.Replace(h[HeaderSignature], "v1,", "v2,", 1) }), body, noon, false},
		"other secret":     {Sign([]string{other}, "evt_1", noon, body), body, noon, false},
		"both secrets":     {Sign([]string{other, secret}, "evt_1", noon, body), body, noon, true},
		"the old secret":   {Sign([]string{old}, "evt_1", noon, body), body, noon, true},
		"a dot in the id":  {Sign([]string{secret}, "evt.1", noon, body), body, noon, false},
	} {
		id, err := Verify([]string{secret, old}, func(h string) string { return c.headers[h] }, c.body, c.now)
		if (err == nil) != c.good || c.good && id != "evt_1" {
			t.Errorf("%s: %q, %v", name, id, err)
		}
		if err != nil && (errs.KindOf(err) != errs.Unauthorized || errs.MessageOf(err) == "") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Verify(nil, func(h string) string { return signed(same)[h] }, body, noon); err == nil {
		t.Error("taken without a secret")
	}
	if _, err := Verify([]string{"", "whsec_", "whsec_!"}, func(h string) string { return Sign([]string{"whsec_"}, "evt_1", noon, body)[h] }, body, noon); err == nil {
		t.Error("taken with an empty secret")
	}
}

func TestAnyMessageVerifiesAndNoOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := secretPrefix + base64.StdEncoding.EncodeToString(rapid.SliceOfN(rapid.Byte(), 1, 64).Draw(t, "key"))
		id, body := rapid.StringMatching(`[a-z_0-9]{1,40}`).Draw(t, "id"), rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		h := Sign([]string{secret}, id, noon, body)
		get := func(name string) string { return h[name] }
		if _, err := Verify([]string{secret}, get, body, noon); err != nil {
			t.Fatal(err)
		}
		at := rapid.IntRange(0, len(body)).Draw(t, "at")
		changed := append(append(append([]byte(nil), body[:at]...), 'x'), body[at:]...)
		if _, err := Verify([]string{secret}, get, changed, noon); err == nil {
			t.Fatal("a changed body was taken")
		}
	})
}

func FuzzVerify(f *testing.F) {
	secret := NewSecret()
	good := Sign([]string{secret}, "evt_1", noon, []byte("{}"))
	f.Add(good[HeaderID], good[HeaderTimestamp], good[HeaderSignature], []byte("{}"))
	f.Add("evt", "-9223372036854775808", "v1, v1,== ,", []byte(nil))
	f.Add("evt", "253402300800", strings.Repeat("v1,AAAA ", 1000), []byte("\x00"))
	f.Fuzz(func(t *testing.T, id, stamp, signature string, body []byte) {
		h := http.Header{}
		h.Set(HeaderID, id)
		h.Set(HeaderTimestamp, stamp)
		h.Set(HeaderSignature, signature)
		_, err := Verify([]string{secret}, h.Get, body, noon)
		if err == nil && (h.Get(HeaderID) != good[HeaderID] || stamp != good[HeaderTimestamp] || string(body) != "{}") {
			t.Errorf("%q %q %q %q was taken", id, stamp, signature, body)
		}
		if err != nil && errs.KindOf(err) != errs.Unauthorized {
			t.Error(err)
		}
	})
}

func TestPauses(t *testing.T) {
	var total time.Duration
	attempts := 0
	for d := (&Delivery{GiveUpAt: noon.Add(Patience)}); ; {
		d.Attempts++
		attempts++
		at := noon.Add(total)
		again := next(d, at, 0)
		if again.IsZero() {
			break
		}
		if again.Sub(at) < firstPause*8/10 && !again.Equal(d.GiveUpAt) || again.After(d.GiveUpAt) {
			t.Fatalf("attempt %d: %v after %v", d.Attempts, again, at)
		}
		total = again.Sub(noon)
	}
	if total != Patience || attempts < 10 || attempts > 20 {
		t.Errorf("%d attempts within %v", attempts, total)
	}
	for n, want := range map[int]time.Duration{1: 5 * time.Second, 2: 15 * time.Second, 4: 135 * time.Second, 50: longestPause} {
		if got := pause(n, 0.5); got != want {
			t.Errorf("after %d: %v", n, got)
		}
	}
	if low, high := pause(1, 0), pause(1, 1); low != 4*time.Second || high != 6*time.Second {
		t.Errorf("jitter from %v to %v", low, high)
	}
	d := &Delivery{Attempts: 1, GiveUpAt: noon.Add(Patience)}
	if got := next(d, noon, time.Hour); !got.Equal(noon.Add(time.Hour)) {
		t.Errorf("asked for an hour: %v", got)
	}
	if got := next(d, noon, 1000*time.Hour); !got.Equal(noon.Add(longestPause)) {
		t.Errorf("asked for weeks: %v", got)
	}
}

func TestEndpointRules(t *testing.T) {
	for field, c := range map[string]struct {
		e    Endpoint
		http bool
	}{
		"":            {Endpoint{URL: "https://shop.example/hook?x=1", Description: "仓库", Events: []string{"order.paid"}}, false},
		"url":         {Endpoint{URL: "http://shop.example/"}, false},
		"events":      {Endpoint{URL: "http://shop.example/", Events: []string{"order.paid", "order.lost"}}, true},
		"description": {Endpoint{URL: "https://shop.example/", Description: "a\nb"}, false},
	} {
		if err := c.e.validate("x", c.http); errs.FieldOf(err) != field {
			t.Errorf("%q: %v", field, err)
		}
	}
	for _, bad := range []string{"", "https://", "ftp://a", "https://user:pw@a/", "https://a/#x", "https://a/ b", "https:\\\\a", "https://a/" + strings.Repeat("x", maxURL)} {
		if err := checkURL("x", bad, true); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := (&Endpoint{URL: "https://a", Events: []string{"order.paid", "order.paid"}}).validate("x", false); errs.FieldOf(err) != "events" {
		t.Error(err)
	}
}

func TestWantsAndSecrets(t *testing.T) {
	e := Endpoint{Enabled: true, Secret: "new", OldSecret: "old", OldSecretUntil: noon}
	if !e.Wants("order.paid") || e.Wants("order.paid") != true {
		t.Error("an endpoint of all events refuses one")
	}
	e.Events = []string{"order.paid"}
	if !e.Wants("order.paid") || e.Wants("order.shipped") {
		t.Error("wants what it did not ask for")
	}
	if got := e.Secrets(noon.Add(-1)); len(got) != 2 || got[0] != "new" {
		t.Errorf("before the end: %v", got)
	}
	if got := e.Secrets(noon); len(got) != 1 {
		t.Errorf("after the end: %v", got)
	}
	e.Enabled = false
	if e.Wants("order.paid") {
		t.Error("wants while disabled")
	}
}

func TestBody(t *testing.T) {
	e := Event{ID: "evt_1", StoreID: "store_1", Type: "order.paid", At: noon.Add(7 * time.Millisecond), Data: json.RawMessage(`{"no":"1"}`)}
	body, err := e.Body()
	if want := `{"id":"evt_1","type":"order.paid","created_at":"2026-11-22T12:00:00.007Z","store_id":"store_1","data":{"no":"1"}}`; err != nil || string(body) != want {
		t.Errorf("%s, %v", body, err)
	}
}

func TestConfig(t *testing.T) {
	if err := (Config{}).Validate(); err != nil {
		t.Error(err)
	}
	for field, c := range map[string]Config{"DisableAfter": {DisableAfter: time.Minute}, "Retention": {Retention: time.Hour}, "Workers": {Workers: -1}} {
		if err := c.Validate(); errs.FieldOf(err) != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
