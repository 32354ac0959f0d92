package rtmp

import (
	"fmt"

	"github.com/vitrine-live/vitrine/media"
)

// Packet types within an audio or video tag (FLV 10.1, E.4.2.2 and E.4.3.1).
type packetType byte

const (
	packetConfig packetType = iota // a decoder configuration record or AudioSpecificConfig
	packetFrame
	packetEnd    // end of sequence
	packetIgnore // carries no media
)

const (
	videoAVC      = 7
	videoHEVC     = 12 // not in the specification, but what many encoders sent before Enhanced RTMP
	videoCommand  = 5  // a frame type: seek marks of servers
	videoExtended = 0x80
	audioAAC      = 10
	audioExtended = 9
)

// tag is the header of the FLV tag that an audio or video message is.
type tag struct {
	codec   media.Codec
	packet  packetType
	cts     int32  // PTS - DTS in milliseconds
	tracks  bool   // it carried several tracks, of which this is the first
	payload []byte // a view of the message's body
}

// parseVideo reads the header of a video message. A codec that is not taken is a refusal that names it.
func parseVideo(body []byte) (tag, error) {
	b := body[0]
	if b&videoExtended != 0 {
		return parseEnhanced(body, media.Video)
	}
	if b>>4 == videoCommand {
		return tag{packet: packetIgnore}, nil
	}
	codec := media.H264
	switch b & 0x0F {
	case videoAVC:
	case videoHEVC:
		codec = media.HEVC
	default:
		return tag{}, refuseCodec(media.Video, named(videoCodecs, b&0x0F))
	}
	if len(body) < 5 {
		return tag{packet: packetIgnore}, nil
	}
	t := tag{codec: codec, packet: packetIgnore, payload: body[5:]}
	switch body[1] {
	case 0:
		t.packet = packetConfig
	case 1:
		t.packet, t.cts = packetFrame, int24(body[2:])
	case 2:
		t.packet = packetEnd
	}
	return t, nil
}

// parseAudio reads the header of an audio message. Another codec than AAC is a refusal that names it.
func parseAudio(body []byte) (tag, error) {
	format := body[0] >> 4
	if format == audioExtended {
		return parseEnhanced(body, media.Audio)
	}
	if format != audioAAC {
		return tag{}, refuseCodec(media.Audio, named(audioCodecs, format))
	}
	if len(body) < 2 || body[1] > 1 {
		return tag{packet: packetIgnore}, nil
	}
	return tag{codec: media.AAC, packet: packetType(body[1]), payload: body[2:]}, nil
}

// refuseCodec says which codec is not taken, and where in OBS one that is taken is chosen.
func refuseCodec(kind media.Kind, name string) error {
	if kind == media.Video {
		return reject(Codec, codeRejected, "%s video is not taken: choose H.264 (or HEVC, AV1) as the video encoder; in OBS: Settings > Output > Streaming > Video Encoder", name)
	}
	return reject(Codec, codeRejected, "%s audio is not taken: choose AAC as the audio encoder; in OBS: Settings > Output > Streaming > Audio Encoder", name)
}

func named(names map[byte]string, id byte) string {
	if name, ok := names[id]; ok {
		return name
	}
	return fmt.Sprintf("codec %d", id)
}

// Codec IDs of FLV 10.1 (E.4.3.1 and E.4.2.1) and those that came into use beside it.
var (
	videoCodecs = map[byte]string{
		1: "JPEG", 2: "Sorenson H263", 3: "Screen", 4: "VP6", 5: "VP6 alpha", 6: "Screen v2", 8: "Real H263", 9: "MPEG-4",
		13: "AV1 outside of Enhanced RTMP",
	}
	audioCodecs = map[byte]string{
		0: "PCM", 1: "ADPCM", 2: "MP3", 3: "PCM", 4: "Nellymoser", 5: "Nellymoser", 6: "Nellymoser", 7: "G711 A-law",
		8: "G711 mu-law", 11: "Speex", 13: "Opus", 14: "MP3", 15: "device-specific",
	}
)

// int24 reads a signed 24-bit number.
func int24(b []byte) int32 { return int32(uint24(b)<<8) >> 8 }
