package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/live"
)

func (s *Server) scheduleOperations() {
	operation(s, huma.Operation{OperationID: "reschedule-show", Method: http.MethodPatch, Path: "/api/v1/shows/{show}", Tags: []string{"Shows"}, Summary: "Change a scheduled show", Description: "Reminders move with it.", Security: staff(account.RoomsWrite)},
		func(ctx context.Context, in *struct {
			ShowPath
			Body struct {
				Title       *string    `json:"title,omitempty" maxLength:"120"`
				ScheduledAt *time.Time `json:"scheduled_at,omitempty"`
			}
		},
		) (*Body[Show], error) {
			show, err := s.Rooms.Reschedule(ctx, in.Show, live.ScheduleUpdate{Title: in.Body.Title, ScheduledAt: in.Body.ScheduledAt})
			if err != nil {
				return nil, err
			}
			return &Body[Show]{s.show(show)}, nil
		})
	operation(s, huma.Operation{OperationID: "call-off-show", Method: http.MethodPost, Path: "/api/v1/shows/{show}/call-off", Tags: []string{"Shows"}, Summary: "Call off a scheduled show", Description: "It is ended without having started. Reminders of it are not sent; those of the room's next show wait for another one.", Security: staff(account.RoomsWrite)},
		func(ctx context.Context, in *ShowPath) (*Body[Show], error) {
			show, err := s.Rooms.CallOff(ctx, in.Show)
			if err != nil {
				return nil, err
			}
			return &Body[Show]{s.show(show)}, nil
		})
}
