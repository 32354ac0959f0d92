package lottery

import (
	"context"
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// eventType is the type of the timeline events about lotteries.
const eventType = "lottery"

// View is a lottery as viewers see it, on the timeline and in the API.
type View struct {
	ID           string       `json:"id"`
	Title        string       `json:"title"`
	State        State        `json:"state"`
	Prizes       []Prize      `json:"prizes"`
	Conditions   Conditions   `json:"conditions"`
	OpenedMS     int64        `json:"opened_ms"`
	ClosesMS     int64        `json:"closes_ms"` // the latest show time to enter
	Commitment   string       `json:"commitment"`
	Entries      *int64       `json:"entries,omitempty"` // final: from the closing on
	EntrantsHash string       `json:"entrants_hash,omitempty"`
	Seed         string       `json:"seed,omitempty"`
	Winners      []WinnerView `json:"winners,omitempty"`
	ClaimsBy     string       `json:"claims_by,omitempty"`
	Reason       string       `json:"reason,omitempty"` // why it was cancelled
}

// WinnerView is a winner as everybody sees them.
type WinnerView struct {
	Entrant string `json:"entrant"`
	Name    string `json:"name"` // masked
	Prize   string `json:"prize"`
}

// ViewOf renders a lottery for viewers; winners are those of a drawn one.
func ViewOf(l *Lottery, winners []Winner) View {
	v := View{
		ID: l.ID, Title: l.Title, State: l.State, Prizes: l.Prizes, Conditions: l.Conditions, OpenedMS: l.OpenedMS, ClosesMS: l.ClosesMS,
		Commitment: l.Commitment, EntrantsHash: l.EntrantsHash, Seed: l.Seed, Reason: l.Reason,
	}
	if l.EntrantsHash != "" {
		v.Entries = &l.Entries
	}
	if !l.ClaimsBy.IsZero() {
		v.ClaimsBy = formatTime(l.ClaimsBy)
	}
	for _, w := range winners {
		v.Winners = append(v.Winners, WinnerView{w.Entrant, w.Name, w.Prize.Name})
	}
	return v
}

// offerData is the data of a timeline event about an offer.
type offerData struct {
	ID    string `json:"id"`
	Open  bool   `json:"open"`
	State string `json:"state"`
	Offer View   `json:"offer"`
}

// tell brings the state of a lottery to the show's viewers and returns the lottery with what they know now. What cannot be
// told here and now is told by Run.
func (s *Service) tell(ctx context.Context, l Lottery) Lottery {
	told, err := s.announce(context.WithoutCancel(ctx), &l)
	if err != nil {
		s.Count("failed", 1)
		s.Log.Error("the viewers could not be told of a lottery; it is tried again", "lottery", l.ID, "state", l.State, "error", err)
	}
	if told {
		l.Announced = l.State
	}
	return l
}

// announce puts the lottery's state onto the timeline and notes that it is there. A crash in between repeats the event,
// which changes nothing for those who have seen it. told is false while the show is on air in another process.
func (s *Service) announce(ctx context.Context, l *Lottery) (told bool, err error) {
	if l.Announced == l.State {
		return true, nil
	}
	var winners []Winner
	if l.State == Drawn {
		if winners, err = s.Store.LotteryWinners(ctx, l.ID); err != nil {
			return false, err
		}
	}
	_, err = s.Shows.Tell(ctx, l.ShowID, eventType, s.place(l), offerData{ID: l.ID, Open: l.State == Open, State: string(l.State), Offer: ViewOf(l, winners)})
	if errs.KindOf(err) == errs.Conflict { // an ended show has a timeline that takes nothing: the API alone tells
		show, showErr := s.Shows.ShopShow(ctx, l.ShowID)
		if showErr != nil || !show.Ended() {
			return false, showErr
		}
		err = nil
	}
	if err != nil {
		return false, err
	}
	return true, s.Store.LotteryAnnounced(ctx, l.ID, l.State)
}

// place is where on the show's clock the event stands; nil: now.
func (s *Service) place(l *Lottery) *int64 {
	if l.State == Open {
		return &l.OpenedMS
	}
	return nil
}

func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
