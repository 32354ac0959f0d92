package whip

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"github.com/vitrine-live/vitrine/media"
)

// client is a publisher: it sends a film of invented pictures and sound, paced like a camera, through pion.
type client struct {
	t        testing.TB
	h        *harness
	pc       *webrtc.PeerConnection
	video    *webrtc.TrackLocalStaticRTP
	audio    *webrtc.TrackLocalStaticRTP
	location string
	etag     string

	camera camera

	stop  chan struct{}
	wait  sync.WaitGroup
	mu    sync.Mutex
	sent  map[string]bool // payloads of pictures, as samples carry them
	keyed chan struct{}   // a keyframe was asked for
}

// clientOptions say how a client differs from the usual one.
type clientOptions struct {
	mime       string // of the picture; empty: H264
	noVideo    bool
	noAudio    bool
	tcp        bool
	keepHidden bool // leave the own addresses out of the offer
	width      int
	height     int
}

const opusMime = webrtc.MimeTypeOpus

func newClient(t testing.TB, h *harness, o clientOptions) *client {
	t.Helper()
	if o.mime == "" {
		o.mime = webrtc.MimeTypeH264
	}
	if o.width == 0 {
		o.width, o.height = 1280, 720
	}
	c := &client{t: t, h: h, stop: make(chan struct{}), sent: map[string]bool{}, keyed: make(chan struct{}, 1)}
	c.camera = camera{mime: o.mime, width: o.width, height: o.height}
	c.pc = newClientPeer(t, o)
	t.Cleanup(c.close)
	if !o.noVideo {
		c.video = c.addTrack(webrtc.RTPCodecCapability{MimeType: o.mime, ClockRate: 90000}, "video")
	}
	if !o.noAudio {
		c.audio = c.addTrack(webrtc.RTPCodecCapability{MimeType: opusMime, ClockRate: 48000, Channels: 2}, "audio")
	}
	return c
}

func newClientPeer(t testing.TB, o clientOptions) *webrtc.PeerConnection {
	t.Helper()
	engine, registry := &webrtc.MediaEngine{}, &interceptor.Registry{}
	if o.mime == webrtc.MimeTypeVP8 { // as a browser that cannot send H264
		registerVP8(t, engine)
	} else if err := engine.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	if err := webrtc.RegisterDefaultInterceptors(engine, registry); err != nil {
		t.Fatal(err)
	}
	s := webrtc.SettingEngine{LoggerFactory: pionLogs{testLog(t)}}
	s.SetIncludeLoopbackCandidate(true)
	s.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	if o.tcp {
		s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(s)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	return pc
}

func registerVP8(t testing.TB, engine *webrtc.MediaEngine) {
	t.Helper()
	feedback := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	for kind, codecs := range map[webrtc.RTPCodecType][]webrtc.RTPCodecParameters{
		webrtc.RTPCodecTypeVideo: {
			{PayloadType: 96, RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000, RTCPFeedback: feedback}},
			{PayloadType: 97, RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=96"}},
		},
		webrtc.RTPCodecTypeAudio: {{PayloadType: 111, RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: opusMime, ClockRate: 48000, Channels: 2}}},
	} {
		for _, c := range codecs {
			if err := engine.RegisterCodec(c, kind); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (c *client) addTrack(codec webrtc.RTPCodecCapability, id string) *webrtc.TrackLocalStaticRTP {
	c.t.Helper()
	track, err := webrtc.NewTrackLocalStaticRTP(codec, id, "film")
	if err != nil {
		c.t.Fatal(err)
	}
	tr, err := c.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		c.t.Fatal(err)
	}
	c.wait.Go(func() { c.readReports(tr.Sender()) })
	return track
}

// readReports notes requests for keyframes.
func (c *client) readReports(sender *webrtc.RTPSender) {
	for {
		all, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range all {
			if strings.Contains(strings.ToLower(typeName(p)), "picturelossindication") {
				select {
				case c.keyed <- struct{}{}:
				default:
				}
			}
		}
	}
}

// offer returns the client's offer with all its candidates.
func (c *client) offer(options *webrtc.OfferOptions) string {
	c.t.Helper()
	offer, err := c.pc.CreateOffer(options)
	if err != nil {
		c.t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(offer); err != nil {
		c.t.Fatal(err)
	}
	<-gathered
	return c.pc.LocalDescription().SDP
}

// publish offers, and takes the answer.
func (c *client) publish(path string, o clientOptions) {
	c.t.Helper()
	offer := c.offer(nil)
	if o.keepHidden {
		offer = withoutLines(offer, "a=candidate")
	}
	a := c.h.request(http.MethodPost, path, offer, "Content-Type", sdpType, "Authorization", "Bearer "+goodKey)
	if a.status != http.StatusCreated {
		c.t.Fatalf("POST: %d %s", a.status, a.body)
	}
	c.location, c.etag = a.header.Get("Location"), a.header.Get("ETag")
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: a.body}); err != nil {
		c.t.Fatalf("answer: %v\n%s", err, a.body)
	}
}

// film sends pictures and sound until the client is closed, 30 a second and 50 a second.
func (c *client) film() {
	if c.video != nil {
		c.wait.Go(c.filmVideo)
	}
	if c.audio != nil {
		c.wait.Go(c.filmAudio)
	}
}

func (c *client) filmVideo() {
	ticker := time.NewTicker(time.Second / 30)
	defer ticker.Stop()
	stamp, seq := rand.Uint32(), uint16(rand.Uint32())
	began := time.Now()
	for n := 0; ; n++ {
		key := n == 0
		select {
		case <-c.stop:
			return
		case <-c.keyed:
			key = true
		case <-ticker.C:
		}
		at := stamp + uint32(time.Since(began)*90/time.Millisecond)
		whole, payloads := c.camera.shoot(n, key)
		c.mu.Lock()
		c.sent[string(whole)] = true
		c.mu.Unlock()
		for i, p := range payloads {
			_ = c.video.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, Timestamp: at, SequenceNumber: seq, Marker: i == len(payloads)-1}, Payload: p})
			seq++
		}
	}
}

