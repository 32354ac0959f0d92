package main

import (
	"context"

	"github.com/vitrine-live/vitrine/api"
	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/exchange"
	"github.com/vitrine-live/vitrine/commerce/picture"
	"github.com/vitrine-live/vitrine/store/blob"
)

// catalogueParts are what the server has of its products, beside the catalogue itself.
type catalogueParts struct {
	stockNews *commerce.StockNews
	pictures  *picture.Pictures
	blobs     *blob.Folder
	importer  *exchange.Importer
}

// startBlobs opens the folder of files that are not made anew: pictures of products.
func (s *server) startBlobs(context.Context) (_ func(context.Context) error, err error) {
	if s.blobs, err = blob.Open(s.data.file("blobs")); err != nil {
		return nil, err
	}
	s.pictures = picture.New(s.db, s.blobs, nil)
	return nil, nil
}

// startStockNews tells viewers of shows on air how many pieces are left.
func (s *server) startStockNews(ctx context.Context) (func(context.Context) error, error) {
	s.stockNews = commerce.NewStockNews(s.catalogue, s.rooms, s.log)
	return s.background(ctx, func(ctx context.Context) error { s.stockNews.Run(ctx); return nil }), nil
}

// startProductImports brings files of products into stores.
func (s *server) startProductImports(ctx context.Context) (func(context.Context) error, error) {
	s.importer = exchange.NewImporter(exchange.Deps{Catalogue: s.catalogue, Store: s.db, Changed: s.productsChanged, Log: s.log})
	if err := s.importer.Recover(ctx); err != nil {
		return nil, err
	}
	return s.background(ctx, func(ctx context.Context) error { s.importer.Run(ctx); return nil }), nil
}

// productsChanged tells the viewers of shows on air whose bags have some of the products.
func (s *server) productsChanged(ctx context.Context, productIDs []string) {
	told := map[string]bool{}
	for _, id := range productIDs {
		rooms, err := s.catalogue.RoomsWithProduct(ctx, id)
		if err != nil {
			s.log.WarnContext(ctx, "viewers were not told of imported products", "error", err)
			return
		}
		for _, room := range rooms {
			if !told[room] {
				told[room] = true
				s.rooms.BagChanged(ctx, room)
			}
		}
	}
}

// rules are what products are looked at for.
func (s *server) rules() commerce.Rules {
	c := s.config.Catalogue
	return commerce.Rules{Words: c.ForbiddenWords, NoClaims: !c.Claims, Domains: c.LinkDomains, RequireImage: c.RequireImage}
}

func (s *server) catalogueDeps() api.CatalogueDeps {
	return api.CatalogueDeps{StockChanged: s.stockNews.StockChanged, Pictures: s.pictures, Media: s.blobs, Importer: s.importer}
}
