package overlay

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// frameKind is what a frame is about.
type frameKind uint8

const (
	helloFrame    frameKind = iota // how the connection begins, always the first
	snapshotFrame                  // the whole state, at a position
	eventFrame                     // one event, which moves the position by one
	stateFrame                     // a coalesced value without a position
	frameKinds
)

// String names the kind as it stands on the wire and in metrics.
func (k frameKind) String() string { return [...]string{"hello", "snapshot", "event", "state"}[k] }

// frame is one message of the channel. It is rendered once, shared by all connections and never changed.
type frame struct {
	kind frameKind
	pos  position // of snapshot and event frames
	json []byte

	prepare  sync.Once
	prepared *websocket.PreparedMessage
}

// websocket returns the frame in wire form, made when the first WebSocket needs it.
func (f *frame) websocket() *websocket.PreparedMessage {
	f.prepare.Do(func() {
		f.prepared, _ = websocket.NewPreparedMessage(websocket.TextMessage, f.json) // writes to memory: cannot fail
	})
	return f.prepared
}

// appendSSE renders the frame as a message of an event stream. Only frames that move the position carry an id, so that
// a browser that reconnects names the last one of those.
func (f *frame) appendSSE(dst []byte) []byte {
	if f.kind == snapshotFrame || f.kind == eventFrame {
		dst = append(dst, "id: "...)
		dst = append(dst, f.pos.String()...)
		dst = append(dst, '\n')
	}
	dst = append(dst, "data: "...)
	dst = append(dst, f.json...) // one line: encoding/json writes none of its own
	return append(dst, "\n\n"...)
}

// newHello makes the first frame. pos is where the client stands: the events that follow continue there, or the
// snapshot that follows says so.
func newHello(pos position, recovered bool, now time.Time) *frame {
	return &frame{kind: helloFrame, pos: pos, json: mustJSON(struct {
		Type       string `json:"type"`
		Epoch      string `json:"epoch"`
		Offset     int64  `json:"offset"`
		Recovered  bool   `json:"recovered"`
		ServerTime string `json:"server_time"`
	}{"hello", pos.epoch, pos.offset, recovered, FormatWall(now)})}
}

func newSnapshotFrame(pos position, s Snapshot) *frame {
	return &frame{kind: snapshotFrame, pos: pos, json: mustJSON(struct {
		Type   string   `json:"type"`
		Epoch  string   `json:"epoch"`
		Offset int64    `json:"offset"`
		State  Snapshot `json:"state"`
	}{"snapshot", pos.epoch, pos.offset, s})}
}

func newEventFrame(epoch string, e Event) *frame {
	return &frame{kind: eventFrame, pos: position{epoch, e.Seq}, json: mustJSON(struct {
		Type   string `json:"type"`
		Epoch  string `json:"epoch"`
		Offset int64  `json:"offset"`
		Event  Event  `json:"event"`
	}{"event", epoch, e.Seq, e})}
}

// stateKey names a coalesced value: of each a client is given the newest one alone.
type stateKey uint8

const (
	viewersState stateKey = iota // how many watch
	likesState                   // how many likes the show has
	stateKeys
)

// String names the value as it stands on the wire.
func (k stateKey) String() string { return [...]string{"viewers", "likes"}[k] }

// noStates is no value at all.
var noStates [stateKeys]*frame

func newStateFrame(key stateKey, value int64) *frame {
	return &frame{kind: stateFrame, json: mustJSON(struct {
		Type  string `json:"type"`
		Key   string `json:"key"`
		Value int64  `json:"value"`
	}{"state", key.String(), value})}
}

// mustJSON renders values that are JSON by their types; event data was checked when it was stored.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("overlay: a frame that is not JSON: " + err.Error())
	}
	return b
}
