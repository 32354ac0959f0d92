package whip

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

const (
	// gatherTimeout bounds the listing of our own addresses: with shared sockets it asks nobody.
	gatherTimeout = 5 * time.Second
	// After disconnectedAfter without a packet the path is doubtful, failedAfter later it is lost: the publisher's own
	// ICE has then long begun to restart, or it is gone.
	disconnectedAfter = 5 * time.Second
	failedAfter       = 10 * time.Second
	keepAliveEvery    = 2 * time.Second
	// maxMessage is the longest data channel message in bytes.
	maxMessage = 16 << 10
)

// newPeer makes the peer connection of one session, which takes exactly what readOffer let through.
func (t *transport) newPeer(cfg Config, o *offer) (*webrtc.PeerConnection, error) {
	engine, registry := &webrtc.MediaEngine{}, &interceptor.Registry{}
	if err := registerCodecs(engine, o); err != nil {
		return nil, err
	}
	if err := registerInterceptors(engine, registry, t); err != nil {
		return nil, err
	}
	settings, err := t.settings(cfg, o)
	if err != nil {
		return nil, err
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings))
	return api.NewPeerConnection(webrtc.Configuration{})
}

func registerCodecs(engine *webrtc.MediaEngine, o *offer) error {
	for kind, sec := range map[webrtc.RTPCodecType]*section{webrtc.RTPCodecTypeVideo: o.video, webrtc.RTPCodecTypeAudio: o.audio} {
		if sec == nil {
			continue
		}
		for _, c := range sec.codecs {
			if err := engine.RegisterCodec(c, kind); err != nil {
				return fmt.Errorf("payload type %d: %w", c.PayloadType, err)
			}
		}
	}
	return nil
}

// registerInterceptors adds receiver reports and transport-wide congestion feedback, by which browsers find their
// bitrate. Retransmissions are asked for by our own reorder buffer, which alone knows what is still of use. The header
// extensions are those of congestion control and simulcast; without video orientation phones turn the picture themselves.
func registerInterceptors(engine *webrtc.MediaEngine, registry *interceptor.Registry, t *transport) error {
	reports, err := report.NewReceiverInterceptor(report.WithReceiverLoggerFactory(t.logs))
	if err != nil {
		return fmt.Errorf("receiver reports: %w", err)
	}
	feedback, err := twcc.NewSenderInterceptor(twcc.WithLoggerFactory(t.logs))
	if err != nil {
		return fmt.Errorf("congestion feedback: %w", err)
	}
	registry.Add(reports)
	registry.Add(feedback)
	for uri, kinds := range map[string][]webrtc.RTPCodecType{
		sdp.TransportCCURI:           {webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio},
		sdp.SDESMidURI:               {webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio},
		sdp.SDESRTPStreamIDURI:       {webrtc.RTPCodecTypeVideo},
		sdp.SDESRepairRTPStreamIDURI: {webrtc.RTPCodecTypeVideo},
	} {
		for _, kind := range kinds {
			if err := engine.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind); err != nil {
				return fmt.Errorf("header extension %s: %w", uri, err)
			}
		}
	}
	return nil
}

func (t *transport) settings(cfg Config, o *offer) (webrtc.SettingEngine, error) {
	s := webrtc.SettingEngine{LoggerFactory: t.logs}
	networks := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	s.SetICEUDPMux(t.udp)
	if t.tcp != nil {
		s.SetICETCPMux(t.tcp)
		networks = append(networks, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	s.SetNetworkTypes(networks)
	s.DisableActiveTCP(true)                               // a stranger's candidates must not make us connect anywhere
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled) // publishers with .local candidates are found by their checks
	s.SetIncludeLoopbackCandidate(cfg.Loopback)
	s.SetICETimeouts(disconnectedAfter, failedAfter, keepAliveEvery)
	s.SetSCTPMaxMessageSize(maxMessage)
	if o.passive {
		return s, nil
	}
	// RFC 9725, 4.4: the endpoint should be passive when the publisher can be active.
	return s, s.SetAnsweringDTLSRole(webrtc.DTLSRoleServer)
}

// negotiate sets the offer and returns our answer, candidates included.
func negotiate(ctx context.Context, pc *webrtc.PeerConnection, offer string) (*sdp.SessionDescription, error) {
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return nil, fmt.Errorf("offer: %w", err)
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(answer); err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, gatherTimeout, errors.New("our own addresses could not be listed in time"))
	defer cancel()
	select {
	case <-gathered:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	desc := &sdp.SessionDescription{}
	if err := desc.UnmarshalString(pc.LocalDescription().SDP); err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	return desc, nil
}

// askForStereo tells the publisher that two channels are welcome (RFC 7587, 7.1): browsers send one otherwise.
func askForStereo(answer *sdp.SessionDescription, o *offer) {
	if o.audio == nil {
		return
	}
	for _, m := range answer.MediaDescriptions {
		if m.MediaName.Media != "audio" {
			continue
		}
		for _, c := range o.audio.codecs {
			setParameters(m, fmt.Sprint(c.PayloadType), map[string]string{"stereo": "1", "sprop-stereo": "1"})
		}
	}
}

// setParameters sets parameters of a payload type, and adds the line when there is none.
func setParameters(m *sdp.MediaDescription, payload string, want map[string]string) {
	for i, a := range m.Attributes {
		line, ok := strings.CutPrefix(a.Value, payload+" ")
		if a.Key != "fmtp" || !ok {
			continue
		}
		m.Attributes[i].Value = payload + " " + withParameters(line, want)
		return
	}
	m.Attributes = append(m.Attributes, sdp.NewAttribute("fmtp", payload+" "+withParameters("", want)))
}

func withParameters(line string, want map[string]string) string {
	var parts []string
	for p := range strings.SplitSeq(line, ";") {
		key, _, _ := strings.Cut(strings.TrimSpace(p), "=")
		if _, set := want[strings.ToLower(key)]; !set && key != "" {
			parts = append(parts, strings.TrimSpace(p))
		}
	}
	for _, key := range []string{"stereo", "sprop-stereo"} {
		if v, ok := want[key]; ok {
			parts = append(parts, key+"="+v)
		}
	}
	return strings.Join(parts, ";")
}
