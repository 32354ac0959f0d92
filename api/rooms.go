package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/overlay"
)

// Room is a room as the API shows it.
type Room struct {
	ID             string     `json:"id" example:"room_0123456789abcdef"`
	Title          string     `json:"title"`
	State          string     `json:"state" enum:"idle,live,interrupted"`
	CurrentShow    *string    `json:"current_show" doc:"The show on air or interrupted."`
	CaptureDelayMS int64      `json:"capture_delay_ms" doc:"How long a picture takes from the camera to the server, where the protocol does not tell."`
	CreatedAt      string     `json:"created_at"`
	Publisher      *Publisher `json:"publisher,omitempty" doc:"Who is publishing now."`
	Recording      *Recording `json:"recording,omitempty"`
	WatchURL       string     `json:"watch_url"`
	LiveURL        string     `json:"live_url" doc:"HLS (CMAF, low latency)."`
	TSURL          string     `json:"ts_url" doc:"HLS in MPEG-TS, for players that need it."`
	RTMPServer     string     `json:"rtmp_server" doc:"What OBS calls Server."`
}

// RoomWithKey is a room with its stream key, which is shown this once.
type RoomWithKey struct {
	Room
	StreamKey string `json:"stream_key" doc:"What OBS calls Stream Key. It cannot be read again; a new one can be made."`
}

// Publisher is what a room's publisher sends.
type Publisher struct {
	Protocol      string  `json:"protocol"`
	Remote        string  `json:"remote"`
	Encoder       string  `json:"encoder,omitempty"`
	ConnectedAt   string  `json:"connected_at"`
	Video         string  `json:"video,omitempty"`
	Width         int     `json:"width,omitempty"`
	Height        int     `json:"height,omitempty"`
	Audio         string  `json:"audio,omitempty"`
	SampleRate    int     `json:"sample_rate,omitempty"`
	Channels      int     `json:"channels,omitempty"`
	BitrateBPS    int64   `json:"bitrate_bps"`
	FPS           float64 `json:"fps"`
	KeyIntervalMS int64   `json:"keyframe_interval_ms"`
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
		Title          string `json:"title" doc:"1 to 120 characters." minLength:"1" maxLength:"120"`
		CaptureDelayMS int64  `json:"capture_delay_ms,omitempty" minimum:"0" maximum:"60000"`
	}
	HostInput
}

// HostInput learns under which name the client knows this server.
type HostInput struct {
	host   string
	scheme string
}

// Resolve implements huma.Resolver.
func (h *HostInput) Resolve(ctx huma.Context) []error {
	h.host, h.scheme = ctx.Host(), "http"
	if ctx.TLS() != nil || ctx.Header("X-Forwarded-Proto") == "https" {
		h.scheme = "https"
	}
	return nil
}

func (s *Server) roomOperations() {
	operation(s, huma.Operation{OperationID: "create-room", Method: http.MethodPost, Path: "/api/v1/rooms", Tags: []string{"Rooms"}, Summary: "Create a room", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *roomInput) (*Body[RoomWithKey], error) {
			room, key, err := s.Rooms.CreateRoom(ctx, live.RoomUpdate{Title: &in.Body.Title, CaptureDelay: new(time.Duration(in.Body.CaptureDelayMS) * time.Millisecond)})
			if err != nil {
				return nil, err
			}
			return &Body[RoomWithKey]{RoomWithKey{Room: s.room(room, in.HostInput), StreamKey: key}}, nil
		})
	operation(s, huma.Operation{OperationID: "list-rooms", Method: http.MethodGet, Path: "/api/v1/rooms", Tags: []string{"Rooms"}, Summary: "List rooms"},
		func(ctx context.Context, in *struct {
			PageInput
			HostInput
		},
		) (*Body[Page[Room]], error) {
			rooms, err := s.Rooms.Store.Rooms(ctx, in.After, in.limit())
			if err != nil {
				return nil, err
			}
			return page(rooms, in.limit(), func(r live.Room) Room { return s.room(r, in.HostInput) }, func(r live.Room) string { return r.ID }), nil
		})
	operation(s, huma.Operation{OperationID: "get-room", Method: http.MethodGet, Path: "/api/v1/rooms/{room}", Tags: []string{"Rooms"}, Summary: "Read a room and what it is doing"},
		func(ctx context.Context, in *struct {
			RoomPath
			HostInput
		},
		) (*Body[Room], error) {
			room, err := s.Rooms.Store.Room(ctx, in.Room)
			if err != nil {
				return nil, err
			}
			return &Body[Room]{s.room(room, in.HostInput)}, nil
		})
	operation(s, huma.Operation{OperationID: "update-room", Method: http.MethodPatch, Path: "/api/v1/rooms/{room}", Tags: []string{"Rooms"}, Summary: "Change a room"}, s.updateRoom)
	operation(s, huma.Operation{OperationID: "delete-room", Method: http.MethodDelete, Path: "/api/v1/rooms/{room}", Tags: []string{"Rooms"}, Summary: "Delete a room", Description: "Its ended shows keep their replays.", DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *RoomPath) (*Empty, error) {
			return &Empty{}, s.Rooms.DeleteRoom(ctx, in.Room)
		})
	operation(s, huma.Operation{OperationID: "rotate-stream-key", Method: http.MethodPost, Path: "/api/v1/rooms/{room}/stream-key", Tags: []string{"Rooms"}, Summary: "Make a new stream key", Description: "The old key lets nobody in from now on; a publisher that is on air stays.", DefaultStatus: http.StatusCreated}, s.rotateKey)
	operation(s, huma.Operation{OperationID: "end-show", Method: http.MethodPost, Path: "/api/v1/rooms/{room}/end", Tags: []string{"Rooms"}, Summary: "End the room's show", DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *RoomPath) (*Empty, error) {
			return &Empty{}, s.Rooms.End(ctx, in.Room)
		})
	operation(s, huma.Operation{OperationID: "announce", Method: http.MethodPost, Path: "/api/v1/rooms/{room}/announcements", Tags: []string{"Rooms"}, Summary: "Say something on the show's timeline", DefaultStatus: http.StatusCreated}, s.announce)
}

