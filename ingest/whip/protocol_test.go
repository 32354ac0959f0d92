package whip

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// The answers of the protocol, request by request.
func TestProtocol(t *testing.T) {
	h := serve(t, Config{MaxBody: 16 << 10, ICEServers: []ICEServer{{URL: "stun:stun.example.net"}, {URL: "turn:turn.example.net?transport=udp", Username: "u", Credential: "c"}}})
	offer := newClient(t, h, clientOptions{}).offer(nil)
	bearer := "Bearer " + goodKey
	post := func(path, body string) answer {
		return h.request(http.MethodPost, path, body, "Content-Type", sdpType, "Authorization", bearer)
	}
	made := post("/whip/room_1", offer)
	session, etag := made.header.Get("Location"), made.header.Get("ETag")
	if made.status != http.StatusCreated || !strings.HasPrefix(session, "/whip/room_1/") || len(etag) < 4 || etag[0] != '"' {
		t.Fatalf("POST: %d %v %s", made.status, made.header, made.body)
	}
	ufrag, pwd := credentialsOf(t, offer)
	trickle := "a=ice-ufrag:" + ufrag + "\r\na=ice-pwd:" + pwd + "\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n" +
		"a=candidate:1 1 udp 2130706431 198.51.100.1 39132 typ host\r\na=candidate:2 1 udp 1 x.local 9 typ host\r\na=candidate:rubbish\r\na=end-of-candidates\r\n"
	long := offer + strings.Repeat("a=x\r\n", 4<<10)
	for _, c := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
		reason                   Reason
	}{
		{"wrong key", "POST", "/whip", offer, []string{"Content-Type", sdpType, "Authorization", "Bearer nope"}, 401, WrongKey},
		{"no key", "POST", "/whip", offer, []string{"Content-Type", sdpType}, 401, NoKey},
		{"basic authorization", "POST", "/whip", offer, []string{"Content-Type", sdpType, "Authorization", "Basic bGl2ZV9rZXk="}, 401, NoKey},
		{"no media type", "POST", "/whip", offer, []string{"Authorization", bearer}, 415, BadRequest},
		{"another media type", "POST", "/whip", offer, []string{"Content-Type", "application/json", "Authorization", bearer}, 415, BadRequest},
		{"empty body", "POST", "/whip", "", []string{"Content-Type", sdpType, "Authorization", bearer}, 400, BadRequest},
		{"no SDP", "POST", "/whip", "hello", []string{"Content-Type", sdpType, "Authorization", bearer}, 400, BadRequest},
		{"long body", "POST", "/whip", long, []string{"Content-Type", sdpType, "Authorization", bearer}, 413, BadRequest},
		{"GET endpoint", "GET", "/whip", "", nil, 405, NoSuchMethod},
		{"HEAD endpoint", "HEAD", "/whip/room_1", "", nil, 405, NoSuchMethod},
		{"PUT endpoint", "PUT", "/whip", "", nil, 405, NoSuchMethod},
		{"DELETE endpoint", "DELETE", "/whip", "", nil, 405, NoSuchMethod},
		{"GET session", "GET", session, "", nil, 405, NoSuchMethod},
		{"POST session", "POST", session, offer, []string{"Authorization", bearer}, 405, NoSuchMethod},
		{"deeper", "POST", "/whip/a/b/c", "", nil, 404, NoSuchMethod},
		{"no room", "POST", "/whip//x", "", nil, 404, NoSuchMethod},
		{"unknown session", "DELETE", "/whip/-/nope", "", []string{"Authorization", bearer}, 404, UnknownSession},
		{"unknown session", "PATCH", "/whip/-/nope", trickle, []string{"Authorization", bearer}, 404, UnknownSession},
		{"PATCH without a key", "PATCH", session, trickle, []string{"Content-Type", fragmentType, "If-Match", etag}, 401, NoKey},
		{"PATCH with another key", "PATCH", session, trickle, []string{"Content-Type", fragmentType, "If-Match", etag, "Authorization", "Bearer x"}, 401, WrongKey},
		{"DELETE with another key", "DELETE", session, "", []string{"Authorization", "Bearer x"}, 401, WrongKey},
		{"PATCH of another type", "PATCH", session, trickle, []string{"Content-Type", sdpType, "If-Match", etag, "Authorization", bearer}, 415, BadRequest},
		{"PATCH without a tag", "PATCH", session, trickle, []string{"Content-Type", fragmentType, "Authorization", bearer}, 428, StaleSession},
		{"PATCH with a wrong tag", "PATCH", session, trickle, []string{"Content-Type", fragmentType, "If-Match", `"x"`, "Authorization", bearer}, 412, StaleSession},
		{"PATCH of rubbish", "PATCH", session, "rubbish", []string{"Content-Type", fragmentType, "If-Match", etag, "Authorization", bearer}, 400, BadRequest},
		{"PATCH without credentials", "PATCH", session, "a=end-of-candidates\r\n", []string{"Content-Type", fragmentType, "If-Match", etag, "Authorization", bearer}, 400, BadRequest},
		{"trickle", "PATCH", session, trickle, []string{"Content-Type", fragmentType, "If-Match", etag, "Authorization", bearer}, 204, ""},
		{"trickle with several tags", "PATCH", session, trickle, []string{"Content-Type", fragmentType, "If-Match", `"y", ` + etag, "Authorization", bearer}, 204, ""},
		{"OPTIONS endpoint", "OPTIONS", "/whip", "", nil, 204, ""},
		{"OPTIONS session", "OPTIONS", session, "", nil, 204, ""},
		{"DELETE with a wrong tag", "DELETE", session, "", []string{"Authorization", bearer, "If-Match", `"x"`}, 200, ""},
		{"DELETE again", "DELETE", session, "", []string{"Authorization", bearer}, 404, UnknownSession},
		{"PATCH after DELETE", "PATCH", session, trickle, []string{"Content-Type", fragmentType, "If-Match", etag, "Authorization", bearer}, 404, UnknownSession},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before float64
			if c.reason != "" {
				before = reading(h.metrics.refused.WithLabelValues(string(c.reason)))
			}
			a := h.request(c.method, c.path, c.body, c.header...)
			if a.status != c.status {
				t.Fatalf("answered %d, want %d: %s", a.status, c.status, a.body)
			}
			if a.header.Get("Access-Control-Allow-Origin") != "*" {
				t.Error("pages of other origins cannot read the answer")
			}
			if c.reason == "" {
				return
			}
			if got := reading(h.metrics.refused.WithLabelValues(string(c.reason))); got != before+1 {
				t.Errorf("not counted as %s", c.reason)
			}
			checkProblem(t, a, c.method)
		})
	}
}

