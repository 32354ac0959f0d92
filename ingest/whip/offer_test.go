package whip

import (
	"strings"
	"testing"

	"github.com/pion/sdp/v3"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

const offerHead = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 AA\r\n"

const offerAudio = "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\n"

// videoOffer has the formats of a browser: several profiles of H264 in both modes, VP8, retransmissions.
const videoOffer = "m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 104 105 106 107 45\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=sendonly\r\n" +
	"a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n" +
	"a=rtpmap:102 H264/90000\r\na=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\na=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n" +
	"a=rtpmap:104 H264/90000\r\na=fmtp:104 packetization-mode=0;profile-level-id=42001f\r\na=rtpmap:105 rtx/90000\r\na=fmtp:105 apt=104\r\n" +
	"a=rtpmap:106 h264/90000\r\na=fmtp:106 profile-level-id=f4001f; packetization-mode=1; sprop-parameter-sets=Z0LAH9oC,aM48gA==\r\na=rtpmap:107 rtx/90000\r\na=fmtp:107 apt=106\r\n" +
	"a=rtpmap:45 AV1/90000\r\n"

func TestOfferPicksWhatCanBeServed(t *testing.T) {
	o, refused := readOffer([]byte(offerHead + offerAudio + videoOffer))
	if refused != nil {
		t.Fatal(refused)
	}
	var got []int
	for _, c := range o.video.codecs {
		got = append(got, int(c.PayloadType))
	}
	if want := []int{102, 103, 106, 107}; o.video.codec != media.H264 || len(got) != 4 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] || got[3] != want[3] {
		t.Errorf("%s %v, want %v", o.video.codec, got, want)
	}
	if len(o.video.sps) == 0 || len(o.video.pps) == 0 {
		t.Error("the parameter sets of the offer are lost")
	}
	if o.audio.codec != media.Opus || len(o.audio.codecs) != 1 || o.audio.codecs[0].Channels != 2 {
		t.Errorf("sound %+v", o.audio)
	}
	o, refused = readOffer([]byte(offerHead + offerAudio + strings.ReplaceAll(videoOffer, "packetization-mode=1", "packetization-mode=0")))
	if refused != nil || o.video.codec != media.VP8 || len(o.video.codecs) != 2 {
		t.Errorf("without usable H264: %+v, %v", o.video, refused)
	}
}

func TestOfferOfAPassivePublisher(t *testing.T) {
	o, refused := readOffer([]byte(offerHead + "a=setup:passive\r\n" + offerAudio))
	if refused != nil || !o.passive {
		t.Errorf("%+v, %v", o, refused)
	}
	if o, _ := readOffer([]byte(offerHead + "a=setup:actpass\r\n" + offerAudio)); o.passive {
		t.Error("actpass was taken for passive")
	}
}

func TestFragment(t *testing.T) {
	const body = "a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:abcd\r\na=ice-pwd:secret\r\na=candidate:1 1 udp 1 198.51.100.1 39132 typ host\r\na=end-of-candidates\r\n"
	f, refused := readFragment(body)
	if refused != nil || f.ufrag != "abcd" || f.pwd != "secret" || len(f.candidates) != 1 || !f.end {
		t.Fatalf("%+v, %v", f, refused)
	}
	o, _ := readOffer([]byte(offerHead + offerAudio + "a=candidate:9 1 udp 1 198.51.100.9 1 typ host\r\n"))
	again, err := o.restarted(f)
	if err != nil || strings.Contains(again, "candidate") || !strings.Contains(again, "a=ice-ufrag:abcd\r\na=ice-pwd:secret\r\n") {
		t.Errorf("%v\n%s", err, again)
	}
	var desc sdp.SessionDescription
	if err := desc.UnmarshalString(again); err != nil {
		t.Fatal(err)
	}
	if u, p := credentials(&desc); u != "abcd" || p != "secret" {
		t.Errorf("credentials %q, %q", u, p)
	}
	many := "a=ice-ufrag:a\r\na=ice-pwd:b\r\n" + strings.Repeat("a=candidate:1\r\n", 1000)
	if f, _ := readFragment(many); len(f.candidates) != maxCandidates {
		t.Errorf("%d candidates are looked at", len(f.candidates))
	}
}

