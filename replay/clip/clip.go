// Package clip makes clips of recorded shows: intervals with an address of their own, which can be shared while the show is
// still on air, and files of them to post elsewhere.
//
// An instant clip is there at once, because it is nothing but a row: its playlist names segments of the recording. A clip as
// a file is work, which waits in a queue that lives in the database: it outlasts the process, it is taken up again after a
// crash, and what was finished is not done twice.
package clip

import (
	"encoding/json"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
)

// Kind is what becomes of a clip.
type Kind string

// The kinds.
const (
	Instant Kind = "instant" // a playlist over the recording, no file: exact to the frame in players that keep to EXT-X-START
	Copy    Kind = "copy"    // an MP4 without re-encoding; what is before the in-point is hidden by an edit list
	Exact   Kind = "exact"   // an MP4 whose first frame is the in-point: only the broken groups of pictures are re-encoded
	Styled  Kind = "styled"  // an MP4 made anew, with cards, another shape, a watermark ... (Clip.Style)
)

// File reports whether the kind has a file.
func (k Kind) File() bool { return k == Copy || k == Exact || k == Styled }

// Encodes reports whether pictures are encoded for it.
func (k Kind) Encodes() bool { return k == Exact || k == Styled }

// State is where a clip stands.
type State string

// The states. Queued and Running lead to the others; Failed and Cancelled may be queued once more.
const (
	Queued    State = "queued"
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Open reports whether something is still to happen by itself.
func (s State) Open() bool { return s == Queued || s == Running }

// Source is where the interval of a clip comes from. Ref of a clip is then the id of the chapter, pin or highlight.
type Source string

// The sources.
const (
	FromRange     Source = "range"
	FromChapter   Source = "chapter"
	FromEvent     Source = "event"
	FromHighlight Source = "highlight"
)

// Clip is an interval of a show.
type Clip struct {
	ID      string // "clp_…": not to be guessed, as it is the clip's public address
	ShowID  string
	StoreID string
	BatchID string // "bat_…" of those that were asked for together; "": alone
	Kind    Kind
	Title   string
	Span    media.Span // show time
	Source  Source
	Ref     string
	Style   json.RawMessage // of Styled; nil: none

	State    State
	Progress float64 // 0 to 1
	Error    string  // why it failed, for people
	Attempts int     // that count, with the present one
	Bytes    int64
	Result   media.Span  // what the file shows, in show time; empty without one
	Encoded  media.Ticks // how much of it was encoded anew
	Lead     media.Ticks // what the file shows before the clip begins: its intro

	CreatedBy string
	CreatedAt time.Time
	StartedAt time.Time // of the latest attempt
	DoneAt    time.Time // also of what failed or was cancelled

	// Request is the clip's own key: of two with the same one only the first is stored. "": none.
	Request string
	// Place orders the clips of a batch, the highest first.
	Place int
	// NextAt is when it may be tried; zero: at once.
	NextAt time.Time
	// Turn counts the attempts ever begun: it tells them apart.
	Turn int
	// Owner is the server at work on it, Lease the instant from which others may take it.
	Owner string
	Lease time.Time
}

// Duration is the length of the interval.
func (c *Clip) Duration() media.Ticks { return c.Span.Len() }

// HasFile reports whether there is a file to download.
func (c *Clip) HasFile() bool { return c.Kind.File() && c.State == Done }

// ValidID reports whether id can be that of a clip. It guards the paths made of ids.
func ValidID(id string) bool { return ids.Valid("clp", id) }

// Counts are the clips of a batch by state.
type Counts struct {
	Total, Queued, Running, Done, Failed, Cancelled int
}

// add counts one.
func (n *Counts) add(s State) {
	n.Total++
	switch s {
	case Queued:
		n.Queued++
	case Running:
		n.Running++
	case Done:
		n.Done++
	case Failed:
		n.Failed++
	case Cancelled:
		n.Cancelled++
	}
}

// CountOf counts clips by state.
func CountOf(clips []Clip) (n Counts) {
	for i := range clips {
		n.add(clips[i].State)
	}
	return n
}

// errNoClip is the one answer for a clip that is not there and one that is not the asker's.
var errNoClip = errs.New(errs.NotFound, "clip", "there is no such clip; it may have been deleted")
