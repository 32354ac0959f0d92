package offer

import (
	"fmt"
	"time"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// Where says where something may be claimed.
type Where string

// The places.
const (
	Anywhere Where = "anywhere" // in the store, with or without a show
	InLive   Where = "live"     // in a show that it was dropped into, while that is on air
	InReplay Where = "replay"   // likewise, and in its replay for a time
)

// MaxReplay is how long after a show's end something may be claimed in its replay at the most.
const MaxReplay = 365 * 24 * time.Hour

// Rules say when and where something may be claimed.
type Rules struct {
	Where     Where         `json:"where"`
	ReplayFor time.Duration `json:"replay_for,omitempty"` // after the show's end, with InReplay
	From      time.Time     `json:"from,omitzero"`        // zero: at once
	Until     time.Time     `json:"until,omitzero"`       // zero: for ever
}

func (r *Rules) validate(op string, places ...Where) error {
	known := false
	for _, p := range places {
		known = known || r.Where == p
	}
	switch {
	case !known:
		return errs.Field(op, "claim_in", "claim_in must be one of %q", places)
	case r.Where == InReplay && (r.ReplayFor <= 0 || r.ReplayFor > MaxReplay):
		return errs.Field(op, "replay_hours", "say for how many hours after the show's end it may be claimed in the replay: 1 to %d", int64(MaxReplay.Hours()))
	case r.Where != InReplay && r.ReplayFor != 0:
		return errs.Field(op, "replay_hours", "only with claim_in \"replay\" may it be claimed in replays: leave replay_hours out")
	case !r.From.IsZero() && !r.Until.IsZero() && !r.From.Before(r.Until):
		return errs.Field(op, "claim_until", "the end of the claim window must be after its beginning")
	}
	return nil
}

// spot is where a viewer is when claiming.
type spot struct {
	show *commerce.Show // nil: outside any show
	drop *Drop          // into that show; nil: it was not dropped there
	// clock is where the show's clock stands, position where the viewer's player says to be. Both in ms.
	clock    int64
	position *int64
}

// allow reports why something may not be claimed at an instant and a spot. Conflict.
func (r *Rules) allow(op string, at time.Time, in spot) error {
	switch {
	case at.Before(r.From):
		return errs.New(errs.Conflict, op, "it can be claimed from %s on", r.From.UTC().Format(time.RFC3339))
	case !r.Until.IsZero() && !at.Before(r.Until):
		return errs.New(errs.Conflict, op, "it could be claimed until %s only", r.Until.UTC().Format(time.RFC3339))
	case r.Where == Anywhere && in.show == nil:
		return nil
	case in.show == nil:
		return errs.New(errs.Conflict, op, "it can be claimed in a show only: watch the show and claim it there")
	case in.drop == nil:
		return errs.New(errs.NotFound, op, "this show does not have it")
	case !in.drop.Open():
		return errs.New(errs.Conflict, op, "%s", in.drop.closedBecause())
	}
	return r.allowInShow(op, at, in)
}

// allowInShow checks what can be known of a player: nobody may be further than the show, and in a replay the page says how
// far it is.
func (r *Rules) allowInShow(op string, at time.Time, in spot) error {
	if in.show.Ended() {
		if r.Where == InLive {
			return errs.New(errs.Conflict, op, "it could be claimed during the show only")
		}
		if r.Where == InReplay && !at.Before(in.show.EndedAt.Add(r.ReplayFor)) {
			return errs.New(errs.Conflict, op, "it could be claimed until %s only", in.show.EndedAt.Add(r.ReplayFor).UTC().Format(time.RFC3339))
		}
		if in.position == nil {
			return errs.Field(op, "position_ms", "say where the player of the replay stands")
		}
	}
	if in.clock < in.drop.ShowTimeMS || in.position != nil && *in.position < in.drop.ShowTimeMS {
		return errs.New(errs.Conflict, op, "it appears at %s of the show: watch on until then", clockTime(in.drop.ShowTimeMS))
	}
	return nil
}

// clockTime renders show time for people: 1:02:03.
func clockTime(ms int64) string {
	s := ms / 1000
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}
