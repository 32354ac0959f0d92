package api

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/replay/style"
)

func (h *house) withClipAssets(d *Deps, clock func() time.Time) {
	h.t.Helper()
	assets, err := style.OpenAssets(h.t.TempDir(), style.AssetsConfig{MaxStore: 3, Now: clock})
	if err != nil {
		h.t.Fatal(err)
	}
	d.ClipAssets = assets
}

func mark(t *testing.T, w, h int) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	img.Set(1, 1, color.NRGBA{255, 0, 0, 128})
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const assetsPath = "/api/v1/stores/store_default/clip-assets"

// deliver uploads a body as it is.
func (h *house) deliver(query, contentType string, body []byte) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://shop.example"+assetsPath+query, bytes.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Authorization", "Bearer "+adminToken)
	w := httptest.NewRecorder()
	h.server.Handler().ServeHTTP(w, r)
	return w
}

func TestClipAssets(t *testing.T) {
	h := newHouse(t)
	if w := h.deliver("?kind=watermark&name=Logo", "image/png", mark(t, 300, 100)); w.Code != http.StatusCreated {
		t.Fatal(w.Code, w.Body)
	}
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	_ = m.WriteField("note", "not the file")
	part, _ := m.CreateFormFile("file", "../../etc/春.png")
	_, _ = part.Write(mark(t, 2048, 64))
	_ = m.Close()
	h.now = h.now.Add(time.Second)
	if w := h.deliver("?kind=watermark", m.FormDataContentType(), form.Bytes()); w.Code != http.StatusCreated {
		t.Fatal(w.Code, w.Body)
	}
	var list ClipAssetList
	h.read(http.StatusOK, &list, http.MethodGet, assetsPath, adminToken, nil)
	if len(list.Items) != 2 || list.Items[1].Name != "Logo" || list.Items[0].Name != "春.png" || list.Items[0].Width != 1024 || list.Items[0].Height != 32 {
		t.Fatalf("%+v", list)
	}
	first := list.Items[1]
	w := h.ask(http.MethodGet, first.URL, adminToken, nil)
	if _, err := png.Decode(bytes.NewReader(w.Body.Bytes())); w.Code != http.StatusOK || err != nil || w.Header().Get("Content-Type") != "image/png" || int64(w.Body.Len()) != first.Bytes {
		t.Error(w.Code, err, w.Header())
	}
	w = h.ask(http.MethodGet, first.URL, adminToken, nil, "Range", "bytes=1-3")
	if w.Code != http.StatusPartialContent || w.Body.String() != "PNG" {
		t.Error(w.Code, w.Body)
	}
	h.read(http.StatusNoContent, nil, http.MethodDelete, assetsPath+"/"+first.ID, adminToken, nil)
	h.read(http.StatusNotFound, nil, http.MethodDelete, assetsPath+"/"+first.ID, adminToken, nil)
	h.read(http.StatusNotFound, nil, http.MethodGet, first.URL, adminToken, nil)
}

func TestClipAssetsRefused(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		query, kind, says string
		body              []byte
		status            int
	}{
		{"", "image/png", "kind", mark(t, 100, 100), http.StatusUnprocessableEntity},
		{"?kind=logo", "image/png", "kind", mark(t, 100, 100), http.StatusUnprocessableEntity},
		{"?kind=watermark", "image/png", "empty", nil, http.StatusUnprocessableEntity},
		{"?kind=watermark", "image/png", "no JPEG or PNG", []byte("GIF89a......"), http.StatusUnprocessableEntity},
		{"?kind=watermark", "multipart/form-data; boundary=x", "no file", []byte("--x--"), http.StatusUnprocessableEntity},
		{"?kind=watermark", "image/png", "10 MiB", make([]byte, 10<<20+1), http.StatusUnprocessableEntity},
		{"?kind=watermark&name=" + strings.Repeat("x", 121), "image/png", "name", mark(t, 100, 100), http.StatusUnprocessableEntity},
	} {
		w := h.deliver(c.query, c.kind, c.body)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %q: %d %s", c.query, c.kind, w.Code, w.Body)
		}
	}
	for _, id := range []string{"ast_0000000000000000", "..%2f..%2fvitrine.db", "ast_..%2f00000000000", "ast_0000000000000000.json"} {
		if w := h.ask(http.MethodGet, assetsPath+"/"+id+"/file", adminToken, nil); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", id, w.Code)
		}
	}
	for range 3 {
		if w := h.deliver("?kind=watermark", "image/png", mark(t, 100, 100)); w.Code != http.StatusCreated {
			t.Fatal(w.Code, w.Body)
		}
	}
	if w := h.deliver("?kind=watermark", "image/png", mark(t, 100, 100)); w.Code != http.StatusTooManyRequests && w.Code != http.StatusInsufficientStorage {
		t.Error("a store has more than it may", w.Code, w.Body)
	}
}
