package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/overlay"
)

// Room is a room as the API shows it.
type Room struct {
	ID             string      `json:"id" example:"room_0123456789abcdef"`
	Title          string      `json:"title"`
	State          string      `json:"state" enum:"idle,live,interrupted"`
	CurrentShow    *string     `json:"current_show" doc:"The show on air or interrupted."`
	CaptureDelayMS int64       `json:"capture_delay_ms" doc:"How long a picture takes from the camera to the server, where the protocol does not tell."`
	Ladder         []string    `json:"ladder" doc:"Which renditions are made beside the source."`
	SourceURL      string      `json:"source_url,omitempty" doc:"The HLS address that the room's picture is pulled from."`
	StoreID        string      `json:"store_id,omitempty" doc:"The store that the room belongs to."`
	CreatedAt      string      `json:"created_at"`
	Publisher      *Publisher  `json:"publisher,omitempty" doc:"Who is publishing now."`
	Renditions     []Rendition `json:"renditions,omitempty" doc:"The qualities beside the source, while there is a show."`
	Recording      *Recording  `json:"recording,omitempty"`
	URLs
}

// RoomWithKey is a room with its stream key, which is shown this once.
type RoomWithKey struct {
	Room
	StreamKey string `json:"stream_key" doc:"What OBS calls Stream Key. It cannot be read again; a new one can be made."`
}

// Event is an entry of a show's timeline as the API shows it.
type Event struct {
	Seq        int64           `json:"seq"`
	Type       string          `json:"type"`
	ShowTimeMS int64           `json:"show_time_ms"`
	Wall       string          `json:"wall"`
	Data       json.RawMessage `json:"data"`
}

// Recording is the state of a show's recording.
type Recording struct {
	Paused bool   `json:"paused" doc:"Recording waits; the show goes on and the gap is marked."`
	Reason string `json:"reason,omitempty" doc:"Why it is paused and what to do."`
}

// RoomPath names a room in an address. (Parameters are read from exported types alone.)
type RoomPath struct {
	Room string `path:"room" doc:"The room's id."`
}

type roomInput struct {
	Body struct {
		Title string `json:"title" doc:"1 to 120 characters." minLength:"1" maxLength:"120"`
		RoomSettings
	}
	HostInput
	LanguageInput
}

type roomUpdate struct {
	RoomPath
	HostInput
	LanguageInput
	Body struct {
		Title *string `json:"title,omitempty" minLength:"1" maxLength:"120"`
		RoomSettings
	}
}

// RoomSettings are those that may be given or left alone.
type RoomSettings struct {
	CaptureDelayMS *int64    `json:"capture_delay_ms,omitempty" minimum:"0" maximum:"60000" doc:"How long a picture takes from the camera to the server, where the protocol does not tell. Holds from the next pin on."`
	Ladder         *[]string `json:"ladder,omitempty" maxItems:"8" doc:"Renditions made beside the source, of 720p, 480p and 360p; never above the source. Empty: the source alone. Holds from the next publish on."`
	SourceURL      *string   `json:"source_url,omitempty" maxLength:"2048" doc:"An HLS playlist (.m3u8) to pull the picture from; empty: wait for a publisher."`
	StoreID        *string   `json:"store_id,omitempty" maxLength:"64" minLength:"1" doc:"The store that the room belongs to. Only the admin may move a room to another one."`
}

func (r RoomSettings) update(title *string) live.RoomUpdate {
	u := live.RoomUpdate{Title: title, Ladder: r.Ladder, SourceURL: r.SourceURL, StoreID: r.StoreID}
	if r.CaptureDelayMS != nil {
		u.CaptureDelay = new(time.Duration(*r.CaptureDelayMS) * time.Millisecond)
	}
	return u
}

func (s *Server) roomOperations() {
	operation(s, huma.Operation{OperationID: "create-room", Method: http.MethodPost, Path: "/api/v1/rooms", Tags: []string{"Rooms"}, Summary: "Create a room", DefaultStatus: http.StatusCreated}, s.createRoom)
	operation(s, huma.Operation{OperationID: "list-rooms", Method: http.MethodGet, Path: "/api/v1/rooms", Tags: []string{"Rooms"}, Summary: "List rooms"},
		func(ctx context.Context, in *struct {
			PageInput
			HostInput
			LanguageInput
		},
		) (*Body[Page[Room]], error) {
			rooms, err := s.Rooms.Store.Rooms(ctx, in.After, in.limit())
			if err != nil {
				return nil, err
			}
			return page(rooms, in.limit(), func(r live.Room) Room { return s.room(r, in.HostInput, in.language()) }, func(r live.Room) string { return r.ID }), nil
		})
	operation(s, huma.Operation{OperationID: "get-room", Security: staff(account.RoomsRead), Method: http.MethodGet, Path: "/api/v1/rooms/{room}", Tags: []string{"Rooms"}, Summary: "Read a room and what it is doing"},
		func(ctx context.Context, in *struct {
			RoomPath
			HostInput
			LanguageInput
		},
		) (*Body[Room], error) {
			room, err := s.Rooms.Store.Room(ctx, in.Room)
			if err != nil {
				return nil, err
			}
			return &Body[Room]{s.room(room, in.HostInput, in.language())}, nil
		})
	operation(s, huma.Operation{OperationID: "update-room", Security: staff(account.RoomsWrite), Method: http.MethodPatch, Path: "/api/v1/rooms/{room}", Tags: []string{"Rooms"}, Summary: "Change a room"}, s.updateRoom)
	operation(s, huma.Operation{OperationID: "delete-room", Security: staff(account.RoomsWrite), Method: http.MethodDelete, Path: "/api/v1/rooms/{room}", Tags: []string{"Rooms"}, Summary: "Delete a room", Description: "Its ended shows keep their replays.", DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *RoomPath) (*Empty, error) {
			return &Empty{}, s.Rooms.DeleteRoom(ctx, in.Room)
		})
	operation(s, huma.Operation{OperationID: "rotate-stream-key", Security: staff(account.RoomsWrite), Method: http.MethodPost, Path: "/api/v1/rooms/{room}/stream-key", Tags: []string{"Rooms"}, Summary: "Make a new stream key", Description: "The old key lets nobody in from now on; a publisher that is on air stays.", DefaultStatus: http.StatusCreated}, s.rotateKey)
	operation(s, huma.Operation{OperationID: "end-show", Method: http.MethodPost, Path: "/api/v1/rooms/{room}/end", Tags: []string{"Rooms"}, Summary: "End the room's show", Security: anchor, DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *RoomPath) (*Empty, error) {
			return &Empty{}, s.Rooms.End(ctx, in.Room)
		})
	operation(s, huma.Operation{OperationID: "announce", Method: http.MethodPost, Path: "/api/v1/rooms/{room}/announcements", Tags: []string{"Rooms"}, Summary: "Say something on the show's timeline", Security: anchor, DefaultStatus: http.StatusCreated}, s.announce)
}