// checkProblem wants a refusal to say why.
func checkProblem(t *testing.T, a answer, method string) {
	t.Helper()
	if a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("the refusal is %s", a.header.Get("Content-Type"))
	}
	if (a.status == http.StatusUnauthorized) != (a.header.Get("WWW-Authenticate") != "") {
		t.Errorf("WWW-Authenticate is %q", a.header.Get("WWW-Authenticate"))
	}
	if (a.status == http.StatusMethodNotAllowed) != (a.header.Get("Allow") != "") {
		t.Errorf("Allow is %q", a.header.Get("Allow"))
	}
	var problem problemDetails
	if err := json.Unmarshal([]byte(a.body), &problem); method != http.MethodHead && (err != nil || problem.Status != a.status || problem.Detail == "" || problem.Title == "") {
		t.Errorf("problem %q", a.body)
	}
}

func TestProtocolHeaders(t *testing.T) {
	h := serve(t, Config{ICEServers: []ICEServer{{URL: "stun:stun.example.net"}, {URL: "turn:turn.example.net?transport=udp", Username: "u", Credential: "c"}}})
	a := h.request(http.MethodPost, "/whip", newClient(t, h, clientOptions{}).offer(nil), "Content-Type", sdpType+"; charset=utf-8", "Authorization", "bearer  "+goodKey)
	if a.status != http.StatusCreated || a.header.Get("Content-Type") != sdpType || !strings.HasPrefix(a.header.Get("Location"), "/whip/-/") {
		t.Fatalf("%d %v", a.status, a.header)
	}
	want := []string{`<stun:stun.example.net>; rel="ice-server"`, `<turn:turn.example.net?transport=udp>; rel="ice-server"; username="u"; credential="c"; credential-type="password"`}
	if got := a.header.Values("Link"); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("Link %q", got)
	}
	o := h.request(http.MethodOptions, "/whip/room_1", "", "Origin", "https://example.com", "Access-Control-Request-Method", "POST")
	for header, part := range map[string]string{
		"Accept-Post": sdpType, "Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "Authorization",
		"Access-Control-Expose-Headers": "Location", "Allow": "POST",
	} {
		if !strings.Contains(o.header.Get(header), part) {
			t.Errorf("%s is %q", header, o.header.Get(header))
		}
	}
	if got := h.request(http.MethodOptions, a.header.Get("Location"), "").header.Get("Accept-Patch"); got != fragmentType {
		t.Errorf("Accept-Patch is %q", got)
	}
}

