package clip

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

// Filter selects clips.
type Filter struct {
	ShowID  string
	BatchID string // "": all
	Before  string // the clip after which the page begins; "": the newest
	Limit   int
}

// Claim is asked for by a worker that is free.
type Claim struct {
	Owner string
	At    time.Time
	Lease time.Time // until when it is this owner's
	Kinds []Kind    // at least one
	// Crashes is how many attempts a clip may have whose servers died: one that has had them fails for Reason.
	Crashes int
	Reason  string
}

// Report is what came of an attempt. It counts only while the clip is still being made by that attempt.
type Report struct {
	ID     string
	Turn   int // of the attempt
	At     time.Time
	State  State // Done, Failed, or Queued: to be tried again from NextAt on
	NextAt time.Time
	Error  string
	// Uncounted says that it was no fault of the clip: the attempt does not count.
	Uncounted bool
	Bytes     int64
	Result    media.Span
	Encoded   media.Ticks
	Lead      media.Ticks
}

// Store keeps clips; it is their queue. Each method is one transaction.
type Store interface {
	// CreateClips stores clips of one show, and returns them as they are stored: one whose Request is known already is
	// not stored again, the first one stands for it. Exhausted when more than most clips of the store would then wait;
	// nothing is stored in that case.
	CreateClips(ctx context.Context, clips []Clip, most int) ([]Clip, error)
	// Clip returns one, or NotFound.
	Clip(ctx context.Context, id string) (Clip, error)
	// Clips lists clips of a show, newest first; those of one batch in their order.
	Clips(ctx context.Context, f Filter) ([]Clip, error)
	// OpenClips lists the clips of a show that wait or are being made, and those that changed to something else since
	// then, oldest first, at most limit.
	OpenClips(ctx context.Context, showID string, since time.Time, limit int) ([]Clip, error)
	// ClaimClip takes the next clip that waits, or whose owner has not been heard of until the end of its lease: that of
	// the store with the fewest in the making, then of the store served longest ago, then the oldest. ok is false when
	// there is none.
	ClaimClip(ctx context.Context, c Claim) (clip Clip, ok bool, err error)
	// KeepClip notes progress and extends the lease; ok is false when the attempt is no longer wanted.
	KeepClip(ctx context.Context, id string, turn int, progress float64, lease time.Time) (ok bool, err error)
	// FinishClip notes what came of an attempt; ok is false when it was no longer wanted.
	FinishClip(ctx context.Context, r Report) (ok bool, err error)
	// CancelClip cancels what is queued or running. Conflict: it is neither. NotFound.
	CancelClip(ctx context.Context, id string, at time.Time) (Clip, error)
	// RetryClip queues once more what failed or was cancelled, with fresh attempts. Conflict: it did not. Exhausted as in
	// CreateClips. NotFound.
	RetryClip(ctx context.Context, id string, at time.Time, most int) (Clip, error)
	// DeleteClip removes a clip. NotFound.
	DeleteClip(ctx context.Context, id string) error
	// ReleaseClips makes what this owner was at work on free for everybody: it was started anew.
	ReleaseClips(ctx context.Context, owner string) error
}