func (s *Server) updateRoom(ctx context.Context, in *struct {
	RoomPath
	HostInput
	Body struct {
		Title          *string `json:"title,omitempty" minLength:"1" maxLength:"120"`
		CaptureDelayMS *int64  `json:"capture_delay_ms,omitempty" minimum:"0" maximum:"60000"`
	}
},
) (*Body[Room], error) {
	var delay *time.Duration
	if ms := in.Body.CaptureDelayMS; ms != nil {
		d := time.Duration(*ms) * time.Millisecond
		delay = &d
	}
	room, err := s.Rooms.UpdateRoom(ctx, in.Room, live.RoomUpdate{Title: in.Body.Title, CaptureDelay: delay})
	if err != nil {
		return nil, err
	}
	return &Body[Room]{s.room(room, in.HostInput)}, nil
}

func (s *Server) rotateKey(ctx context.Context, in *struct {
	RoomPath
	HostInput
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
	return &Body[RoomWithKey]{RoomWithKey{Room: s.room(room, in.HostInput), StreamKey: key}}, nil
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
func (s *Server) room(r live.Room, h HostInput) Room {
	st, base := s.Rooms.StatusOf(r.ID), s.base(h)
	out := Room{
		ID: r.ID, Title: r.Title, State: string(st.State), CaptureDelayMS: r.CaptureDelay.Milliseconds(), CreatedAt: overlay.FormatWall(r.CreatedAt),
		WatchURL: base + "/r/" + r.ID, LiveURL: base + "/live/" + r.ID + "/index.m3u8", TSURL: base + "/live/" + r.ID + "/ts/index.m3u8",
		RTMPServer: s.rtmpServer(h),
	}
	if st.Show != nil {
		out.CurrentShow = &st.Show.ID
	}
	if p := st.Publisher; p != nil {
		out.Publisher = &Publisher{
			Protocol: p.Protocol, Remote: p.Remote, Encoder: p.Encoder, ConnectedAt: overlay.FormatWall(p.ConnectedAt),
			Video: p.Video, Width: p.Width, Height: p.Height, Audio: p.Audio, SampleRate: p.SampleRate, Channels: p.Channels,
			BitrateBPS: p.BitrateBPS, FPS: p.FPS, KeyIntervalMS: p.KeyInterval.Milliseconds(),
		}
	}
	if st.Recording != nil {
		out.Recording = &Recording{Paused: st.Recording.Paused, Reason: st.Recording.Reason}
	}
	return out
}

// base is the address that viewers use.
func (s *Server) base(h HostInput) string {
	if s.PublicURL != "" {
		return strings.TrimSuffix(s.PublicURL, "/")
	}
	return h.scheme + "://" + h.host
}

func (s *Server) rtmpServer(h HostInput) string {
	base, host := s.base(h), h.host
	if _, after, ok := strings.Cut(base, "://"); ok {
		host = after
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if s.RTMPPort == 1935 || s.RTMPPort == 0 {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return "rtmp://" + host + "/live"
	}
	return fmt.Sprintf("rtmp://%s/live", net.JoinHostPort(host, fmt.Sprint(s.RTMPPort)))
}
