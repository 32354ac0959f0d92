// Package hls packages one show as low-latency HLS and delivers it.
//
// A Packager turns the samples of a publisher into CMAF initialization segments, partial segments and segments. A
// Stream is the Sink that keeps what viewers may still ask for, renders the playlists and answers requests. The two
// meet in the Sink interface only, so that a recorder can stand beside the Stream and get the very same bytes.
//
// A show may have more renditions than its source. A Follower packages one of them by repeating every cut of the
// Packager, and a Group delivers them all.
//
// The rules are those of draft-pantos-hls-rfc8216bis; clause numbers in comments are its.
package hls

import (
	"io"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

// Sink takes what a Packager makes, in order: an Init before the first part that needs it, the parts of a segment, the
// segment. It is called by the goroutine that writes samples and must not block. What it is given is immutable.
type Sink interface {
	OnInit(init playlist.Init, data []byte)
	// OnPart hands over a part: one moof and one mdat box, or nothing when the part is a gap. seg is its segment so far,
	// with this part at the end of Parts. With part.Last, OnSegment follows at once.
	OnPart(seg playlist.Segment, part playlist.Part, data []byte)
	// OnSegment says that seg is complete: its bytes are those of its parts, one after the other.
	OnSegment(seg playlist.Segment)
}

// Resume is where a show goes on after a restart of the process. The zero value is a new show.
type Resume struct {
	NextMSN  int64
	NextInit int // number of the next initialization segment; 0 stands for 1
	ShowTime media.Ticks

	// TargetDuration in seconds as announced before; 0 when no playlist was ever served.
	TargetDuration int
	PartTarget     media.Ticks        // as announced before; 0 for that of the Config
	Segments       []playlist.Segment // complete, numbered without holes, at least those of the window
	Inits          []playlist.Init    // at least those that Segments need
	// Discontinuities is how many segments before Segments[0] had one; 0 when Segments is the whole show.
	Discontinuities int64
}

// Archive gives back segments that no longer are in memory. Its methods must be safe for concurrent use.
type Archive interface {
	// Recorded reports whether OpenSegment will find the segment. It must not block: the publisher waits.
	Recorded(msn int64) bool
	// OpenSegment returns the bytes of a complete segment and their number. An *os.File is sent without copying.
	OpenSegment(msn int64) (io.ReadSeekCloser, int64, error)
	// InitData returns initialization segment n.
	InitData(n int) ([]byte, error)
}
