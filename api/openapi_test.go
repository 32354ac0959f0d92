package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-live/vitrine/internal/errs"
)

var update = flag.Bool("update", false, "write openapi.json anew")

// TestOpenAPIDrift keeps the committed description true. `go test ./api -run OpenAPI -update` writes it anew.
func TestOpenAPIDrift(t *testing.T) {
	s := New(Deps{Viewer: http.NotFoundHandler(), Assets: http.NotFoundHandler(), Gatherer: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler), Version: "0"})
	got, err := json.MarshalIndent(s.OpenAPI(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile("openapi.json", got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("openapi.json is not what the code says: run go test ./api -run OpenAPI -update, and look at the difference")
	}
}

func TestEveryKindHasAStatus(t *testing.T) {
	for _, k := range errs.Kinds {
		if statuses[k] < 400 {
			t.Errorf("kind %v has no status", k)
		}
	}
	if len(statuses) != len(errs.Kinds) {
		t.Errorf("%d statuses for %d kinds", len(statuses), len(errs.Kinds))
	}
}

func TestDocsNameEveryOperation(t *testing.T) {
	s := New(Deps{Viewer: http.NotFoundHandler(), Assets: http.NotFoundHandler(), Gatherer: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler), Version: "0"})
	page := string(renderDocs(s.OpenAPI()))
	for path, item := range s.OpenAPI().Paths {
		for method, op := range methods(item) {
			if op == nil {
				continue
			}
			if !strings.Contains(page, `id="`+op.OperationID+`"`) {
				t.Errorf("%s %s is not in the documentation", method, path)
			}
			if op.Summary == "" || len(op.Tags) == 0 || op.OperationID == "" {
				t.Errorf("%s %s lacks a summary, a tag or an id", method, path)
			}
		}
	}
}

func TestOperationsWantTheToken(t *testing.T) {
	h := newHouse(t, func(d *Deps) { d.MaxWrongKeys = 1000 })
	for path, item := range h.server.OpenAPI().Paths {
		for method, op := range methods(item) {
			if op == nil || len(op.Security) == 0 {
				continue
			}
			for _, header := range []string{"", "Bearer wrong", "Bearer ", "Basic right", "right"} {
				w := h.ask(method, strings.NewReplacer("{", "", "}", "").Replace(path), "", map[string]any{}, "Authorization", header)
				if w.Code != http.StatusUnauthorized || w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("WWW-Authenticate") == "" {
					t.Errorf("%s %s with %q: %d %s", method, path, header, w.Code, w.Header().Get("Content-Type"))
				}
			}
		}
	}
}

func TestGzipAccepted(t *testing.T) {
	for header, want := range map[string]bool{"": false, "gzip": true, "br, gzip;q=0.8": true, "gzip;q=0": false, "deflate": false, "GZIP": true} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Encoding", header)
		if got := gzipAccepted(r); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

// TestPathsAreRead keeps parameters from getting lost between an address and its handler.
func TestPathsAreRead(t *testing.T) {
	s := New(Deps{Viewer: http.NotFoundHandler(), Assets: http.NotFoundHandler(), Gatherer: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler), Version: "0"})
	for path, item := range s.OpenAPI().Paths {
		for method, op := range methods(item) {
			if op == nil {
				continue
			}
			read := 0
			for _, p := range op.Parameters {
				if p.In == "path" {
					read++
				}
			}
			if want := strings.Count(path, "{"); read != want {
				t.Errorf("%s %s reads %d of its %d parameters", method, path, read, want)
			}
		}
	}
}

// TestDescribedNamesAreSnakeCase catches types whose JSON is not what their Go fields say: every name is snake_case.
func TestDescribedNamesAreSnakeCase(t *testing.T) {
	s := New(Deps{Viewer: http.NotFoundHandler(), Assets: http.NotFoundHandler(), Gatherer: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler), Version: "0"})
	for name, schema := range s.OpenAPI().Components.Schemas.Map() {
		for field := range schema.Properties {
			if strings.ToLower(field) != field {
				t.Errorf("%s.%s", name, field)
			}
		}
	}
}
