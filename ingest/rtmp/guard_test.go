package rtmp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tape is a consumer that notes what it is given.
type tape struct {
	notes []string
	calls int // of admit
	fail  error
	panic bool
}

func (c *tape) handshaken()           { c.notes = append(c.notes, "handshaken") }
func (c *tape) admit() error          { c.calls++; return nil }
func (c *tape) media(m message) error { return c.note("media " + show(m)) }
func (c *tape) data(m message) error  { return c.note("data " + show(m)) }
func (c *tape) control(m message) error {
	return c.note(fmt.Sprintf("control %d", m.typeID))
}

func (c *tape) command(cmd *command) (bool, error) {
	forward := cmd.name == "connect" || cmd.name == "createStream" || cmd.name == "publish"
	return forward, c.note("command " + cmd.name)
}

func (c *tape) note(s string) error {
	if c.panic {
		panic("a defect of the consumer")
	}
	c.notes = append(c.notes, s)
	return c.fail
}

// hello is a client's side of the handshake.
func hello() []byte { return append([]byte{rtmpVersion}, make([]byte, handshakeLength-1)...) }

func whole(m message) []byte { return chunked(m, chunkStreamOf(m), defaultChunkSize, true) }

func commandMessage(vs ...any) message {
	return message{typeID: typeCommandAMF0, body: values(vs...)}
}

// flvTag is one tag within an aggregate message.
func flvTag(typeID byte, timestamp uint32, body []byte) []byte {
	n := len(body)
	b := []byte{typeID, byte(n >> 16), byte(n >> 8), byte(n), byte(timestamp >> 16), byte(timestamp >> 8), byte(timestamp), byte(timestamp >> 24), 0, 0, 0}
	return append(append(b, body...), u32(uint32(11+n))...)
}

