// Package cut makes MP4 files of stretches of a recording: without encoding, or with no more of it than an exact first
// and last frame ask for. What it makes begins with its index and plays while it is being fetched.
//
// The clock of a clip is show time minus the beginning of the clip, without holes: where a recording has a gap, a clip
// shows the frame before it.
package cut

import (
	"context"

	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
)

// Chapter is an entry of a clip's table of contents.
type Chapter struct {
	Span  media.Span // from the in-point on
	Title string
	Link  string // of the product; "": none
}

// Meta is what a clip says of itself. The zero value says nothing.
type Meta struct {
	Title, Comment string
	Chapters       []Chapter // in order, without overlaps
	Sidecar        []byte    // JSON that is kept in the file as it is; nil: none
}

// Result is what was made.
type Result struct {
	// Span is the show time that the file really shows: from its first frame's PTS, to the end of its last frame.
	Span         media.Span
	Frames       int         // that are shown
	Bytes        int64       // of the file
	Encoded      media.Ticks // how much of it was encoded again
	Video, Audio bool        // what it has
}

// Progress tells how many of a file's bytes are written. It is called from one goroutine at a time and must not block.
type Progress func(done, total int64)

// Encoder is the ffmpeg that Exact encodes with. The zero value uses the one in PATH.
type Encoder struct {
	Program string // looked up in PATH; "": ffmpeg
	Threads int    // that it may use; 0: as many as there are cores
}

// nearly is how far an instant may be from a frame that it means: instants are told in milliseconds, rounded.
const nearly = media.TicksPerMillisecond / 2

// shortly is how much later than asked for a clip may begin and end so that it does with whole frames: slower pictures
// than ten a second are cut while they are shown.
const shortly = 100 * media.TicksPerMillisecond

// Copy makes an MP4 file of the frames of span whose PTS lies in it, without encoding anything. It begins with the IDR
// at or before the first of them, and the file's edit list hides what is before it; the sound is cut to the sample by
// another. Frames after the last that others need are hidden too.
//
// The file appears under path when it is complete and on the disk. Errors are those of Clamp; Invalid as well when the
// codec changes inside of the span; Exhausted when the disk is full; the context's when that ended first. No file is
// left behind then. A recording may be cut while it is being recorded.
func Copy(ctx context.Context, rec *replay.Recording, span media.Span, path string, meta Meta, p Progress) (Result, error) {
	const op = "cut.Copy"
	t, err := newTake(ctx, op, rec, span)
	if err != nil {
		return Result{}, err
	}
	if err := t.finishSound(ctx, path+tempSuffix, Encoder{}); err != nil {
		return Result{}, err
	}
	if err := t.repeatParameters(); err != nil {
		return Result{}, err
	}
	return t.write(ctx, path, &meta, p)
}
