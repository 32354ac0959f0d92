package wechat

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/reminder"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/printable"
)

// Subscription says how a reminder becomes a subscribe message: which template of the mini-program's console, and which of its
// keywords holds what. The zero value is none.
type Subscription struct {
	Template string // the template's id
	Title    string // the keyword for the show's title, such as "thing1"
	Time     string // for its time, such as "time2"; empty: the template has none
	Note     string // for a word on it, such as "thing3"; empty: none
	// Page is where the message leads, a path of the mini-program in which {room} and {show} stand for the ids.
	Page string
}

var keyword = regexp.MustCompile(`^[a-z_]{1,30}[0-9]{1,3}$`)

// Validate reports what cannot work. The zero Subscription is good: there is none.
func (s Subscription) Validate() error {
	if s.Template == "" {
		return nil
	}
	for name, k := range map[string]string{"title": s.Title, "time": s.Time, "note": s.Note} {
		if k != "" && !keyword.MatchString(k) {
			return fmt.Errorf("%s: must be a keyword of the template such as thing1, got %q", name, k)
		}
	}
	if s.Title == "" {
		return errors.New("title: must name the keyword of the template that shows the title, such as thing1")
	}
	return nil
}

// Reminders sends reminders as subscribe messages. Safe for concurrent use.
type Reminders struct {
	client *Client
	sub    Subscription
}

// NewReminders makes the provider over a client. sub must be valid and name a template.
func NewReminders(client *Client, sub Subscription) *Reminders { return &Reminders{client, sub} }

// Template is what the mini-program asks the viewer's consent for (wx.requestSubscribeMessage).
func (r *Reminders) Template() string { return r.sub.Template }

// Target takes viewers who logged in through the mini-program. One consent is one message.
func (r *Reminders) Target(v account.Viewer, req reminder.Request) (reminder.Target, error) {
	const op = "wechat.Target"
	if v.OpenID == "" || v.AppID != r.client.AppID() {
		return reminder.Target{}, errs.New(errs.Conflict, op, "log in with WeChat first, then ask again")
	}
	if req.Template != "" && req.Template != r.sub.Template {
		return reminder.Target{}, errs.Field(op, "template_id", "the consent must be for the template %s", r.sub.Template)
	}
	return reminder.Target{AppID: v.AppID, OpenID: v.OpenID, Template: r.sub.Template}, nil
}

// Send sends one message.
func (r *Reminders) Send(ctx context.Context, m reminder.Message) reminder.Result {
	return r.client.SendSubscribeMessage(ctx, SubscribeMessage{
		To: m.Target.OpenID, Template: m.Target.Template, Page: r.page(m), Data: r.data(m),
	})
}

func (r *Reminders) page(m reminder.Message) string {
	return strings.NewReplacer("{room}", m.Show.RoomID, "{show}", m.Show.ID).Replace(r.sub.Page)
}

// china is where the mini-program's users are; it has had no summer time since 1991.
var china = time.FixedZone("UTC+8", 8*60*60)

func (r *Reminders) data(m reminder.Message) map[string]string {
	at, note := m.Show.ScheduledAt, "直播即将开始，点击进入"
	if m.Started {
		at, note = m.Show.StartedAt, "直播已开始，点击观看"
	}
	data := map[string]string{r.sub.Title: m.Show.Title}
	if r.sub.Time != "" {
		data[r.sub.Time] = at.In(china).Format("2006-01-02 15:04")
	}
	if r.sub.Note != "" {
		data[r.sub.Note] = note
	}
	return data
}

// SubscribeMessage is one message of a template that the user consented to.
type SubscribeMessage struct {
	To       string // openid
	Template string
	Page     string            // path in the mini-program; empty: none
	Data     map[string]string // by keyword; cut to what its kind takes
}

