package whip

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/printable"
	"github.com/vitrine-live/vitrine/media"
)

// post takes an offer and makes a session of it (RFC 9725, 4.2). The gate is asked last, because it lets an earlier
// publisher of the room go.
func (s *Server) post(w http.ResponseWriter, r *http.Request, where target) *refusal {
	t, refused := s.serving()
	if refused != nil {
		return refused
	}
	remote := s.remote(r)
	key := bearer(r)
	switch {
	case key == "":
		return refuse(NoKey, http.StatusUnauthorized, "send the room's stream key as a bearer token (Authorization: Bearer ...)")
	case !s.doors.mayTry(remote.Addr(), time.Now()):
		return busy(TooManyKeys, "too many wrong stream keys from this address: wait a minute")
	}
	body, refused := s.body(w, r, sdpType)
	if refused != nil {
		return refused
	}
	o, refused := readOffer(body)
	if refused != nil {
		return refused
	}
	if refused := s.doors.enter(remote.Addr(), time.Now()); refused != nil {
		return refused
	}
	c := newSession(s, t, o, remote, key)
	answer, refused := c.open(r.Context(), string(body), media.PublishRequest{
		Protocol: "whip", Remote: remote, StreamKey: key, Room: where.room, Encoder: printable.Clip(r.UserAgent()),
		CapturedAt: c.capture.CapturedAt, Link: c.link.Link,
	})
	if refused != nil {
		s.doors.leave(remote.Addr(), time.Now())
		return refused
	}
	return s.created(w, c, where, answer)
}

// remote is where a request comes from; the port is 0 where a proxy stands before it.
func (s *Server) remote(r *http.Request) netip.AddrPort {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	addr := s.cfg.ClientAddr(r)
	if addr == peer.Addr().Unmap() {
		return peer
	}
	return netip.AddrPortFrom(addr, 0)
}

func (s *Server) created(w http.ResponseWriter, c *session, where target, answer *sdp.SessionDescription) *refusal {
	b, err := answer.Marshal()
	if err != nil {
		c.end(Broken, err)
		return failure(err)
	}
	h := w.Header()
	h.Set("Content-Type", sdpType)
	h.Set("Cache-Control", "no-store")
	h.Set("Location", where.path(c.id))
	h.Set("ETag", c.entityTag())
	h.Set("Accept-Patch", fragmentType)
	links(h, s.cfg.ICEServers)
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(b)
	return nil
}

// open makes the peer connection, asks the gate, and starts the session. When it refuses, nothing is left behind.
func (c *session) open(ctx context.Context, offer string, req media.PublishRequest) (*sdp.SessionDescription, *refusal) {
	pc, err := c.transport.newPeer(c.server.cfg, c.offer)
	if err != nil {
		return nil, &refusal{reason: UnusableOffer, status: http.StatusUnprocessableEntity, detail: "the offer's codecs contradict each other", err: err}
	}
	c.attach(pc)
	answer, err := negotiate(ctx, pc, offer)
	if err != nil {
		_ = pc.GracefulClose()
		return nil, &refusal{reason: UnusableOffer, status: http.StatusUnprocessableEntity, detail: "the offer cannot be answered: it breaks a rule of WebRTC", err: err}
	}
	if refused := c.publish(ctx, req); refused != nil {
		_ = pc.GracefulClose()
		return nil, refused
	}
	if refused := c.server.enter(c); refused != nil {
		_ = pc.GracefulClose()
		c.pub.Close(media.ConnectionLost)
		return nil, refused
	}
	c.finishAnswer(ctx, answer)
	go c.run() // Serve waits for it
	return answer, nil
}

// gateTimeout bounds the look-up of a key.
const gateTimeout = 10 * time.Second

func (c *session) publish(ctx context.Context, req media.PublishRequest) *refusal {
	ctx, cancel := context.WithTimeout(ctx, gateTimeout)
	defer cancel()
	pub, err := c.server.gate.Publish(ctx, req)
	if err != nil {
		if errs.KindOf(err) == errs.Unauthorized {
			c.server.doors.wrongKey(c.remote.Addr(), time.Now())
		}
		return gateRefusal(err)
	}
	c.pub = pub
	return nil
}

// finishAnswer makes pion's answer ours.
func (c *session) finishAnswer(ctx context.Context, answer *sdp.SessionDescription) {
	askForStereo(answer, c.offer)
	advertise(answer, c.server.publicAddresses(ctx), c.server.cfg.PublicOnly, c.transport)
}