// guardCases are streams of messages after the handshake. They seed the fuzzers as well.
var guardCases = []struct {
	name    string
	wire    []byte
	notes   []string
	library []string // names of the commands that reach it
	odd     []Anomaly
	ends    Reason
}{
	{name: "media, data, control", wire: cat(
		whole(message{typeID: typeVideo, timestamp: 5, body: []byte("v")}),
		whole(message{typeID: typeAudio, timestamp: 6, body: []byte("a")}),
		whole(message{typeID: typeDataAMF0, timestamp: 7, body: []byte("d")}),
		whole(message{typeID: typeUserControl, body: []byte{0, 3, 0, 0, 0, 1, 0, 0, 0, 1}}),
		whole(message{typeID: typeWindowAckSize, body: u32(5)}),
		whole(message{typeID: typePeerBandwidth, body: u32(5)}),
		whole(message{typeID: typeAck, body: u32(5)}),
	), notes: []string{"media 9@5:v", "media 8@6:a", "data 18@7:d", "control 4", "control 5", "control 6", "control 3"}},
	{name: "commands", wire: cat(
		whole(commandMessage("connect", 1.0, amfObject{{"app", "live"}, {"tcUrl", 5.0}, {"x", []any{nil}}})),
		whole(commandMessage("releaseStream", 2.0, nil, "k")),
		whole(commandMessage("createStream", 1e300, nil)),
		whole(commandMessage("publish", -5.0)),
	), notes: []string{"command connect", "command releaseStream", "command createStream", "command publish"}, library: []string{"connect", "createStream", "publish"}},
	{name: "AMF 3", wire: cat(
		whole(message{typeID: typeCommandAMF3, body: append([]byte{0}, values("createStream", 4.0)...)}),
		whole(message{typeID: typeCommandAMF3, body: values("FCPublish", 4.0)}),
		whole(message{typeID: typeDataAMF3, body: []byte("\x00d")}),
		whole(message{typeID: typeDataAMF3, body: []byte{0}}),
	), notes: []string{"command createStream", "command FCPublish", "data 18@0:d"}, library: []string{"createStream"}, odd: []Anomaly{EmptyMessage}},
	{name: "a command with AMF 3 inside is cut there", wire: whole(message{typeID: typeCommandAMF0, body: append(values("publish", 1.0, nil, "k"), 0x11, 4, 1)}), notes: []string{"command publish"}, library: []string{"publish"}},
	{name: "what nobody knows", wire: cat(
		whole(message{typeID: 16, body: []byte("x")}), whole(message{typeID: 19, body: []byte("x")}),
		whole(message{typeID: 0, body: []byte("x")}), whole(message{typeID: 255, body: []byte("x")}), whole(message{typeID: 7, body: []byte("x")}),
	), odd: []Anomaly{UnknownMessage, UnknownMessage, UnknownMessage, UnknownMessage, UnknownMessage}},
	{name: "empty messages", wire: cat(
		whole(message{typeID: typeVideo}), whole(message{typeID: typeCommandAMF0}), whole(message{typeID: typeAggregate}), whole(message{typeID: typeCommandAMF3}),
	), odd: []Anomaly{EmptyMessage, EmptyMessage, EmptyMessage, EmptyMessage}},
	{name: "aggregate", wire: whole(message{typeID: typeAggregate, timestamp: 1000, body: cat(
		flvTag(typeVideo, 0x1000000, []byte("v")), flvTag(typeAudio, 0x1000010, []byte("aa")), flvTag(typeVideo, 0x1000020, nil), flvTag(typeDataAMF0, 0x1000021, []byte("d")),
	)}), notes: []string{"media 9@1000:v", "media 8@1016:aa", "data 18@1033:d"}, odd: []Anomaly{EmptyMessage}},
	{name: "aggregate without the last trailer", wire: whole(message{typeID: typeAggregate, timestamp: 7, body: flvTag(typeVideo, 3, []byte("v"))[:12]}), notes: []string{"media 9@7:v"}},
	{name: "aggregate cut in a header", wire: whole(message{typeID: typeAggregate, body: append(flvTag(typeVideo, 3, []byte("v")), 9, 9)}), notes: []string{"media 9@0:v"}, odd: []Anomaly{TruncatedAggregate}},
	{name: "aggregate with a tag beyond its end", wire: whole(message{typeID: typeAggregate, body: []byte{9, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 1}}), odd: []Anomaly{TruncatedAggregate}},
	{name: "aggregate in an aggregate", wire: whole(message{typeID: typeAggregate, body: flvTag(typeAggregate, 0, flvTag(typeVideo, 0, []byte("v")))}), odd: []Anomaly{UnknownMessage}},
	{name: "a command without a transaction", wire: whole(commandMessage("connect")), ends: BadCommand},
	{name: "a command that begins with a number", wire: whole(commandMessage(1.0, 1.0)), ends: BadCommand},
	{name: "a command of garbage", wire: whole(message{typeID: typeCommandAMF0, body: []byte{0x55, 1, 2}}), ends: BadCommand},
	{name: "a command 16,000 levels deep", wire: whole(message{typeID: typeCommandAMF0, body: append(values("connect", 1.0), deepAMF(16_000)...)}), ends: BadAMF},
	{name: "a command with a strict array of 2^31-1", wire: whole(message{typeID: typeCommandAMF0, body: append(values("connect", 1.0), 0x0A, 0x7F, 0xFF, 0xFF, 0xFF)}), ends: BadAMF},
}

// runGuard reads all that a guard gives the library and returns it as messages.
func runGuard(wire []byte, c consumer, anomaly func(Anomaly)) (library []message, err error) {
	g := newGuard(bytes.NewReader(wire), c, anomaly)
	out, err := io.ReadAll(g)
	if len(out) <= handshakeLength {
		return nil, err
	}
	limits := messageLimits{media: 0, control: libraryChunkSize, buffered: libraryChunkSize}
	r := newChunkReader(bufio.NewReader(bytes.NewReader(out[handshakeLength:])), limits, anomaly)
	for {
		m, failed := r.next()
		if errors.Is(failed, io.EOF) {
			return library, err
		}
		if failed != nil {
			return nil, fmt.Errorf("the library was given broken chunks: %w", failed)
		}
		library = append(library, m)
	}
}

