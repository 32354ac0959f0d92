package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/funnel"
	"github.com/vitrine-live/vitrine/commerce/reminder"
	"github.com/vitrine-live/vitrine/overlay"
)

// FunnelDeps are the domains of reminders and reports.
type FunnelDeps struct {
	Reminders *reminder.Service
	// ReminderChannels are those of Reminders, with what pages need for them.
	ReminderChannels []ReminderChannel
	Funnel           *funnel.Service
}

// ReminderChannel is one way by which viewers can be reminded, and what their page needs to ask for their consent.
type ReminderChannel struct {
	Channel    string `json:"channel" enum:"wechat,web_push,webhook"`
	PublicKey  string `json:"public_key,omitempty" doc:"Of web_push: the applicationServerKey to subscribe with."`
	TemplateID string `json:"template_id,omitempty" doc:"Of wechat: the template for wx.requestSubscribeMessage. One consent is one message."`
}

// Reminder is a viewer's wish to be told of a show.
type Reminder struct {
	ID            string  `json:"id" example:"rem_0123456789abcdef"`
	RoomID        string  `json:"room_id"`
	ShowID        string  `json:"show_id,omitempty" doc:"Absent while it waits for the room's next show."`
	Channel       string  `json:"channel" enum:"wechat,web_push,webhook"`
	BeforeMinutes int     `json:"before_minutes" doc:"0: when the show goes on air."`
	State         string  `json:"state" enum:"pending,sending,sent,failed,unknown,cancelled" doc:"unknown: nobody can say whether it arrived; it is not sent again."`
	Reason        string  `json:"reason,omitempty"`
	CreatedAt     string  `json:"created_at"`
	DoneAt        *string `json:"done_at,omitempty"`
}

// ReminderCounts are the reminders of a show by what became of them.
type ReminderCounts struct {
	Total    int64                  `json:"total" doc:"All but the cancelled ones."`
	Channels []ReminderChannelCount `json:"channels"`
}

// ReminderChannelCount is ReminderCounts of one channel.
type ReminderChannelCount struct {
	Channel   string `json:"channel" enum:"wechat,web_push,webhook"`
	Pending   int64  `json:"pending"`
	Sending   int64  `json:"sending"`
	Sent      int64  `json:"sent"`
	Failed    int64  `json:"failed" doc:"The provider refused them."`
	Unknown   int64  `json:"unknown" doc:"The server or the provider stopped in mid-send. They are not sent again: the consent may be used up."`
	Cancelled int64  `json:"cancelled"`
}

type reminderBody struct {
	Channel       string `json:"channel" enum:"wechat,web_push,webhook"`
	BeforeMinutes int    `json:"before_minutes,omitempty" minimum:"0" maximum:"1440" doc:"How long before the scheduled time; 0: when the show goes on air."`
	TemplateID    string `json:"template_id,omitempty" maxLength:"100" doc:"Of wechat: the template that the viewer consented to."`
	Subscription  *struct {
		Endpoint string `json:"endpoint" maxLength:"2048"`
		Keys     struct {
			P256dh string `json:"p256dh" maxLength:"200"`
			Auth   string `json:"auth" maxLength:"100"`
		} `json:"keys"`
	} `json:"subscription,omitempty" doc:"Of web_push: PushSubscription.toJSON() of the browser."`
}

type reminderOutput struct {
	Status int
	Body   Reminder
}