func (c *client) filmAudio() {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	stamp, seq := rand.Uint32(), uint16(rand.Uint32())
	for n := uint32(0); ; n++ {
		select {
		case <-c.stop:
			return
		case <-ticker.C:
		}
		_ = c.audio.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, Timestamp: stamp + n*960, SequenceNumber: seq, Marker: n == 0}, Payload: opusPacket(n)})
		seq++
	}
}

// close ends the client without a word.
func (c *client) close() {
	c.mu.Lock()
	select {
	case <-c.stop:
		c.mu.Unlock()
		return
	default:
	}
	close(c.stop)
	c.mu.Unlock()
	_ = c.pc.GracefulClose()
	c.wait.Wait()
}

func (c *client) delete() answer {
	return c.h.request(http.MethodDelete, c.location, "", "Authorization", "Bearer "+goodKey)
}

// checkPictures wants every sample of a recording to be a picture that was sent, whole and untouched.
func (c *client) checkPictures(samples []media.Sample) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, s := range samples {
		if !c.sent[string(s.Payload)] {
			c.t.Fatalf("picture %d of %d bytes was never sent", i, len(s.Payload))
		}
	}
}

func opusPacket(n uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{0xFC}, n) // CELT, 20 ms, stereo
}

// camera makes pictures that only look like coded ones from outside.
type camera struct {
	mime          string
	width, height int
}

// shoot returns the n-th picture as a sample carries it, and the payloads that carry it.
func (c *camera) shoot(n int, key bool) (whole []byte, payloads [][]byte) {
	body := make([]byte, 300+n%7*400)
	for i := range body {
		body[i] = byte(n+i*31) | 1
	}
	for i := range 4 { // no zeros, which would look like a start code
		body[i] = 0x80 | byte(n>>(21-7*i))&0x7F
	}
	if c.mime == webrtc.MimeTypeVP8 {
		frame := append([]byte{1, 0, 0}, body...)
		if key {
			frame = append([]byte{0, 0, 0, 0x9D, 1, 0x2A, byte(c.width), byte(c.width >> 8), byte(c.height), byte(c.height >> 8)}, body...)
		}
		p := codecs.VP8Payloader{EnablePictureID: true}
		return frame, p.Payload(1100, frame)
	}
	slice := append([]byte{0x41}, body...)
	units := [][]byte{slice}
	if key {
		slice[0] = 0x65
		units = [][]byte{testSPS(c.width, c.height), testPPS, slice}
	}
	p := codecs.H264Payloader{}
	for _, u := range units {
		payloads = append(payloads, p.Payload(1100, u)...)
	}
	return avcc(slice), payloads
}

func avcc(units ...[]byte) []byte {
	var out []byte
	for _, u := range units {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(u))), u...)
	}
	return out
}

var testPPS = []byte{0x68, 0xCE, 0x3C, 0x80}

// testSPS writes an SPS of the baseline profile (ISO 14496-10, 7.3.2.1.1); sizes must be multiples of 16.
func testSPS(width, height int) []byte {
	w := bitWriter{}
	w.golomb(0) // seq_parameter_set_id
	w.golomb(0) // log2_max_frame_num_minus4
	w.golomb(2) // pic_order_cnt_type
	w.golomb(1) // max_num_ref_frames
	w.bits(0, 1)
	w.golomb(uint(width/16 - 1))
	w.golomb(uint(height/16 - 1))
	w.bits(1, 1) // frame_mbs_only_flag
	w.bits(1, 1) // direct_8x8_inference_flag
	w.bits(0, 1) // frame_cropping_flag
	w.bits(0, 1) // vui_parameters_present_flag
	w.bits(1, 1) // rbsp_stop_one_bit
	return append([]byte{0x67, 66, 0xC0, 31}, w.out...)
}

type bitWriter struct {
	out []byte
	n   int
}

func (w *bitWriter) bits(v uint, n int) {
	for i := n - 1; i >= 0; i-- {
		if w.n%8 == 0 {
			w.out = append(w.out, 0)
		}
		w.out[len(w.out)-1] |= byte(v>>i&1) << (7 - w.n%8)
		w.n++
	}
}

func (w *bitWriter) golomb(v uint) {
	length := 0
	for (v+1)>>(length+1) > 0 {
		length++
	}
	w.bits(0, length)
	w.bits(v+1, length+1)
}

func withoutLines(s, prefix string) string {
	var out strings.Builder
	for line := range strings.Lines(s) {
		if !strings.HasPrefix(line, prefix) {
			out.WriteString(line)
		}
	}
	return out.String()
}