// find returns the session that a request is about, if its key is the session's.
func (s *Server) find(r *http.Request, where target) (*session, *refusal) {
	c := s.session(where.session)
	if c == nil || c.ctx.Err() != nil {
		return nil, refuse(UnknownSession, http.StatusNotFound, "this session has ended, or never was: POST an offer anew")
	}
	key := bearer(r)
	if key == "" {
		return nil, refuse(NoKey, http.StatusUnauthorized, "send the stream key that the session was made with (Authorization: Bearer ...)")
	}
	if hash := sha256.Sum256([]byte(key)); subtle.ConstantTimeCompare(hash[:], c.keyHash[:]) != 1 {
		return nil, refuse(WrongKey, http.StatusUnauthorized, "this is not the stream key that the session was made with")
	}
	return c, nil
}

// delete ends a session as its publisher wishes (RFC 9725, 4.2): entity tags play no part.
func (s *Server) delete(w http.ResponseWriter, r *http.Request, where target) *refusal {
	c, refused := s.find(r, where)
	if refused != nil {
		return refused
	}
	c.end(Deleted, nil)
	select {
	case <-c.done: // so that whoever asks next finds the show as it is
	case <-r.Context().Done():
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// patch takes candidates, or restarts ICE when the credentials are new (RFC 9725, 4.3).
func (s *Server) patch(w http.ResponseWriter, r *http.Request, where target) *refusal {
	c, refused := s.find(r, where)
	if refused != nil {
		return refused
	}
	body, refused := s.body(w, r, fragmentType)
	if refused != nil {
		w.Header().Set("Accept-Patch", fragmentType) // RFC 5789, 2.2
		return refused
	}
	f, refused := readFragment(string(body))
	if refused != nil {
		return refused
	}
	c.signalling.Lock()
	defer c.signalling.Unlock()
	if refused := c.matches(r.Header.Values("If-Match")); refused != nil {
		return refused
	}
	if ufrag, pwd := c.remoteCredentials(); ufrag == f.ufrag && pwd == f.pwd {
		c.addCandidates(f)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	answer, refused := c.restart(r.Context(), f)
	if refused != nil {
		return refused
	}
	w.Header().Set("Content-Type", fragmentType)
	w.Header().Set("ETag", c.entityTagLocked())
	links(w.Header(), s.cfg.ICEServers)
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte(writeFragment(answer)))
	return nil
}

// matches reports whether the request speaks of the present ICE session. signalling is held.
func (c *session) matches(ifMatch []string) *refusal {
	tags := strings.Join(ifMatch, ",")
	if strings.TrimSpace(tags) == "" {
		return refuse(StaleSession, http.StatusPreconditionRequired, "send If-Match with the session's ETag, or with * to restart ICE")
	}
	for tag := range strings.SplitSeq(tags, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == c.entityTagLocked() {
			return nil
		}
	}
	return refuse(StaleSession, http.StatusPreconditionFailed, "If-Match names an earlier ICE session")
}

func (c *session) remoteCredentials() (ufrag, pwd string) {
	var desc sdp.SessionDescription
	if err := desc.UnmarshalString(c.pc.RemoteDescription().SDP); err != nil {
		return "", ""
	}
	return credentials(&desc)
}

// addCandidates hands candidates to ICE. What it cannot use is left out without a word (RFC 9725, 4.3.2).
func (c *session) addCandidates(f fragment) {
	for _, candidate := range f.candidates {
		if err := c.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: candidate}); err != nil {
			c.log.Debug("candidate left out", "error", err)
		}
	}
}

// restart begins a new ICE session under the same DTLS one. When it fails, the old one goes on (RFC 9725, 4.3.3).
func (c *session) restart(ctx context.Context, f fragment) (*sdp.SessionDescription, *refusal) {
	again, err := c.offer.restarted(f)
	if err != nil {
		return nil, failure(err)
	}
	answer, err := negotiate(ctx, c.pc, again)
	if err != nil {
		return nil, &refusal{reason: UnusableOffer, status: http.StatusUnprocessableEntity, detail: "ICE cannot be restarted with this fragment", err: err}
	}
	c.generation++
	c.addCandidates(f)
	c.finishAnswer(ctx, answer)
	c.server.metrics.restarts.Inc()
	c.log.Info("ICE restarted", "generation", c.generation)
	return answer, nil
}

// remoteOf is the address that a log line names.
func remoteOf(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return net.JoinHostPort(a.Addr().Unmap().String(), itoa(int(a.Port())))
}

// newID makes the unguessable part of a session's address.
func newID() string { return strings.ToLower(rand.Text()) }
