package funnel

import (
	"context"
	"crypto/sha256"
	"encoding/base64"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// Taken is how much of a report counts.
type Taken struct {
	Accepted int
	Dropped  map[Reason]int
}

// Record takes what a viewer's page tells. What cannot be is dropped and counted, the rest stored soon after; what came before,
// by its id, counts once. network names where it comes from, for the limit.
//
// Invalid: more than MaxBatch; Exhausted: too many from this viewer or network.
func (s *Service) Record(ctx context.Context, v account.Viewer, network string, events []Event) (Taken, error) {
	const op = "funnel.Record"
	if len(events) > MaxBatch {
		return Taken{}, errs.Field(op, "events", "at most %d events at once", MaxBatch)
	}
	if err := s.allow(ctx, v, network); err != nil {
		return Taken{}, err
	}
	taken := Taken{Dropped: map[Reason]int{}}
	entries := make([]Entry, 0, len(events))
	for i := range events {
		e, why, err := s.check(ctx, v, events[i])
		if err != nil {
			return Taken{}, errs.Wrap(op, err)
		}
		if why != "" {
			taken.Dropped[why]++
			continue
		}
		entries = append(entries, e)
	}
	if taken.Accepted = s.enqueue(entries); taken.Accepted < len(entries) {
		taken.Dropped[Overloaded] += len(entries) - taken.Accepted
	}
	s.Count("", taken.Accepted)
	for why, n := range taken.Dropped {
		s.Count(why, n)
	}
	return taken, nil
}

// allow takes one piece of what the viewer and the network may send: tokens of viewers cost nothing.
func (s *Service) allow(ctx context.Context, v account.Viewer, network string) error {
	const op = "funnel.Record"
	if ok, _ := s.Limit.Allow(ctx, "funnel:"+v.ID, s.cfg.PerViewer); !ok {
		return errs.New(errs.Exhausted, op, "too many reports at once: send several events in one, or later")
	}
	if ok, _ := s.Limit.Allow(ctx, "funnel_net:"+network, s.cfg.PerNetwork); !ok {
		return errs.New(errs.Exhausted, op, "too many reports from your network: try again in a moment")
	}
	return nil
}

// check makes sure of one event. why says that it does not count; err that the store does not answer.
func (s *Service) check(ctx context.Context, v account.Viewer, e Event) (entry Entry, why Reason, err error) {
	if !e.wellFormed() {
		return entry, BadEvent, nil
	}
	entry = Entry{Key: keyOf(v.ID, e.ID), Kind: e.Kind, ViewerID: v.ID, ProductID: e.ProductID, Attribution: e.Attribution, At: s.instant()}
	if e.ShowID == "" {
		entry.StoreID, why, err = s.facts.product(ctx, e.ProductID)
		entry.ShowTimeMS = 0
	} else {
		why, err = s.checkShow(ctx, &entry)
	}
	if err != nil || why != "" {
		return entry, why, err
	}
	if v.StoreID != "" && v.StoreID != entry.StoreID {
		return entry, NoShow, nil
	}
	if CheckChannel("", entry.Channel) != nil {
		entry.Channel = ""
	}
	if entry.ShareCode != "" {
		known, err := s.facts.shareCode(ctx, entry.ShareCode, entry.StoreID)
		if err != nil {
			return entry, "", err
		}
		if !known {
			entry.ShareCode = ""
		}
	}
	return entry, "", nil
}

// checkShow makes sure of the show, the pin, the product and the instant of an entry, and fills in what follows from them.
func (s *Service) checkShow(ctx context.Context, e *Entry) (why Reason, err error) {
	show, why, err := s.facts.show(ctx, e.ShowID, e.PinID)
	if err != nil || why != "" {
		return why, err
	}
	e.StoreID = show.StoreID
	if e.ShowTimeMS < 0 || e.ShowTimeMS > show.reach(s.Now()).Milliseconds() {
		return BadTime, nil
	}
	if e.PinID != "" {
		product := show.pins[e.PinID]
		if e.ProductID != "" && e.ProductID != product {
			return NoProduct, nil
		}
		e.ProductID = product
		return "", nil
	}
	of, why, err := s.facts.product(ctx, e.ProductID)
	if why == "" && of != show.StoreID {
		why = NoProduct
	}
	return why, err
}

// enqueue hands over as many entries as the queue has room for.
func (s *Service) enqueue(entries []Entry) (n int) {
	for n < len(entries) {
		select {
		case s.room <- struct{}{}:
			n++
			continue
		default:
		}
		break
	}
	if n > 0 {
		s.queue <- entries[:n] // there is room: each batch holds at least one of the tokens
	}
	return n
}

// keyOf names an event of a viewer on this server, in few bytes.
func keyOf(viewerID, eventID string) string {
	sum := sha256.Sum256([]byte(viewerID + "\n" + eventID))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
