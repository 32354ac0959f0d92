package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/live"
)

// PublicRoom is what a viewer's page needs to know about a room.
type PublicRoom struct {
	Room      RoomHead  `json:"room"`
	Show      *ShowHead `json:"show" doc:"The show on air or interrupted."`
	LastShow  *ShowHead `json:"last_show" doc:"The newest ended show with a replay."`
	NextShow  *ShowHead `json:"next_show" doc:"The earliest scheduled show."`
	LiveURL   string    `json:"live_url"`
	TSURL     string    `json:"ts_url"`
	DVRURL    string    `json:"dvr_url,omitempty" doc:"The show on air from its beginning; none where shows are not recorded."`
	EventsURL string    `json:"events_url"`
	Products  []Product `json:"products"`
}

// RoomHead is a room in short.
type RoomHead struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	State string `json:"state" enum:"idle,live,interrupted,ended" doc:"ended: idle, with a replay to show."`
}

// ShowHead is a show in short.
type ShowHead struct {
	ID          string  `json:"id"`
	Title       string  `json:"title"`
	State       string  `json:"state" enum:"scheduled,live,interrupted,ended"`
	ScheduledAt *string `json:"scheduled_at,omitempty"`
	StartedAt   *string `json:"started_at,omitempty"`
	DurationMS  int64   `json:"duration_ms"`
}

func (s *Server) publicOperations() {
	operation(s, huma.Operation{OperationID: "get-public-room", Method: http.MethodGet, Path: "/api/v1/rooms/{room}/public", Tags: []string{"Viewers"}, Summary: "Read what a viewer's page needs", Security: public}, s.publicRoom)
}

type publicRoomOutput struct {
	AllowOrigin  string `header:"Access-Control-Allow-Origin"`
	CacheControl string `header:"Cache-Control"`
	Body         PublicRoom
}

func (s *Server) publicRoom(ctx context.Context, in *RoomPath) (*publicRoomOutput, error) {
	room, err := s.Rooms.Store.Room(ctx, in.Room)
	if err != nil {
		return nil, err
	}
	shows, err := s.Rooms.Store.Shows(ctx, room.ID, "", 50)
	if err != nil {
		return nil, err
	}
	st := s.Rooms.StatusOf(room.ID)
	out := PublicRoom{
		Room:    RoomHead{ID: room.ID, Title: room.Title, State: string(st.State)},
		LiveURL: "/live/" + room.ID + "/index.m3u8", TSURL: "/live/" + room.ID + "/ts/index.m3u8", EventsURL: "/live/" + room.ID + "/events",
	}
	if st.Show != nil {
		out.Show = showHead(*st.Show)
		if s.Archive != nil {
			out.DVRURL = "/live/" + room.ID + "/dvr.m3u8"
		}
	}
	s.addShows(ctx, &out, shows)
	if out.Show == nil && out.LastShow != nil {
		out.Room.State = string(live.Ended)
	}
	showing := ""
	if out.Show != nil {
		showing = out.Show.ID
	} else if out.LastShow != nil {
		showing = out.LastShow.ID
	}
	bag, err := s.Catalogue.BagFor(ctx, room.ID, showing)
	if err != nil {
		return nil, err
	}
	out.Products = products(bag)
	return &publicRoomOutput{AllowOrigin: "*", CacheControl: "no-store", Body: out}, nil
}

// addShows finds the newest ended show that can be watched and the earliest one to come; shows are newest first.
func (s *Server) addShows(ctx context.Context, out *PublicRoom, shows []live.Show) {
	var next *live.Show
	for i := range shows {
		sh := &shows[i]
		switch {
		case sh.State == live.Ended && out.LastShow == nil && s.watchableNow(ctx, sh.ID):
			out.LastShow = showHead(*sh)
		case sh.State == live.Scheduled && (next == nil || sh.ScheduledAt.Before(next.ScheduledAt)) && !sh.ScheduledAt.IsZero():
			next = sh
		}
	}
	if next != nil {
		out.NextShow = showHead(*next)
	}
}

// watchableNow reports whether there is a replay of an ended show that the public may see.
func (s *Server) watchableNow(ctx context.Context, showID string) bool {
	return s.Archive != nil && s.Archive.Has(showID) && s.visible(ctx, showID) == nil
}

func showHead(sh live.Show) *ShowHead {
	return &ShowHead{
		ID: sh.ID, Title: sh.Title, State: string(sh.State), ScheduledAt: optionalTime(sh.ScheduledAt), StartedAt: optionalTime(sh.StartedAt),
		DurationMS: sh.Duration.Milliseconds(),
	}
}
