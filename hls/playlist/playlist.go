// Package playlist renders HLS media and multivariant playlists (RFC 8216 and draft-pantos-hls-rfc8216bis) from plain
// values. It is pure: it knows neither files nor clocks nor HTTP, so that live, time-shift, replay and clips all say
// the same thing in the same words.
package playlist

import (
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

// Init is one initialization segment (EXT-X-MAP). A new one starts with each epoch and with each change of parameters.
type Init struct {
	Number int    // 1 for the first of the show, rising by one; in renditions made of the source, rising
	Codecs string // RFC 6381, for CODECS, such as "avc1.64001f,mp4a.40.2"
	Width  int    // of the picture after cropping; 0 without video
	Height int
	// Reorder is by how much the file's decode times are later than the publisher's, which makes the first sample's
	// DTS equal its PTS. MPEG-TS needs PTS >= DTS and takes it back. Publishers that count milliseconds make it wrong
	// by up to a millisecond for later groups of pictures: whoever takes it back must still keep DTS <= PTS.
	Reorder media.Ticks
	// FrameRate is what the coded parameters say, or else what was measured, per second; 0 when unknown.
	FrameRate float64
}

// HasTS reports whether MPEG-TS can carry the tracks to the players that ask for it, which know H264 and AAC alone.
func (i *Init) HasTS() bool {
	return !strings.Contains(i.Codecs, "hvc1") && !strings.Contains(i.Codecs, "av01")
}

// Part is one partial segment (EXT-X-PART).
type Part struct {
	Index       int // 0 for the first of its segment
	Duration    media.Ticks
	Independent bool // holds an IDR (4.4.4.9); every part of a show without pictures
	Last        bool // of its segment, which is complete with it
	Gap         bool // the media is missing: nothing can be fetched under its name
	Offset      int64
	Size        int64
}

// Segment is one media segment. All renditions of a show number their segments alike.
type Segment struct {
	MSN           int64 // media sequence number, 0 for the first of the show
	Start         media.Ticks
	Duration      media.Ticks // of the parts so far while the segment is open
	Wall          time.Time   // of the first presented frame: EXT-X-PROGRAM-DATE-TIME
	Init          int         // number of the Init it needs; 0 for a gap before the first of them
	Discontinuity bool        // EXT-X-DISCONTINUITY stands before it
	Independent   bool        // starts with an IDR, or has no pictures
	Gap           bool        // EXT-X-GAP: the media is missing, but for parts that were published before it failed
	Size          int64
	Parts         []Part
	// TargetDuration is the EXT-X-TARGETDURATION of the show, in seconds. It is decided when the first segment is
	// complete and then the same in all; 0 in the open segment before that.
	TargetDuration int
	PartTarget     media.Ticks // PART-TARGET of the show, the same in all segments
}

// End is the show time at which the segment ends.
func (s *Segment) End() media.Ticks { return s.Start + s.Duration }

// DateRange is one EXT-X-DATERANGE (4.4.5.1). ID, Class, Start and the attributes never change once rendered; End may
// be added.
type DateRange struct {
	ID    string
	Class string
	Start time.Time
	End   time.Time // zero while the range is open
	Attrs []Attr    // client-defined attributes, names with X-
}

// Attr is a client-defined attribute of a DateRange. A value is written as a quoted string, or as a decimal number when
// Number is set.
type Attr struct {
	Name   string
	Value  string
	Number bool
}
