package storetest

import (
	"strings"
	"testing"

	"github.com/vitrine-live/vitrine/commerce/picture"
	"github.com/vitrine-live/vitrine/internal/errs"
)

func testImages(t *testing.T, s Store) {
	ctx := t.Context()
	img := picture.Image{ID: strings.Repeat("0a", 20), StoreID: "store_default", Ext: "jpg", Width: 1600, Height: 900, Bytes: 12345, CreatedAt: epoch0}
	equal(t, must(s.AddImage(ctx, img, 2))(t), img)
	later := img
	later.CreatedAt = epoch0.AddDate(0, 0, 1)
	equal(t, must(s.AddImage(ctx, later, 2))(t), img) // the one that is there
	equal(t, must(s.Image(ctx, img.StoreID, img.ID))(t), img)
	_, err := s.Image(ctx, "store_x", img.ID)
	kind(t, err, errs.NotFound)
	elsewhere := img
	elsewhere.StoreID = "store_x"
	equal(t, must(s.AddImage(ctx, elsewhere, 1))(t), elsewhere)
	other := img
	other.ID = strings.Repeat("0b", 20)
	_, err = s.AddImage(ctx, other, 1)
	kind(t, err, errs.Exhausted)
	equal(t, must(s.AddImage(ctx, other, 2))(t), other)
	equal(t, must(s.UnusedImages(ctx, img.StoreID))(t), []picture.Image{img, other})

	p := newGoods(1)
	p.Images = []string{"https://shop.example/x.jpg", other.URL(1600)}
	ok(t, s.CreateProduct(ctx, p))
	equal(t, must(s.UnusedImages(ctx, img.StoreID))(t), []picture.Image{img})
	_, err = s.DeleteImage(ctx, other.StoreID, other.ID)
	kind(t, err, errs.Conflict)
	equal(t, must(s.DeleteImage(ctx, img.StoreID, img.ID))(t), false) // the other store has it
	_, err = s.DeleteImage(ctx, img.StoreID, img.ID)
	kind(t, err, errs.NotFound)
	equal(t, must(s.DeleteImage(ctx, elsewhere.StoreID, elsewhere.ID))(t), true)
}
