package api

import (
	"context"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// places are what an address may name and the store is known of, by the name of its parameter.
var places = map[string]func(s *Server, ctx context.Context, id string) (storeID string, err error){
	"store":  (*Server).storeOfStore,
	"room":   (*Server).storeOfRoom,
	"show":   (*Server).storeOfShow,
	"import": (*Server).storeOfImport,
}

// errNowhere is the one answer for what is not there and for what is another's: nobody learns which.
var errNowhere = errs.New(errs.NotFound, "api.storeOf", "there is no such store, room or show, or it is not yours")

// storeOf is the store of all that the address names; "" when it names nothing of a store. NotFound: something is not
// there, or they are of different stores.
func (s *Server) storeOf(ctx huma.Context) (string, error) {
	found := ""
	for name, of := range places {
		if !strings.Contains(ctx.Operation().Path, "{"+name+"}") {
			continue
		}
		storeID, err := of(s, ctx.Context(), ctx.Param(name))
		if errs.KindOf(err) == errs.NotFound || err == nil && found != "" && storeID != found {
			return "", errNowhere
		} else if err != nil {
			return "", err
		}
		found = storeID
	}
	return found, nil
}

// placeIn names what in a path belongs to a store, "" for nothing.
func placeIn(path string) string {
	for name := range places {
		if strings.Contains(path, "{"+name+"}") {
			return name
		}
	}
	return ""
}

func (s *Server) storeOfStore(ctx context.Context, id string) (string, error) {
	store, err := s.Store.Store(ctx, id)
	return store.ID, err
}

func (s *Server) storeOfRoom(ctx context.Context, id string) (string, error) {
	room, err := s.Rooms.Store.Room(ctx, id)
	return room.StoreID, err
}

func (s *Server) storeOfShow(ctx context.Context, id string) (string, error) {
	show, err := s.Rooms.Show(ctx, id)
	return show.StoreID, err
}

func (s *Server) storeOfImport(ctx context.Context, id string) (string, error) {
	im, err := s.Imports.Import(id)
	if err != nil {
		return "", err
	}
	return s.storeOfRoom(ctx, im.RoomID)
}
