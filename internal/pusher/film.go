// Package pusher publishes a film over RTMP as many encoders at once would: the load of benchmarks.
package pusher

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// tag is one audio or video message of a film.
type tag struct {
	typeID byte // RTMP message type: 8 audio, 9 video
	at     time.Duration
	body   []byte
}

// Film is what a publisher sends over and over. It is immutable and shared by all publishers.
type Film struct {
	start  []tag // sequence headers: sent once
	tags   []tag
	length time.Duration
}

var errNotFLV = errors.New("pusher: not an FLV file with H264 and AAC")

// ReadFLV reads a film from an FLV file (Adobe's specification, annex E).
func ReadFLV(b []byte) (*Film, error) {
	const fileHeader, tagHeader, backPointer = 9, 11, 4
	if len(b) < fileHeader+backPointer || string(b[:3]) != "FLV" {
		return nil, errNotFLV
	}
	f := &Film{}
	for b = b[fileHeader+backPointer:]; len(b) >= tagHeader; {
		size := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		if len(b) < tagHeader+size+backPointer {
			return nil, fmt.Errorf("%w: a tag is cut short", errNotFLV)
		}
		ms := uint32(b[7])<<24 | uint32(b[4])<<16 | uint32(b[5])<<8 | uint32(b[6])
		f.add(tag{typeID: b[0], at: time.Duration(ms) * time.Millisecond, body: b[tagHeader : tagHeader+size]})
		b = b[tagHeader+size+backPointer:]
	}
	if len(f.start) == 0 || len(f.tags) < 2 {
		return nil, errNotFLV
	}
	f.measure()
	return f, nil
}

// measure reckons how long the film is: one step longer than from tag to tag, so that loops do not touch.
func (f *Film) measure() {
	first, last := f.tags[0].at, f.tags[len(f.tags)-1].at
	f.length = (last - first) * time.Duration(len(f.tags)) / time.Duration(len(f.tags)-1)
}

func (f *Film) add(t tag) {
	const audio, video = 8, 9
	switch {
	case t.typeID != audio && t.typeID != video, len(t.body) < 2:
	case t.body[1] == 0: // AVCPacketType and AACPacketType 0: sequence header
		f.start = append(f.start, t)
	default:
		f.tags = append(f.tags, t)
	}
}

// Bitrate returns the film's mean rate in bits per second.
func (f *Film) Bitrate() int64 {
	var n int64
	for _, t := range f.tags {
		n += int64(len(t.body))
	}
	return int64(float64(n*8) / f.length.Seconds())
}

// header makes the type 0 chunk header of a message that fits one chunk (RTMP 1.0, section 5.3.1.2.1). Timestamps of a
// benchmark stay below the extended range.
func (t tag) header(dst []byte, at time.Duration) []byte {
	const chunkStream, messageStream = 4, 1
	ms, n := uint32(at.Milliseconds()), len(t.body)
	dst = append(dst, chunkStream, byte(ms>>16), byte(ms>>8), byte(ms), byte(n>>16), byte(n>>8), byte(n), t.typeID)
	return binary.LittleEndian.AppendUint32(dst, messageStream)
}
