package whip

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/vitrine-live/vitrine/media"
)

// offer is what a publisher proposes, with the part of it that the server takes.
type offer struct {
	desc         sdp.SessionDescription
	video, audio *section // nil when the offer has none
	passive      bool     // the publisher can only be the DTLS server
}

// section is one media section of an offer.
type section struct {
	codec    media.Codec
	codecs   []webrtc.RTPCodecParameters // those that the server takes, with their retransmissions
	sps, pps []byte                      // of H264, where the offer carries them (RFC 6184, sprop-parameter-sets)
}

// readOffer reads an offer and finds what the server can take of it.
func readOffer(body []byte) (*offer, *refusal) {
	o := &offer{}
	if err := o.desc.Unmarshal(body); err != nil || len(body) == 0 {
		return nil, &refusal{reason: BadRequest, status: http.StatusBadRequest, detail: "the offer is no session description (RFC 8866)", err: err}
	}
	setup, _ := o.desc.Attribute("setup")
	for _, m := range o.desc.MediaDescriptions {
		if a, ok := m.Attribute("setup"); ok {
			setup = a
		}
		if refused := o.take(m); refused != nil {
			return nil, refused
		}
	}
	o.passive = setup == "passive"
	if o.video == nil && o.audio == nil {
		return nil, unusable("the offer has neither picture nor sound")
	}
	return o, o.complete()
}

// complete reports what the transport needs and the offer lacks (RFC 9725, 4.4).
func (o *offer) complete() *refusal {
	first := o.desc.MediaDescriptions[0]
	for _, name := range []string{"ice-ufrag", "ice-pwd", "fingerprint"} {
		_, session := o.desc.Attribute(name)
		if _, ok := first.Attribute(name); !ok && !session {
			return refuse(BadRequest, http.StatusBadRequest, "the offer has no %s", name)
		}
	}
	if group, ok := o.desc.Attribute("group"); len(o.desc.MediaDescriptions) > 1 && (!ok || !strings.HasPrefix(group, "BUNDLE ")) {
		return unusable("the offer must bundle its media (a=group:BUNDLE)")
	}
	return nil
}

// take finds the codecs of one media section.
func (o *offer) take(m *sdp.MediaDescription) *refusal {
	slot := &o.video
	switch m.MediaName.Media {
	case "audio":
		slot = &o.audio
	case "video":
	default:
		return nil
	}
	if m.MediaName.Port.Value == 0 {
		return nil
	}
	for _, a := range m.Attributes {
		if a.Key == "recvonly" || a.Key == "inactive" {
			return unusable("the offer's %s is %s: this address takes publishers only, watch over HLS", m.MediaName.Media, a.Key)
		}
	}
	if *slot != nil {
		return unusable("the offer has more than one %s section: publish one camera and one microphone", m.MediaName.Media)
	}
	sec := readSection(m)
	if sec == nil {
		return noCodec(m.MediaName.Media)
	}
	*slot = sec
	return nil
}

func noCodec(kind string) *refusal {
	if kind == "audio" {
		return unusable("the offer's sound is not Opus: choose Opus")
	}
	return unusable("the offer's picture is neither H264 (packetization-mode=1) nor VP8: choose H264")
}

// format is one payload type of a media section.
type format struct {
	payload    uint8
	name       string // lower case
	clock      uint32
	channels   uint16
	parameters string
}

// readSection picks the codecs to take: H264 of every profile when there is any, else VP8; Opus. nil when none will do.
func readSection(m *sdp.MediaDescription) *section {
	formats := readFormats(m)
	codec, usable := media.Opus, func(f format) bool { return f.name == "opus" && f.clock == 48000 }
	if m.MediaName.Media == "video" {
		codec, usable = media.H264, func(f format) bool {
			return f.name == "h264" && f.clock == 90000 && parameter(f.parameters, "packetization-mode") == "1"
		}
		if !slices.ContainsFunc(formats, usable) {
			codec, usable = media.VP8, func(f format) bool { return f.name == "vp8" && f.clock == 90000 }
		}
	}
	sec := &section{codec: codec}
	for _, f := range formats {
		if !usable(f) {
			continue
		}
		sec.add(f)
		sec.parameterSets(f)
		for _, x := range formats {
			if x.name == "rtx" && parameter(x.parameters, "apt") == strconv.Itoa(int(f.payload)) {
				sec.add(x)
			}
		}
	}
	if len(sec.codecs) == 0 {
		return nil
	}
	return sec
}

// mimeTypes are pion's names of what readSection lets through.
var mimeTypes = map[string]string{
	"h264": webrtc.MimeTypeH264, "vp8": webrtc.MimeTypeVP8, "rtx": webrtc.MimeTypeRTX, "opus": webrtc.MimeTypeOpus,
}

