package main

import (
	"context"
	"sync/atomic"

	"github.com/vitrine-live/vitrine/ingest/hlspull"
	"github.com/vitrine-live/vitrine/live"
)

// pulls are what reads from other servers.
type pulls struct {
	puller  atomic.Pointer[hlspull.Puller] // nil until it starts
	imports *live.Imports
}

func (s *server) pullConfig() hlspull.Config {
	return hlspull.Config{AllowPrivate: s.config.Pull.AllowPrivate}
}

// sources are the rooms as the puller sees them.
type sources struct{ rooms *live.Rooms }

// Sources implements hlspull.Rooms.
func (s sources) Sources(ctx context.Context) (map[string]string, error) {
	rooms, err := s.rooms.Store.RoomsWithSource(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(rooms))
	for i := range rooms {
		out[rooms[i].ID] = rooms[i].SourceURL
	}
	return out, nil
}

// Busy implements hlspull.Rooms.
func (s sources) Busy(roomID string) bool {
	p := s.rooms.StatusOf(roomID).Publisher
	return p != nil && p.Protocol != "hls"
}

// startPull lets the rooms that name a source have it. At the stop their publishes end before the rooms close.
func (s *server) startPull(ctx context.Context) (func(context.Context) error, error) {
	puller := hlspull.New(s.pullConfig(), s.rooms, sources{s.rooms}, s.log, hlspull.NewMetrics(s.metrics))
	s.puller.Store(puller)
	return s.background(ctx, func(ctx context.Context) error {
		puller.Run(ctx)
		return nil
	}), nil
}

// sourcesChanged tells the puller, once there is one, to look at the rooms again.
func (s *server) sourcesChanged() {
	if p := s.puller.Load(); p != nil {
		p.Changed()
	}
}

// startImports makes replays of finished shows elsewhere.
func (s *server) startImports(ctx context.Context) (func(context.Context) error, error) {
	library := hlspull.NewLibrary(s.pullConfig())
	imports, err := live.NewImports(ctx, live.ImportDeps{
		Rooms: s.rooms, Archive: s.archive, Notes: s.db, Log: s.log,
		Open: func(ctx context.Context, url string) (live.Film, error) {
			film, err := library.Open(ctx, url)
			if err != nil {
				return nil, err
			}
			return film, nil
		},
	})
	if err != nil {
		return nil, err
	}
	s.imports = imports
	return func(context.Context) error { imports.Close(); return nil }, nil
}
