package cursor

import (
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

func TestRoundTrip(t *testing.T) {
	for _, k := range []Key{{}, {At: time.UnixMilli(1_700_000_000_123).UTC(), ID: "dlv_x.y"}, {At: time.UnixMilli(-1).UTC(), ID: "a"}} {
		got, err := Parse(k.String())
		if err != nil || got != k {
			t.Errorf("%+v: %+v, %v", k, got, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{"!", "MTIz", "LmE", "eC5h", "MTIzLg"} {
		if k, err := Parse(s); errs.KindOf(err) != errs.Invalid || errs.FieldOf(err) != "after" {
			t.Errorf("%q: %+v, %v", s, k, err)
		}
	}
}
