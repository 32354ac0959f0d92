package main

import (
	"context"

	"github.com/vitrine-live/vitrine/commerce"
)

// catalogueParts are what the server has of its products, beside the catalogue itself.
type catalogueParts struct {
	stockNews *commerce.StockNews
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
