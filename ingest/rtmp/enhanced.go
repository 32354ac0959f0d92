package rtmp

import (
	"fmt"

	"github.com/vitrine-live/vitrine/media"
)

// Packet types of Enhanced RTMP v2 (ExVideoTagHeader and ExAudioTagHeader). Up to the end of sequence they are the same
// for both kinds.
const (
	exSequenceStart = 0
	exCodedFrames   = 1
	exSequenceEnd   = 2
	exCodedFramesX  = 3 // video: without a composition offset
	exMetadata      = 4 // video: colour and light; audio: the layout of channels
	exMultiAudio    = 5
	exMultiVideo    = 6
	exModifier      = 7
)

// How several tracks share a message (AvMultitrackType).
const (
	exOneTrack       = 0
	exManyTracks     = 1
	exManyCodecs     = 2
	exFourCCLength   = 4
	exTrackSizeBytes = 3
)

// fourCCs are the codecs that are taken, by their names on the wire.
var fourCCs = map[string]media.Codec{"avc1": media.H264, "hvc1": media.HEVC, "av01": media.AV1, "mp4a": media.AAC}

// foreignFourCCs are those that are refused, by the names that people know them by.
var foreignFourCCs = map[string]string{
	"vvc1": "VVC", "vp08": "VP8", "vp09": "VP9", "Opus": "Opus", "fLaC": "FLAC", "ac-3": "AC-3", "ec-3": "E-AC-3", ".mp3": "MP3",
}

// parseEnhanced reads the header of Enhanced RTMP: the packet type in the low nibble, then the codec's FourCC. Of several
// tracks it takes the one with ID 0, the default track. A tag that it cannot read carries no media.
func parseEnhanced(body []byte, kind media.Kind) (tag, error) {
	h := exHeader{kind: kind, rest: body[1:]}
	packet, ok := h.modifiers(body[0] & 0x0F)
	if !ok {
		return tag{packet: packetIgnore}, nil
	}
	if kind == media.Video && body[0]>>4&7 == videoCommand && packet != exMetadata {
		return tag{packet: packetIgnore}, nil
	}
	several := kind == media.Video && packet == exMultiVideo || kind == media.Audio && packet == exMultiAudio
	if several {
		if packet, ok = h.firstTrack(); !ok {
			return tag{packet: packetIgnore, tracks: true}, nil
		}
	} else if h.fourCC, ok = h.text(exFourCCLength); !ok {
		return tag{packet: packetIgnore}, nil
	}
	codec, taken := fourCCs[h.fourCC]
	if !taken || codec.Kind() != kind {
		name, known := foreignFourCCs[h.fourCC]
		if !known {
			name = fmt.Sprintf("%+q", h.fourCC)
		}
		return tag{}, refuseCodec(kind, name)
	}
	t := exBody(codec, packet, h.rest)
	t.tracks = several
	return t, nil
}

// exBody reads what follows the header.
func exBody(codec media.Codec, packet byte, payload []byte) tag {
	t := tag{codec: codec, packet: packetIgnore, payload: payload}
	switch {
	case packet == exSequenceStart:
		t.packet = packetConfig
	case packet == exCodedFrames && (codec == media.H264 || codec == media.HEVC): // those alone reorder pictures
		if len(payload) < 3 {
			return t
		}
		t.packet, t.cts, t.payload = packetFrame, int24(payload), payload[3:]
	case packet == exCodedFrames, packet == exCodedFramesX && codec.Kind() == media.Video:
		t.packet = packetFrame
	case packet == exSequenceEnd:
		t.packet = packetEnd
	}
	return t
}

// exHeader is the part of a tag between the first byte and the media.
type exHeader struct {
	kind   media.Kind
	fourCC string
	rest   []byte
}

// modifiers skips the modifiers before the packet type proper, which it returns. The one that is defined, an offset of
// less than a millisecond, is beyond what we keep.
func (h *exHeader) modifiers(packet byte) (proper byte, ok bool) {
	for packet == exModifier {
		b, ok := h.take(1)
		if !ok {
			return 0, false
		}
		size := int(b[0]) + 1
		if size == 256 {
			if b, ok = h.take(2); !ok {
				return 0, false
			}
			size = (int(b[0])<<8 | int(b[1])) + 1
		}
		if _, ok = h.take(size); !ok {
			return 0, false
		}
		if b, ok = h.take(1); !ok {
			return 0, false
		}
		packet = b[0] & 0x0F
	}
	return packet, true
}

// firstTrack finds the track with ID 0 in a message of several tracks, makes it all that is left, and returns its packet
// type.
func (h *exHeader) firstTrack() (packet byte, ok bool) {
	b, ok := h.take(1)
	if !ok {
		return 0, false
	}
	sharing, packet := b[0]>>4, b[0]&0x0F
	if sharing > exManyCodecs {
		return 0, false
	}
	if sharing != exManyCodecs {
		if h.fourCC, ok = h.text(exFourCCLength); !ok {
			return 0, false
		}
	}
	for {
		if sharing == exManyCodecs {
			if h.fourCC, ok = h.text(exFourCCLength); !ok {
				return 0, false
			}
		}
		id, ok := h.take(1)
		if !ok {
			return 0, false
		}
		if sharing == exOneTrack {
			return packet, id[0] == 0
		}
		size, ok := h.take(exTrackSizeBytes)
		if !ok {
			return 0, false
		}
		body, ok := h.take(int(uint24(size)))
		if !ok {
			return 0, false
		}
		if id[0] == 0 {
			h.rest = body
			return packet, true
		}
	}
}

// take returns the next n bytes.
func (h *exHeader) take(n int) (b []byte, ok bool) {
	if len(h.rest) < n {
		return nil, false
	}
	b, h.rest = h.rest[:n], h.rest[n:]
	return b, true
}

func (h *exHeader) text(n int) (string, bool) {
	b, ok := h.take(n)
	return string(b), ok
}
