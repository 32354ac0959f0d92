package main

import (
	"context"

	"github.com/vitrine-live/vitrine/api"
	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/commerce/picture"
	"github.com/vitrine-live/vitrine/store/blob"
)

// catalogueParts are what the server has of its products, beside the catalogue itself.
type catalogueParts struct {
	stockNews *commerce.StockNews
	pictures  *picture.Pictures
	blobs     *blob.Folder
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

// rules are what products are looked at for.
func (s *server) rules() commerce.Rules {
	c := s.config.Catalogue
	return commerce.Rules{Words: c.ForbiddenWords, NoClaims: !c.Claims, Domains: c.LinkDomains, RequireImage: c.RequireImage}
}

func (s *server) catalogueDeps() api.CatalogueDeps {
	return api.CatalogueDeps{StockChanged: s.stockNews.StockChanged, Pictures: s.pictures, Media: s.blobs}
}
