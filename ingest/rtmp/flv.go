package rtmp

import "fmt"

// Packet types within an audio or video tag (FLV 10.1, E.4.2.2 and E.4.3.1).
type packetType byte

const (
	packetConfig packetType = iota // AVCDecoderConfigurationRecord or AudioSpecificConfig
	packetFrame
	packetEnd    // end of sequence
	packetIgnore // carries no media
)

const (
	videoAVC      = 7
	videoCommand  = 5 // a frame type: seek marks of servers
	videoExtended = 0x80
	audioAAC      = 10
	audioExtended = 9
)

// tag is the header of the FLV tag that an audio or video message is.
type tag struct {
	packet  packetType
	cts     int32  // PTS - DTS in milliseconds
	payload []byte // a view of the message's body
}

// parseVideo reads the header of a video message. Another codec than H.264 is a refusal that names it.
func parseVideo(body []byte) (tag, error) {
	b := body[0]
	if b&videoExtended != 0 {
		return parseExtended(body, "video", "avc1", videoFourCCs)
	}
	if b>>4 == videoCommand {
		return tag{packet: packetIgnore}, nil
	}
	if b&0x0F != videoAVC {
		return tag{}, refuseCodec("video", named(videoCodecs, b&0x0F))
	}
	if len(body) < 5 {
		return tag{packet: packetIgnore}, nil
	}
	t := tag{packet: packetIgnore, payload: body[5:]}
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
		return parseExtended(body, "audio", "mp4a", audioFourCCs)
	}
	if format != audioAAC {
		return tag{}, refuseCodec("audio", named(audioCodecs, format))
	}
	if len(body) < 2 || body[1] > 1 {
		return tag{packet: packetIgnore}, nil
	}
	return tag{packet: packetType(body[1]), payload: body[2:]}, nil
}

// parseExtended reads the header of Enhanced RTMP (v2, ExVideoTagHeader and ExAudioTagHeader): the packet type in the low
// nibble, then the codec's FourCC. The codec we take is taken in this clothing too, one track of it.
func parseExtended(body []byte, kind, accepted string, names map[string]string) (tag, error) {
	if len(body) < 5 {
		return tag{packet: packetIgnore}, nil
	}
	packet, fourCC := body[0]&0x0F, string(body[1:5])
	if fourCC != accepted {
		name, ok := names[fourCC]
		if !ok {
			name = fmt.Sprintf("%+q", fourCC)
		}
		return tag{}, refuseCodec(kind, name)
	}
	t := tag{packet: packetIgnore, payload: body[5:]}
	switch {
	case packet == 0:
		t.packet = packetConfig
	case packet == 1 && kind == "video": // CodedFrames: with a composition offset
		if len(t.payload) < 3 {
			return t, nil
		}
		t.packet, t.cts, t.payload = packetFrame, int24(t.payload), t.payload[3:]
	case packet == 1 || packet == 3 && kind == "video": // CodedFramesX: without
		t.packet = packetFrame
	case packet == 2:
		t.packet = packetEnd
	}
	return t, nil
}

func refuseCodec(kind, name string) error {
	return reject(Codec, codeRejected, "%s %s is not supported: send H264 video and AAC audio", name, kind)
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
		12: "HEVC", 13: "AV1",
	}
	audioCodecs = map[byte]string{
		0: "PCM", 1: "ADPCM", 2: "MP3", 3: "PCM", 4: "Nellymoser", 5: "Nellymoser", 6: "Nellymoser", 7: "G711 A-law",
		8: "G711 mu-law", 11: "Speex", 13: "Opus", 14: "MP3", 15: "device-specific",
	}
	videoFourCCs = map[string]string{"hvc1": "HEVC", "vvc1": "VVC", "av01": "AV1", "vp08": "VP8", "vp09": "VP9"}
	audioFourCCs = map[string]string{"Opus": "Opus", "fLaC": "FLAC", "ac-3": "AC-3", "ec-3": "E-AC-3", ".mp3": "MP3"}
)

// int24 reads a signed 24-bit number.
func int24(b []byte) int32 { return int32(uint24(b)<<8) >> 8 }