func TestGuard(t *testing.T) {
	for _, c := range guardCases {
		t.Run(c.name, func(t *testing.T) {
			var notes tape
			var odd []Anomaly
			got, err := runGuard(append(hello(), c.wire...), &notes, func(a Anomaly) { odd = append(odd, a) })
			var e *ending
			if errors.As(err, &e) != (c.ends != "") || e != nil && e.reason != c.ends {
				t.Errorf("ended by %v, want %q", err, c.ends)
			}
			if diff := cmp.Diff(append([]string{"handshaken"}, c.notes...), notes.notes); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.odd, odd); diff != "" {
				t.Error(diff)
			}
			var names []string
			for _, m := range got {
				cmd, err := parseCommand(m)
				if err != nil || m.timestamp != 0 {
					t.Fatalf("the library was given %x: %v", m.body, err)
				}
				names = append(names, cmd.name)
			}
			if diff := cmp.Diff(c.library, names); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGuardCanonicalCommands(t *testing.T) {
	for _, c := range []struct {
		in   []any
		want []any
	}{
		{
			[]any{"connect", 1.0, amfObject{{"app", "live"}, {"objectEncoding", 3.0}, {"tcUrl", 7.0}, {"flashVer", "x"}}},
			[]any{"connect", 1.0, amfObject{{"app", "live"}, {"type", ""}, {"flashVer", "x"}, {"tcUrl", ""}}},
		},
		{[]any{"createStream", 2.5, amfObject{{"a", 1.0}}, "more"}, []any{"createStream", 2.0, nil}},
		{[]any{"createStream", 1e20}, []any{"createStream", 0.0, nil}},
		{[]any{"publish", 0.0, nil, "key", "record", 1.0}, []any{"publish", 0.0, nil, "key", "live"}},
		{[]any{"publish", 0.0, "odd", 1.0}, []any{"publish", 0.0, nil, "", "live"}},
	} {
		got, err := runGuard(append(hello(), whole(commandMessage(c.in...))...), &tape{}, func(Anomaly) {})
		if err != nil || len(got) != 1 || !bytes.Equal(got[0].body, values(c.want...)) {
			t.Errorf("%v became %v: %v", c.in, got, err)
		}
	}
}

func TestGuardRefusesOtherProtocols(t *testing.T) {
	for _, first := range []string{"GET / HTTP/1.1\r\n", "\x16\x03\x01\x02\x00", "\x06"} {
		_, err := runGuard([]byte(first), &tape{}, func(Anomaly) {})
		var e *ending
		if !errors.As(err, &e) || e.reason != NotRTMP {
			t.Errorf("%q: %v", first, err)
		}
	}
}

func TestGuardContainsPanics(t *testing.T) {
	_, err := runGuard(append(hello(), guardCases[0].wire...), &tape{panic: true}, func(Anomaly) {})
	var e *ending
	if !errors.As(err, &e) || e.reason != Defect {
		t.Errorf("ended by %v", err)
	}
}

// Whatever comes after the handshake: no panic, and nothing for the library but the commands that it can take.
func FuzzGuard(f *testing.F) {
	for _, c := range guardCases {
		f.Add(c.wire)
	}
	for _, c := range chunkCases {
		f.Add(c.wire)
	}
	for _, c := range amfCases {
		f.Add(whole(message{typeID: typeCommandAMF0, body: append(values("connect", 1.0), c.wire...)}))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		library, err := runGuard(append(hello(), wire...), &tape{}, func(Anomaly) {})
		var e *ending
		if errors.As(err, &e) && e.reason == Defect {
			t.Fatal(err)
		}
		for _, m := range library {
			if cmd, err := parseCommand(m); err != nil || m.typeID != typeCommandAMF0 || !bytes.Equal(cmd.canonical(), m.body) {
				t.Fatalf("the library was given type %d, %x", m.typeID, m.body)
			}
		}
	})
}