func (s *Server) createRoom(ctx context.Context, in *roomInput) (*Body[RoomWithKey], error) {
	if err := s.checkStore(ctx, in.Body.StoreID); err != nil {
		return nil, err
	}
	room, key, err := s.Rooms.CreateRoom(ctx, in.Body.update(&in.Body.Title))
	if err != nil {
		return nil, err
	}
	noteChange(ctx, "room", nil, room.ID)
	return &Body[RoomWithKey]{RoomWithKey{Room: s.room(room, in.HostInput, in.language()), StreamKey: key}}, nil
}

// checkStore refuses a store that is not there, and one in which whoever asks does not do it.
func (s *Server) checkStore(ctx context.Context, storeID *string) error {
	const op = "api.checkStore"
	p := principal(ctx)
	if storeID == nil || *storeID == p.StoreID {
		return nil
	}
	if !p.Admin {
		return errs.New(errs.Forbidden, op, "only the admin moves a room to another store")
	}
	if _, err := s.Store.Store(ctx, *storeID); errs.KindOf(err) == errs.NotFound {
		return errs.Field(op, "store_id", "there is no such store")
	} else if err != nil {
		return err
	}
	return nil
}

func (s *Server) updateRoom(ctx context.Context, in *roomUpdate) (*Body[Room], error) {
	if err := s.checkStore(ctx, in.Body.StoreID); err != nil {
		return nil, err
	}
	room, err := s.Rooms.UpdateRoom(ctx, in.Room, in.Body.update(in.Body.Title))
	if err != nil {
		return nil, err
	}
	return &Body[Room]{s.room(room, in.HostInput, in.language())}, nil
}

func (s *Server) rotateKey(ctx context.Context, in *struct {
	RoomPath
	HostInput
	LanguageInput
},
) (*Body[RoomWithKey], error) {
	key, err := s.Rooms.RotateKey(ctx, in.Room)
	if err != nil {
		return nil, err
	}
	room, err := s.Rooms.Store.Room(ctx, in.Room)
	if err != nil {
		return nil, err
	}
	return &Body[RoomWithKey]{RoomWithKey{Room: s.room(room, in.HostInput, in.language()), StreamKey: key}}, nil
}

func (s *Server) announce(ctx context.Context, in *struct {
	RoomPath
	Body struct {
		Text string `json:"text" minLength:"1" maxLength:"500"`
	}
},
) (*Body[Event], error) {
	text := strings.TrimSpace(in.Body.Text)
	if text == "" {
		return nil, errs.Field("api.announce", "text", "must not be blank")
	}
	ev, err := s.Rooms.Announce(ctx, in.Room, text)
	if err != nil {
		return nil, err
	}
	return &Body[Event]{Event{
		Seq: ev.Seq, Type: string(ev.Type), ShowTimeMS: ev.ShowTime.Milliseconds(), Wall: overlay.FormatWall(ev.Wall), Data: ev.Data,
	}}, nil
}

// room renders a room with what it is doing now.
func (s *Server) room(r live.Room, h HostInput, l live.Language) Room {
	st := s.Rooms.StatusOf(r.ID)
	out := Room{
		ID: r.ID, Title: r.Title, State: string(st.State), CaptureDelayMS: r.CaptureDelay.Milliseconds(),
		Ladder: append([]string{}, r.Ladder...), SourceURL: r.SourceURL, StoreID: r.StoreID, CreatedAt: overlay.FormatWall(r.CreatedAt),
		Publisher: publisher(st.Publisher, warnings(st.Warnings, l)), Renditions: renditions(st.Renditions), Recording: recording(&st), URLs: s.urls(r.ID, h),
	}
	if st.Show != nil {
		out.CurrentShow = &st.Show.ID
	}
	return out
}
