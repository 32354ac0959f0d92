package reminder

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Channel is the way by which a viewer is reached.
type Channel string

// The channels.
const (
	WeChat  Channel = "wechat"   // a subscribe message: WeChat allows one for each consent that its dialog took
	WebPush Channel = "web_push" // RFC 8030, to the browser that asked
	Webhook Channel = "webhook"  // the store's own backend tells the viewer
)

// State is where a reminder stands in its life: pending -> sending -> sent, failed or unknown; pending -> cancelled. A
// sending that provably sent nothing leads back to pending.
type State string

// The states. Only pending ones are ever sent.
const (
	Pending   State = "pending"
	Sending   State = "sending"   // claimed for one attempt, which may have reached the viewer from now on
	Sent      State = "sent"      // the provider took it
	Failed    State = "failed"    // the provider refused it for good
	Unknown   State = "unknown"   // nobody can say whether it was sent: the process died, or the provider did not answer
	Cancelled State = "cancelled" // by the viewer, with its show, or because it came too late
)

// States lists all states.
var States = []State{Pending, Sending, Sent, Failed, Unknown, Cancelled}

// Reminder is one consent of one viewer to be told once of one show.
type Reminder struct {
	ID      string // "rem_…"
	StoreID string
	RoomID  string
	ShowID  string // empty while it waits for the room's next show
	Next    bool   // it was asked for the room's next show, whichever that will be
	// ViewerID is whose it is.
	ViewerID string
	Channel  Channel
	Target   Target
	// Before is how long before the scheduled time it is due, in whole minutes; 0: when the show goes on air.
	Before time.Duration

	State    State
	Reason   string // why it failed, is unknown or was cancelled; for people
	Attempts int    // how often it was claimed

	CreatedAt time.Time
	// Zero times are unset.
	NextTry   time.Time // not before this, after an attempt that sent nothing
	ClaimedAt time.Time // the newest attempt
	DoneAt    time.Time // since when the state is final
}

// Target is where a message goes: what the provider of the channel needs.
type Target struct {
	// Of Web Push: the browser's subscription, its keys in base64url.
	Endpoint string `json:"endpoint,omitempty"`
	P256dh   string `json:"p256dh,omitempty"`
	Auth     string `json:"auth,omitempty"`
	// Of WeChat.
	AppID    string `json:"app_id,omitempty"`
	OpenID   string `json:"open_id,omitempty"`
	Template string `json:"template,omitempty"`
}

// Key tells two targets of a channel apart, in few bytes: two browsers of a viewer are two.
func (t *Target) Key() string {
	sum := sha256.Sum256([]byte(t.Endpoint + "\n" + t.AppID + "\n" + t.OpenID + "\n" + t.Template))
	return hex.EncodeToString(sum[:16])
}

// Count is how many reminders of a show stand where.
type Count struct {
	Channel Channel
	State   State
	N       int64
}

// Position says where in the list of a viewer's reminders, newest first, a page ends. The zero value is before the first.
type Position struct {
	CreatedAt time.Time
	ID        string
}
