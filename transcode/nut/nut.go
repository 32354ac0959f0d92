// Package nut writes and reads the NUT container (the specification of the FFmpeg and MPlayer projects, version 4 of
// the format), as far as one process needs it to hand coded pictures and sound to another through a pipe.
//
// It is the one container that ffmpeg both reads and writes in which a timestamp keeps its tick, a frame can be taken
// before the next one is there, and nothing grows with the length of the stream: fragmented MP4 keeps an index entry
// for each fragment for ever and needs the next frame to know how long one lasts, MPEG-TS ends a picture where the next
// begins, Matroska and FLV count milliseconds.
package nut

import "errors"

// Class is the sort of media in a stream.
type Class uint8

// The classes that Vitrine uses.
const (
	Video Class = 0
	Audio Class = 1
)

// Codec tags that ffmpeg knows. Sound of AVI's 16-bit formats has a tag of four bytes too, the last two of them zero.
const (
	TagH264 = "H264" // access units with start codes; Extra holds the parameter sets likewise, or nothing
	TagHEVC = "HEVC" // likewise
	TagAV1  = "AV01" // temporal units; Extra holds the sequence header OBU
	TagVP8  = "VP80"
	TagOpus = "Opus"             // Extra holds the identification header of RFC 7845, 5.1
	TagAAC  = "\xFF\x00\x00\x00" // raw access units; Extra holds the AudioSpecificConfig
)

// Stream describes one stream.
type Stream struct {
	Class    Class
	Tag      string // of the codec, 1 to 16 bytes
	Num, Den uint32 // of the time base: seconds per tick
	Extra    []byte // what the codec needs before its first frame

	Width, Height        int // of Video
	SampleRate, Channels int // of Audio
	Delay                int // how many pictures the decoder may hold to put them in order
}

// Frame is one coded frame.
type Frame struct {
	Stream int
	PTS    int64 // in the stream's time base, not negative
	Key    bool
	Data   []byte
}

// MaxFrame is the longest frame that is read or written. One of more is taken for a broken stream.
const MaxFrame = 32 << 20

// ErrFormat is wrapped by every error that says that the input is no NUT stream, or a broken one.
var ErrFormat = errors.New("nut: broken stream")

const magic = "nut/multimedia container\x00"

// The startcodes.
const (
	startMain      = 0x4E4D7A561F5F04AD
	startStream    = 0x4E5311405BF2F9DB
	startSyncpoint = 0x4E4BE4ADEECA4569
	startIndex     = 0x4E58DD672F23E64E
	startInfo      = 0x4E49AB68B596BA78
)

// The flags of frame codes.
const (
	flagKey       = 1 << 0
	flagCodedPTS  = 1 << 3
	flagStreamID  = 1 << 4
	flagSizeMSB   = 1 << 5
	flagChecksum  = 1 << 6
	flagReserved  = 1 << 7
	flagSideData  = 1 << 8
	flagHeaderIdx = 1 << 10
	flagMatchTime = 1 << 11
	flagCoded     = 1 << 12
	flagInvalid   = 1 << 13
)

// longPacket is the forward_ptr from which on a packet header has a checksum of its own, and the frame size from which
// on no header is elided.
const longPacket = 4096

// ptsShift is the msb_pts_shift of what is written. Every PTS is written whole.
const ptsShift = 7

// crcTable is that of CRC-32 with the polynomial 0x04C11DB7, most significant bit first, begun with zero.
var crcTable = func() (t [256]uint32) {
	for i := range t {
		c := uint32(i) << 24
		for range 8 {
			carry := c >> 31
			c = c<<1 ^ carry*0x04C11DB7
		}
		t[i] = c
	}
	return t
}()

func crc(b []byte) (c uint32) {
	for _, x := range b {
		c = c<<8 ^ crcTable[byte(c>>24)^x]
	}
	return c
}