func TestPublicAddresses(t *testing.T) {
	s := &Server{cfg: Config{Public: []string{"203.0.113.5", "[2001:db8::1]:7000", "127.0.0.1:9"}}, log: testLog(t)}
	var desc sdp.SessionDescription
	if err := desc.UnmarshalString(offerHead + offerAudio + "a=candidate:9 1 udp 1 198.51.100.9 1 typ host\r\n" + videoOffer); err != nil {
		t.Fatal(err)
	}
	advertise(&desc, s.publicAddresses(t.Context()), true, &transport{udpPort: 8189})
	var got []string
	for _, a := range desc.MediaDescriptions[0].Attributes {
		if a.Key == "candidate" {
			got = append(got, a.Value)
		}
	}
	if len(got) != 3 || !strings.Contains(got[0], " 203.0.113.5 8189 typ host") || !strings.Contains(got[1], " 2001:db8::1 7000 ") || !strings.Contains(got[2], " 127.0.0.1 9 ") {
		t.Errorf("%q", got)
	}
}

func TestStereoParameters(t *testing.T) {
	for line, want := range map[string]string{
		"":                                 "stereo=1;sprop-stereo=1",
		"minptime=10;useinbandfec=1":       "minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1",
		"stereo=0; useinbandfec=1":         "useinbandfec=1;stereo=1;sprop-stereo=1",
		"sprop-stereo=0;stereo=1;usedtx=1": "usedtx=1;stereo=1;sprop-stereo=1",
	} {
		if got := withParameters(line, map[string]string{"stereo": "1", "sprop-stereo": "1"}); got != want {
			t.Errorf("%q became %q, want %q", line, got, want)
		}
	}
}

func TestTarget(t *testing.T) {
	for path, want := range map[string]target{
		"/whip": {}, "/whip/": {}, "/whip/room_1": {room: "room_1"}, "/whip/room_1/abc": {room: "room_1", session: "abc"}, "/whip/-/abc": {session: "abc"},
	} {
		if got, ok := parseTarget(path); !ok || got != want {
			t.Errorf("%s is %+v, %v", path, got, ok)
		}
	}
	for _, path := range []string{"/", "/whipper", "/whip/-", "/whip//abc", "/whip/a/", "/whip/a/b/c", "/whip/a/b/"} {
		if got, ok := parseTarget(path); ok {
			t.Errorf("%s is %+v", path, got)
		}
	}
	for _, tg := range []target{{}, {room: "room_1"}} {
		if got, ok := parseTarget(tg.path("abc")); !ok || got.room != tg.room || got.session != "abc" {
			t.Errorf("%+v came back as %+v", tg, got)
		}
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		cfg   Config
		field string
	}{
		{Config{}, ""},
		{Config{Public: []string{"example.com", "example.com:1234", "192.0.2.1", "::1", "[::1]:5"}}, ""},
		{Config{Public: []string{"example.com:99999"}}, "Public"},
		{Config{Public: []string{"http://example.com"}}, "Public"},
		{Config{Public: []string{""}}, "Public"},
		{Config{PublicOnly: true}, "PublicOnly"},
		{Config{ICEServers: []ICEServer{{URL: "https://x"}}}, "ICEServers"},
		{Config{ICEServers: []ICEServer{{URL: "turn:x"}}}, "ICEServers"},
		{Config{ICEServers: []ICEServer{{URL: "stun:x:3478"}}}, ""},
		{Config{MaxBody: 10}, "MaxBody"},
		{Config{MaxSessions: -1}, "MaxSessions"},
		{Config{MediaTimeout: 1}, "MediaTimeout"},
		{Config{HoldStart: 1 << 62}, "HoldStart"},
		{Config{HoldStart: -1}, ""},
	} {
		if err := c.cfg.Validate(); errs.FieldOf(err) != c.field || (err != nil) != (c.field != "") {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
}

func FuzzOffer(f *testing.F) {
	f.Add(offerHead + offerAudio + videoOffer)
	f.Add(offerHead)
	f.Fuzz(func(t *testing.T, s string) {
		o, refused := readOffer([]byte(s))
		if refused != nil {
			if refused.detail == "" || refused.status/100 != 4 {
				t.Fatalf("%+v", refused)
			}
			return
		}
		if _, err := o.restarted(fragment{ufrag: "a", pwd: "b"}); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzFragment(f *testing.F) {
	f.Add("a=ice-ufrag:a\r\na=ice-pwd:b\r\na=candidate:1\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		if fr, refused := readFragment(s); refused == nil && (fr.ufrag == "" || fr.pwd == "") {
			t.Fatalf("%+v", fr)
		}
	})
}
