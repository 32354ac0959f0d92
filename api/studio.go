package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/live"
)

// Studio is what the anchor's page shows.
type Studio struct {
	Room       RoomHead    `json:"room"`
	Show       *Show       `json:"show" doc:"The show on air or interrupted."`
	Publisher  *Publisher  `json:"publisher" doc:"Who is publishing now."`
	Recording  *Recording  `json:"recording,omitempty"`
	Warnings   []Warning   `json:"warnings" doc:"What the anchor should know, the gravest first; also while the show waits for its publisher."`
	Renditions []Rendition `json:"renditions" doc:"The qualities beside the source."`
	Pins       []Pin       `json:"pins" doc:"What is on screen now."`
	Products   []Product   `json:"products" doc:"The room's product bag."`
	ServerTime float64     `json:"server_time" doc:"Milliseconds since 1970-01-01T00:00:00Z, with fraction, when this was answered."`
	WatchURL   string      `json:"watch_url"`
	URLs       URLs        `json:"urls"`
}

// Time is the server's clock.
type Time struct {
	UnixMS float64 `json:"unix_ms" example:"1795000000000.123" doc:"Milliseconds since 1970-01-01T00:00:00Z, with fraction."`
}

type timeOutput struct {
	AllowOrigin  string `header:"Access-Control-Allow-Origin"`
	CacheControl string `header:"Cache-Control"`
	Body         Time
}

type studioOutput struct {
	CacheControl string `header:"Cache-Control"`
	Vary         string `header:"Vary"`
	Body         Studio
}

func (s *Server) studioOperations() {
	operation(s, huma.Operation{
		OperationID: "get-studio", Method: http.MethodGet, Path: "/api/v1/rooms/{room}/studio", Tags: []string{"Studio"}, Security: anchors(account.RoomsRead),
		Summary: "Read what the anchor's page shows", Description: "The state of the room, what its publisher sends and how it arrives, warnings in words, and what is on screen. Fit for being asked every second or two.",
	}, s.studio)
	operation(s, huma.Operation{
		OperationID: "get-time", Method: http.MethodGet, Path: "/api/v1/time", Tags: []string{"Studio"}, Security: public,
		Summary: "Read the server's clock", Description: "For pages that say at which instant something was meant: the offset of their clock is this minus their own time half a round trip ago.",
	}, func(context.Context, *Empty) (*timeOutput, error) {
		return &timeOutput{AllowOrigin: "*", CacheControl: "no-store", Body: Time{unixMS(s.Now())}}, nil
	})
}

func (s *Server) studio(ctx context.Context, in *struct {
	RoomPath
	HostInput
	LanguageInput
},
) (*studioOutput, error) {
	room, err := s.Rooms.Store.Room(ctx, in.Room)
	if err != nil {
		return nil, err
	}
	bag, err := s.Catalogue.Bag(ctx, room.ID)
	if err != nil {
		return nil, err
	}
	st := s.Rooms.StatusOf(room.ID)
	pins, err := s.activePins(ctx, &st)
	if err != nil {
		return nil, err
	}
	urls, told := s.urls(room.ID, in.HostInput), warnings(st.Warnings, in.language())
	out := Studio{
		Room: RoomHead{ID: room.ID, Title: room.Title, State: string(st.State)}, Publisher: publisher(st.Publisher, told), Recording: recording(&st),
		Warnings: told, Renditions: renditions(st.Renditions), Pins: pins, Products: staffProducts(bag),
		ServerTime: unixMS(s.Now()), WatchURL: urls.WatchURL, URLs: urls,
	}
	if st.Show != nil {
		show := s.show(*st.Show)
		out.Show = &show
	}
	return &studioOutput{CacheControl: "no-store", Vary: "Accept-Language", Body: out}, nil
}

func recording(st *live.Status) *Recording {
	if st.Recording == nil {
		return nil
	}
	return &Recording{Paused: st.Recording.Paused, Reason: st.Recording.Reason}
}

// unixMS keeps the microseconds, which is about what a float64 holds.
func unixMS(t time.Time) float64 { return float64(t.UnixMicro()) / 1000 }
