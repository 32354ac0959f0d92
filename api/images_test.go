package api

import (
	"bytes"
	"image"
	"image/jpeg"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/commerce/picture"
	"github.com/vitrine-live/vitrine/store/blob"
	"github.com/vitrine-live/vitrine/store/sqldb"
)

func (h *house) withPictures(d *Deps, db *sqldb.DB, clock func() time.Time) {
	h.t.Helper()
	folder, err := blob.Open(h.t.TempDir())
	if err != nil {
		h.t.Fatal(err)
	}
	d.Pictures, d.Media = picture.New(db, folder, clock), folder
}

// upload sends a body as it is.
func (h *house) upload(contentType string, body []byte) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://shop.example/api/v1/stores/store_default/images", bytes.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Authorization", "Bearer "+adminToken)
	w := httptest.NewRecorder()
	h.server.Handler().ServeHTTP(w, r)
	return w
}

func photo(t *testing.T, w, h int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, image.NewRGBA(image.Rect(0, 0, w, h)), nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestImages(t *testing.T) {
	h := newHouse(t)
	body := photo(t, 2000, 1000)
	var img, again Image
	decodeInto(t, h.upload("image/jpeg", body), http.StatusCreated, &img)
	var form bytes.Buffer
	mw := multipart.NewWriter(&form)
	_ = mw.WriteField("note", "x")
	part, err := mw.CreateFormFile("file", "photo.jpg")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(body)
	_ = mw.Close()
	decodeInto(t, h.upload(mw.FormDataContentType(), form.Bytes()), http.StatusCreated, &again)
	if again.ID != img.ID || img.Width != 1600 || img.Height != 800 || len(img.Variants) != 3 || img.Used {
		t.Errorf("%+v", img)
	}
	w := h.ask(http.MethodGet, img.Variants[2].URL, "", nil)
	got, err := jpeg.DecodeConfig(w.Body)
	if err != nil || got.Width != 300 || got.Height != 150 {
		t.Errorf("%+v %v", got, err)
	}
	for name, want := range map[string]string{
		"Content-Type": "image/jpeg", "Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "*",
	} {
		if w.Header().Get(name) != want {
			t.Errorf("%s: %q", name, w.Header().Get(name))
		}
	}
	for _, path := range []string{"/media/x.jpg", "/media/..%2f..%2fvitrine.db", "/media/" + img.ID} {
		if w := h.ask(http.MethodGet, path, "", nil); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := h.upload("image/png", []byte("<svg/>")); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.upload("image/png", make([]byte, picture.MaxBytes+100<<10)); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	const images = "/api/v1/stores/store_default/images"
	var unused ImageList
	h.read(http.StatusOK, &unused, http.MethodGet, images, adminToken, nil)
	if len(unused.Items) != 1 {
		t.Errorf("%+v", unused)
	}
	h.read(http.StatusCreated, nil, http.MethodPost, goods, adminToken, map[string]any{"title": "Cup", "price": 1, "images": []string{img.URL}})
	h.read(http.StatusConflict, nil, http.MethodDelete, images+"/"+img.ID, adminToken, nil)
	decodeInto(t, h.upload("image/jpeg", photo(t, 20, 20)), http.StatusCreated, &img)
	h.read(http.StatusNoContent, nil, http.MethodDelete, images+"/"+img.ID, adminToken, nil)
	h.read(http.StatusNotFound, nil, http.MethodGet, img.URL, "", nil)
}
