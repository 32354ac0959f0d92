package netguard

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// The address that is dialled counts, also at the end of a redirect.
func TestClient(t *testing.T) {
	asked := 0
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer inside.Close()
	port := inside.URL[strings.LastIndex(inside.URL, ":"):]
	guard := Guard{Setting: "x.allow_private"}
	client := guard.Client(time.Minute)
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"} {
		_, err := client.Get("http://" + host + port)
		if errs.KindOf(err) != errs.Forbidden && host != "[::1]" || err == nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if asked != 0 {
		t.Error("a private address was asked")
	}
	open := Guard{AllowPrivate: true}.Client(time.Minute)
	res, err := open.Get(inside.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if asked != 1 {
		t.Error("where it is allowed nothing was asked")
	}
	open.CloseIdleConnections()
}

func TestCheck(t *testing.T) {
	guard := Guard{Setting: "x.allow_private"}
	for host, want := range map[string]bool{"shop.example": true, "8.8.8.8": true, "10.0.0.1": false, "::1": false, "::ffff:169.254.169.254": false} {
		err := guard.Check(host)
		if (err == nil) != want || err != nil && !strings.Contains(errs.MessageOf(err), "set x.allow_private") {
			t.Errorf("%s: %v", host, err)
		}
	}
	if err := (Guard{AllowPrivate: true}).Check("10.0.0.1"); err != nil {
		t.Error(err)
	}
	if err := (Guard{}).Check("10.0.0.1"); err == nil || strings.Contains(err.Error(), "set ") {
		t.Error(err)
	}
}
