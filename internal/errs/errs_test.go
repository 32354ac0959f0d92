package errs

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestKindSurvivesWrapping(t *testing.T) {
	base := New(NotFound, "store.Room", "there is no such room")
	err := fmt.Errorf("while pinning: %w", Wrap("live.Pin", Wrap("live.airing", base)))
	if KindOf(err) != NotFound || MessageOf(err) != "there is no such room" || !errors.Is(err, base) {
		t.Errorf("%v: %v, %q", err, KindOf(err), MessageOf(err))
	}
	if Wrap("op", nil) != nil || As(Invalid, "op", nil, "message") != nil {
		t.Error("no error became one")
	}
}

func TestForeignErrorsAreInternalUntilClassified(t *testing.T) {
	if KindOf(io.EOF) != Internal || KindOf(nil) != Internal || MessageOf(io.EOF) != "" || FieldOf(io.EOF) != "" {
		t.Error("a foreign error tells an outsider something")
	}
	err := As(Unavailable, "store.Open", io.EOF, "the database cannot be read")
	if KindOf(err) != Unavailable || !errors.Is(err, io.EOF) || MessageOf(err) != "the database cannot be read" {
		t.Errorf("%v", err)
	}
	// A wrapper that does not know better keeps what is below it.
	if err := (&Error{Op: "outer", Err: err}); KindOf(err) != Unavailable {
		t.Errorf("%v lost its kind", err)
	}
}

func TestFieldNamesTheField(t *testing.T) {
	err := Wrap("live.CreateRoom", Field("live.checkTitle", "title", "must have 1 to %d characters", 120))
	if FieldOf(err) != "title" || KindOf(err) != Invalid || !strings.Contains(err.Error(), "1 to 120") {
		t.Errorf("%v", err)
	}
}

func TestEveryKindHasAName(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Kinds {
		if name := k.String(); strings.HasPrefix(name, "kind(") || seen[name] {
			t.Errorf("kind %d is called %q", k, name)
		}
		seen[k.String()] = true
	}
	if next := Kind(len(Kinds)); !strings.HasPrefix(next.String(), "kind(") {
		t.Errorf("%v is not in Kinds", next)
	}
}
