package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/overlay"
)

// Show is a show as the API shows it.
type Show struct {
	ID            string  `json:"id" example:"show_0123456789abcdef"`
	RoomID        string  `json:"room_id"`
	Title         string  `json:"title"`
	State         string  `json:"state" enum:"scheduled,live,interrupted,ended"`
	ScheduledAt   *string `json:"scheduled_at,omitempty"`
	StartedAt     *string `json:"started_at,omitempty"`
	InterruptedAt *string `json:"interrupted_at,omitempty"`
	EndedAt       *string `json:"ended_at,omitempty"`
	DurationMS    int64   `json:"duration_ms" doc:"Of the media so far."`
	Epochs        []Epoch `json:"epochs" doc:"One per uninterrupted publish: where it begins on the show's clock and on the wall."`
	ReplayURL     string  `json:"replay_url,omitempty"`
	TimelineURL   string  `json:"timeline_url"`
	PosterURL     string  `json:"poster_url,omitempty"`
}

// Epoch is one linear mapping between show time and the wall clock.
type Epoch struct {
	ShowTimeMS int64  `json:"show_time_ms"`
	Wall       string `json:"wall"`
}

// ShowPath names a show in an address.
type ShowPath struct {
	Show string `path:"show" doc:"The show's id."`
}

func (s *Server) showOperations() {
	operation(s, huma.Operation{OperationID: "get-show", Security: staff(account.RoomsRead), Method: http.MethodGet, Path: "/api/v1/shows/{show}", Tags: []string{"Shows"}, Summary: "Read a show"},
		func(ctx context.Context, in *ShowPath) (*Body[Show], error) {
			show, err := s.Rooms.Show(ctx, in.Show)
			if err != nil {
				return nil, err
			}
			return &Body[Show]{s.show(show)}, nil
		})
	operation(s, huma.Operation{OperationID: "list-shows", Security: staff(account.RoomsRead), Method: http.MethodGet, Path: "/api/v1/rooms/{room}/shows", Tags: []string{"Shows"}, Summary: "List a room's shows, newest first"},
		func(ctx context.Context, in *struct {
			RoomPath
			PageInput
		},
		) (*Body[Page[Show]], error) {
			if _, err := s.Rooms.Store.Room(ctx, in.Room); err != nil {
				return nil, err
			}
			shows, err := s.Rooms.Store.Shows(ctx, in.Room, in.After, in.limit())
			if err != nil {
				return nil, err
			}
			return page(shows, in.limit(), s.show, func(sh live.Show) string { return sh.ID }), nil
		})
	operation(s, huma.Operation{OperationID: "schedule-show", Security: staff(account.RoomsWrite), Method: http.MethodPost, Path: "/api/v1/rooms/{room}/shows", Tags: []string{"Shows"}, Summary: "Schedule a show", Description: "The room's next publish carries out its earliest scheduled show.", DefaultStatus: http.StatusCreated}, s.scheduleShow)
	operation(s, huma.Operation{OperationID: "delete-recording", Security: staff(account.RoomsWrite), Method: http.MethodDelete, Path: "/api/v1/shows/{show}/recording", Tags: []string{"Shows"}, Summary: "Delete an ended show's recording", DefaultStatus: http.StatusNoContent}, s.deleteRecording)
}

func (s *Server) scheduleShow(ctx context.Context, in *struct {
	RoomPath
	Body struct {
		Title       string    `json:"title,omitempty" maxLength:"120" doc:"Default: the room's title."`
		ScheduledAt time.Time `json:"scheduled_at"`
	}
},
) (*Body[Show], error) {
	show, err := s.Rooms.Schedule(ctx, in.Room, in.Body.Title, in.Body.ScheduledAt)
	if err != nil {
		return nil, err
	}
	return &Body[Show]{s.show(show)}, nil
}

func (s *Server) deleteRecording(ctx context.Context, in *ShowPath) (*Empty, error) {
	show, err := s.Rooms.Show(ctx, in.Show)
	if err != nil {
		return nil, err
	}
	if show.Unfinished() || s.Archive == nil {
		return nil, errs.New(errs.Conflict, "api.deleteRecording", "the show is still on air; end it first")
	}
	return &Empty{}, s.Archive.Delete(show.ID)
}

func (s *Server) show(sh live.Show) Show {
	out := Show{
		ID: sh.ID, RoomID: sh.RoomID, Title: sh.Title, State: string(sh.State),
		ScheduledAt: optionalTime(sh.ScheduledAt), StartedAt: optionalTime(sh.StartedAt), InterruptedAt: optionalTime(sh.InterruptedAt), EndedAt: optionalTime(sh.EndedAt),
		DurationMS: sh.Duration.Milliseconds(), Epochs: epochs(sh.Epochs), TimelineURL: "/replay/" + sh.ID + "/timeline.json",
	}
	if s.Archive != nil && s.Archive.Has(sh.ID) {
		out.ReplayURL, out.PosterURL = "/replay/"+sh.ID+"/index.m3u8", "/replay/"+sh.ID+"/poster.jpg"
	}
	return out
}

func epochs(es media.Epochs) []Epoch {
	out := make([]Epoch, len(es))
	for i, e := range es {
		out[i] = Epoch{ShowTimeMS: e.ShowTime.Milliseconds(), Wall: overlay.FormatWall(e.Wall)}
	}
	return out
}

func optionalTime(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := overlay.FormatWall(t)
	return &s
}

// showTime reads a show time in milliseconds; "" is none.
func showTime(op, s string) (*media.Ticks, error) {
	if s == "" {
		return nil, nil //nolint:nilnil // none given is an answer
	}
	ms, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return nil, errs.Field(op, "show_time_ms", "must be a whole number of milliseconds")
	}
	t := media.FromMilliseconds(ms)
	return &t, nil
}