// Offers that can be read and cannot be served.
func TestUnusableOffers(t *testing.T) {
	h := serve(t, Config{})
	good := newClient(t, h, clientOptions{}).offer(nil)
	video := good[strings.Index(good, "m=video"):strings.Index(good, "m=audio")]
	audio := good[strings.Index(good, "m=audio"):]
	for _, c := range []struct{ name, offer, says string }{
		{"a viewer's", strings.ReplaceAll(good, "a=sendonly", "a=recvonly"), "watch over HLS"},
		{"two cameras", strings.Replace(good, audio, video+audio, 1), "more than one video"},
		{"no media", good[:strings.Index(good, "m=")], "neither picture nor sound"},
		{"H265 alone", strings.NewReplacer("H264/", "X264/", "VP8/", "XP8/").Replace(good), "choose H264"},
		{"H264 in mode 0 alone", strings.NewReplacer("packetization-mode=1", "packetization-mode=0", "VP8/", "XP8/").Replace(good), "packetization-mode=1"},
		{"PCM alone", strings.ReplaceAll(good, "opus/", "xopus/"), "choose Opus"},
		{"no fingerprint", withoutLines(good, "a=fingerprint"), "no fingerprint"},
		{"no credentials", withoutLines(good, "a=ice-pwd"), "no ice-pwd"},
		{"no bundle", withoutLines(good, "a=group"), "bundle"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := h.request(http.MethodPost, "/whip", c.offer, "Content-Type", sdpType, "Authorization", "Bearer "+goodKey)
			if a.status/100 != 4 || !strings.Contains(a.body, c.says) {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	if len(h.gate.requests) != 0 {
		t.Errorf("the gate was asked about %d of them", len(h.gate.requests))
	}
}

func TestGateErrors(t *testing.T) {
	h := serve(t, Config{})
	offer := newClient(t, h, clientOptions{}).offer(nil)
	for _, kind := range errs.Kinds {
		want, ok := gateStatuses[kind]
		if !ok {
			t.Fatalf("%s has no status", kind)
		}
		if kind == errs.Unauthorized {
			continue // counts against the address
		}
		h.gate.mu.Lock()
		h.gate.refuse = errs.New(kind, "test", "the reason is %s", kind)
		h.gate.mu.Unlock()
		a := h.request(http.MethodPost, "/whip", offer, "Content-Type", sdpType, "Authorization", "Bearer "+goodKey)
		if a.status != want {
			t.Errorf("%s is answered %d, want %d", kind, a.status, want)
		}
		if secret := strings.Contains(a.body, "the reason is"); secret == (kind == errs.Internal) {
			t.Errorf("%s says %s", kind, a.body)
		}
		if retry := a.header.Get("Retry-After"); (retry != "") != (want == 429 || want == 503) {
			t.Errorf("%s: Retry-After %q", kind, retry)
		}
	}
	if n := len(h.server.doors.addresses); n != 0 {
		t.Errorf("%d addresses are still counted", n)
	}
}

func TestWrongKeysAreLimited(t *testing.T) {
	h := serve(t, Config{MaxWrongKeys: 3})
	offer := newClient(t, h, clientOptions{}).offer(nil)
	try := func(key string) int {
		return h.request(http.MethodPost, "/whip", offer, "Content-Type", sdpType, "Authorization", "Bearer "+key).status
	}
	for range 3 {
		if got := try("guess"); got != http.StatusUnauthorized {
			t.Fatalf("a wrong key is answered %d", got)
		}
	}
	if got := try(goodKey); got != http.StatusTooManyRequests {
		t.Errorf("after three wrong keys: %d", got)
	}
	if got := len(h.gate.requests); got != 3 {
		t.Errorf("the gate was asked %d times", got)
	}
}

func TestSessionsAreLimited(t *testing.T) {
	h := serve(t, Config{MaxSessionsPerAddress: 1, ConnectTimeout: time.Minute})
	offer := newClient(t, h, clientOptions{}).offer(nil)
	post := func() answer {
		return h.request(http.MethodPost, "/whip", offer, "Content-Type", sdpType, "Authorization", "Bearer "+goodKey)
	}
	first := post()
	if got := post(); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
		t.Errorf("a second session is answered %d", got.status)
	}
	if a := h.request(http.MethodDelete, first.header.Get("Location"), "", "Authorization", "Bearer "+goodKey); a.status != http.StatusOK {
		t.Fatalf("DELETE: %d", a.status)
	}
	if got := post(); got.status != http.StatusCreated {
		t.Errorf("after the first has ended: %d %s", got.status, got.body)
	}
}

// A publisher whose network changes restarts ICE; the media goes on under the same DTLS session.
func TestICERestart(t *testing.T) {
	if testing.Short() {
		t.Skip("keeps real time")
	}
	h := serve(t, Config{})
	c, p := film(t, h, clientOptions{})
	p.waitSamples(t, 30)
	offer := c.offer(&webrtc.OfferOptions{ICERestart: true})
	var desc sdp.SessionDescription
	if err := desc.UnmarshalString(offer); err != nil {
		t.Fatal(err)
	}
	a := h.request(http.MethodPatch, c.location, writeFragment(&desc), "Content-Type", fragmentType, "If-Match", "*", "Authorization", "Bearer "+goodKey)
	if a.status != http.StatusOK || a.header.Get("Content-Type") != fragmentType || a.header.Get("ETag") == c.etag || a.header.Get("ETag") == "" {
		t.Fatalf("PATCH: %d %v %s", a.status, a.header, a.body)
	}
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answerWith(t, c.pc.RemoteDescription().SDP, a.body)}); err != nil {
		t.Fatal(err)
	}
	waitConnected(t, c.pc)
	p.mu.Lock()
	n := len(p.samples)
	p.mu.Unlock()
	p.waitSamples(t, n+90)
	c.checkPictures(p.of(media.Video))
	if stale := h.request(http.MethodPatch, c.location, writeFragment(&desc), "Content-Type", fragmentType, "If-Match", c.etag, "Authorization", "Bearer "+goodKey); stale.status != http.StatusPreconditionFailed {
		t.Errorf("the earlier ETag is answered %d", stale.status)
	}
	if got := reading(h.metrics.restarts); got != 1 {
		t.Errorf("%v restarts", got)
	}
}