func (s *Server) reminderOperations() {
	tags := []string{"Reminders"}
	operation(s, huma.Operation{OperationID: "list-reminder-channels", Method: http.MethodGet, Path: "/api/v1/reminder-channels", Tags: tags, Summary: "List how viewers can be reminded", Security: public},
		func(context.Context, *Empty) (*Body[Page[ReminderChannel]], error) {
			return &Body[Page[ReminderChannel]]{Page[ReminderChannel]{Items: s.ReminderChannels}}, nil
		})
	const once = "One consent is one message: asking again for the same answers with what is there (200)."
	operation(s, huma.Operation{OperationID: "remind-of-show", Method: http.MethodPost, Path: "/api/v1/shows/{show}/reminders", Tags: tags, Summary: "Ask to be reminded of a scheduled show", Description: once, Security: viewers, DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *struct {
			ShowPath
			Body reminderBody
		},
		) (*reminderOutput, error) {
			return s.remind(ctx, reminder.Request{ShowID: in.Show}, in.Body)
		})
	operation(s, huma.Operation{OperationID: "remind-of-next-show", Method: http.MethodPost, Path: "/api/v1/rooms/{room}/reminders", Tags: tags, Summary: "Ask to be reminded of a room's next show", Description: once, Security: viewers, DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *struct {
			RoomPath
			Body reminderBody
		},
		) (*reminderOutput, error) {
			return s.remind(ctx, reminder.Request{RoomID: in.Room}, in.Body)
		})
	operation(s, huma.Operation{OperationID: "list-my-reminders", Method: http.MethodGet, Path: "/api/v1/me/reminders", Tags: tags, Summary: "List my reminders, newest first", Security: viewers}, s.listMyReminders)
	operation(s, huma.Operation{OperationID: "cancel-reminder", Method: http.MethodDelete, Path: "/api/v1/me/reminders/{reminder}", Tags: tags, Summary: "Take back a reminder that was not sent yet", Security: viewers, DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *struct {
			Reminder string `path:"reminder" doc:"The reminder's id."`
		},
		) (*Empty, error) {
			return &Empty{}, s.Reminders.Cancel(ctx, viewer(ctx).ID, in.Reminder)
		})
	operation(s, huma.Operation{OperationID: "count-reminders", Method: http.MethodGet, Path: "/api/v1/shows/{show}/reminders", Tags: tags, Summary: "Count a show's reminders by what became of them", Security: staff(account.RoomsRead)}, s.countReminders)
}

func (s *Server) remind(ctx context.Context, r reminder.Request, b reminderBody) (*reminderOutput, error) {
	r.Channel, r.Before, r.Template = reminder.Channel(b.Channel), time.Duration(b.BeforeMinutes)*time.Minute, b.TemplateID
	if b.Subscription != nil {
		r.Endpoint, r.P256dh, r.Auth = b.Subscription.Endpoint, b.Subscription.Keys.P256dh, b.Subscription.Keys.Auth
	}
	kept, fresh, err := s.Reminders.Subscribe(ctx, viewer(ctx), r)
	if err != nil {
		return nil, err
	}
	out := &reminderOutput{Status: http.StatusCreated, Body: reminderOf(kept)}
	if !fresh {
		out.Status = http.StatusOK
	}
	return out, nil
}

func (s *Server) listMyReminders(ctx context.Context, in *PageInput) (*Body[Page[Reminder]], error) {
	list, next, err := s.Reminders.List(ctx, viewer(ctx).ID, in.After, in.limit())
	if err != nil {
		return nil, err
	}
	out := Page[Reminder]{Items: make([]Reminder, len(list))}
	for i := range list {
		out.Items[i] = reminderOf(list[i])
	}
	if next != "" {
		out.Next = &next
	}
	return &Body[Page[Reminder]]{out}, nil
}

func (s *Server) countReminders(ctx context.Context, in *ShowPath) (*Body[ReminderCounts], error) {
	counts, err := s.Reminders.Counts(ctx, in.Show)
	if err != nil {
		return nil, err
	}
	out := ReminderCounts{Channels: []ReminderChannelCount{}}
	at := map[reminder.Channel]int{}
	for _, c := range counts {
		i, known := at[c.Channel]
		if !known {
			i = len(out.Channels)
			at[c.Channel], out.Channels = i, append(out.Channels, ReminderChannelCount{Channel: string(c.Channel)})
		}
		*out.Channels[i].of(c.State) += c.N
		if c.State != reminder.Cancelled {
			out.Total += c.N
		}
	}
	return &Body[ReminderCounts]{out}, nil
}

func (c *ReminderChannelCount) of(state reminder.State) *int64 {
	return map[reminder.State]*int64{
		reminder.Pending: &c.Pending, reminder.Sending: &c.Sending, reminder.Sent: &c.Sent, reminder.Failed: &c.Failed,
		reminder.Unknown: &c.Unknown, reminder.Cancelled: &c.Cancelled,
	}[state]
}

func reminderOf(r reminder.Reminder) Reminder {
	return Reminder{
		ID: r.ID, RoomID: r.RoomID, ShowID: r.ShowID, Channel: string(r.Channel), BeforeMinutes: int(r.Before / time.Minute),
		State: string(r.State), Reason: r.Reason, CreatedAt: overlay.FormatWall(r.CreatedAt), DoneAt: optionalTime(r.DoneAt),
	}
}