// SendSubscribeMessage sends a message and says what became of it (subscribeMessage.send). It does not repeat the sending
// but after an answer that proves that nothing was sent: a stale access token.
func (c *Client) SendSubscribeMessage(ctx context.Context, m SubscribeMessage) reminder.Result {
	const path = "/cgi-bin/message/subscribe/send"
	body := subscribeBody(m)
	for refused := ""; ; {
		token, err := c.accessToken(ctx, refused)
		if err != nil {
			return reminder.Result{Verdict: reminder.NotSent, Reason: "no access token: " + errs.MessageOf(err)}
		}
		err = c.postWith(ctx, token, path, body, nil)
		if refused != "" || !slices.Contains(stale, CodeOf(err)) {
			return sendResult(err)
		}
		c.token.drop(token)
		refused = token
	}
}

func subscribeBody(m SubscribeMessage) map[string]any {
	data := make(map[string]any, len(m.Data))
	for k, v := range m.Data {
		data[k] = map[string]string{"value": fit(k, v)}
	}
	body := map[string]any{"touser": m.To, "template_id": m.Template, "data": data, "lang": "zh_CN"}
	if m.Page != "" {
		body["page"] = m.Page
	}
	return body
}

// longest is how many characters the kinds of keywords take, by the template's documentation. WeChat refuses a message with a
// longer value instead of cutting it.
var longest = map[string]int{"thing": 20, "phrase": 5, "name": 10, "character_string": 32, "letter": 32, "number": 32, "symbol": 5}

// fit makes a value such that its keyword takes it: on one line, not empty, cut between characters.
func fit(keyword, value string) string {
	runes := []rune(strings.TrimSpace(strings.Join(strings.Fields(strings.ToValidUTF8(value, "")), " ")))
	if most := longest[strings.TrimRight(keyword, "0123456789")]; most > 0 && len(runes) > most {
		runes = append(runes[:most-1], '…')
	}
	if len(runes) == 0 {
		return "-"
	}
	return string(runes)
}

// noMessage are refusals that will not be lifted by trying again, in words for the merchant.
var noMessage = map[int]string{
	43101: "the viewer's consent is used up or was withdrawn",
	43107: "the mini-program may not send subscribe messages at present",
	47003: "the template has other keywords than the configuration names",
	40037: "the template is not one of this mini-program, or not a one-time one",
	40003: "WeChat does not know the viewer",
	41030: "the page does not exist in the published mini-program",
	45168: "WeChat's content check refuses the text",
}

// notYet are refusals that are lifted with time, and how long to wait.
var notYet = map[int]time.Duration{
	40001: time.Minute, 40014: time.Minute, 42001: time.Minute, // the token; it was replaced once already
	45009: 10 * time.Minute, // calls of the day
	45011: time.Minute,      // calls of the minute
	45047: time.Minute,
	43108: 10 * time.Second, // another message to the same user is on its way
}

// sendResult reads the answer. Every errcode but -1 ("system busy", which says nothing) tells that WeChat did not take it.
func sendResult(err error) reminder.Result {
	if err == nil {
		return reminder.Result{Verdict: reminder.Accepted}
	}
	var refused *APIError
	var dial *net.OpError
	switch {
	case errors.As(err, &refused) && refused.Code == -1:
		return reminder.Result{Reason: "WeChat was busy and did not say whether it took the message"}
	case errors.As(err, &refused):
		return refusedResult(refused)
	case errors.As(err, &dial) && dial.Op == "dial":
		return reminder.Result{Verdict: reminder.NotSent, Reason: "WeChat cannot be reached"}
	}
	return reminder.Result{Reason: "WeChat did not answer"}
}

func refusedResult(e *APIError) reminder.Result {
	if after, later := notYet[e.Code]; later {
		return reminder.Result{Verdict: reminder.NotSent, Reason: fmt.Sprintf("WeChat refuses for now (%d)", e.Code), After: after}
	}
	why := noMessage[e.Code]
	if why == "" {
		why = "WeChat refuses: " + printable.Clip(e.Message)
	}
	return reminder.Result{Verdict: reminder.Refused, Reason: fmt.Sprintf("%s (%d)", why, e.Code)}
}