// answerWith puts the ICE part of a fragment into an answer.
func answerWith(t *testing.T, answer, fragment string) string {
	t.Helper()
	f, refused := readFragment(fragment)
	if refused != nil {
		t.Fatal(refused)
	}
	o := offer{}
	if err := o.desc.UnmarshalString(answer); err != nil {
		t.Fatal(err)
	}
	out, err := o.restarted(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.candidates {
		out += "a=candidate:" + c + "\r\n"
	}
	return out
}

// A publisher may send its candidates later.
func TestTrickle(t *testing.T) {
	if testing.Short() {
		t.Skip("keeps real time")
	}
	h := serve(t, Config{PublicOnly: true, Public: []string{"192.0.2.1"}}) // an address that leads nowhere: only the server's own checks find the way
	c := newClient(t, h, clientOptions{})
	c.publish("/whip", clientOptions{keepHidden: true})
	p := h.next()
	var desc sdp.SessionDescription
	if err := desc.UnmarshalString(c.pc.LocalDescription().SDP); err != nil {
		t.Fatal(err)
	}
	a := h.request(http.MethodPatch, c.location, writeFragment(&desc), "Content-Type", fragmentType, "If-Match", c.etag, "Authorization", "Bearer "+goodKey)
	if a.status != http.StatusNoContent || a.header.Get("ETag") != "" || a.body != "" {
		t.Fatalf("PATCH: %d %v %q", a.status, a.header, a.body)
	}
	c.film()
	p.waitSamples(t, 30)
}

func credentialsOf(t *testing.T, s string) (ufrag, pwd string) {
	t.Helper()
	var desc sdp.SessionDescription
	if err := desc.UnmarshalString(s); err != nil {
		t.Fatal(err)
	}
	return credentials(&desc)
}