// add takes a format exactly as it was offered, so that it matches whatever its profile, level and numbers are. pion
// answers with those feedback messages that both sides name.
func (s *section) add(f format) {
	var feedback []webrtc.RTCPFeedback
	switch {
	case f.name == "opus":
		feedback = []webrtc.RTCPFeedback{{Type: webrtc.TypeRTCPFBTransportCC}, {Type: webrtc.TypeRTCPFBNACK}}
	case f.name != "rtx":
		feedback = []webrtc.RTCPFeedback{
			{Type: webrtc.TypeRTCPFBTransportCC},
			{Type: webrtc.TypeRTCPFBNACK},
			{Type: webrtc.TypeRTCPFBNACK, Parameter: "pli"},
			{Type: webrtc.TypeRTCPFBCCM, Parameter: "fir"},
		}
	}
	s.codecs = append(s.codecs, webrtc.RTPCodecParameters{
		PayloadType: webrtc.PayloadType(f.payload),
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: mimeTypes[f.name], ClockRate: f.clock, Channels: f.channels, SDPFmtpLine: f.parameters, RTCPFeedback: feedback,
		},
	})
}

// parameterSets keeps the SPS and PPS that come with the offer: some publishers never send them with the picture.
func (s *section) parameterSets(f format) {
	for set := range strings.SplitSeq(parameter(f.parameters, "sprop-parameter-sets"), ",") {
		nal, err := base64.StdEncoding.DecodeString(set)
		if err != nil || len(nal) == 0 {
			continue
		}
		switch nal[0] & 0x1F {
		case nalSPS:
			s.sps = nal
		case nalPPS:
			s.pps = nal
		}
	}
}

// readFormats returns the payload types of a section in its order of preference.
func readFormats(m *sdp.MediaDescription) []format {
	var all []format
	for _, s := range m.MediaName.Formats {
		payload, err := strconv.ParseUint(s, 10, 7)
		if err != nil || slices.ContainsFunc(all, func(f format) bool { return f.payload == uint8(payload) }) {
			continue
		}
		if f, ok := readFormat(m, uint8(payload)); ok {
			all = append(all, f)
		}
	}
	return all
}

// readFormat finds what a section says of a payload type (RFC 8866, 6.6 and 6.15).
func readFormat(m *sdp.MediaDescription, payload uint8) (f format, ok bool) {
	f.payload = payload
	for _, a := range m.Attributes {
		number, value, found := strings.Cut(a.Value, " ")
		if !found || number != strconv.Itoa(int(payload)) {
			continue
		}
		switch a.Key {
		case "fmtp":
			f.parameters = strings.TrimSpace(value)
		case "rtpmap":
			var clock, channels uint64
			parts := strings.SplitN(strings.TrimSpace(value), "/", 3)
			if len(parts) < 2 {
				return f, false
			}
			f.name, ok = strings.ToLower(parts[0]), true
			clock, _ = strconv.ParseUint(parts[1], 10, 32)
			if len(parts) == 3 {
				channels, _ = strconv.ParseUint(parts[2], 10, 16)
			}
			f.clock, f.channels = uint32(clock), uint16(channels)
		}
	}
	return f, ok
}

// parameter returns one parameter of a format line, "" when it is not there.
func parameter(line, name string) string {
	for p := range strings.SplitSeq(line, ";") {
		if key, value, _ := strings.Cut(strings.TrimSpace(p), "="); strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}

// restarted returns the offer anew for an ICE restart, with the publisher's new credentials and without candidates,
// which belong to the old ones.
func (o *offer) restarted(f fragment) (string, error) {
	desc := o.desc
	desc.Attributes = withCredentials(desc.Attributes, f)
	desc.MediaDescriptions = make([]*sdp.MediaDescription, len(o.desc.MediaDescriptions))
	for i, m := range o.desc.MediaDescriptions {
		again := *m
		again.Attributes = withCredentials(m.Attributes, f)
		desc.MediaDescriptions[i] = &again
	}
	b, err := desc.Marshal()
	if err != nil {
		return "", fmt.Errorf("offer anew: %w", err)
	}
	return string(b), nil
}

func withCredentials(attributes []sdp.Attribute, f fragment) []sdp.Attribute {
	var out []sdp.Attribute
	for _, a := range attributes {
		switch a.Key {
		case "candidate", "end-of-candidates":
			continue
		case "ice-ufrag":
			a.Value = f.ufrag
		case "ice-pwd":
			a.Value = f.pwd
		}
		out = append(out, a)
	}
	return out
}
