package lottery

import (
	"context"
	"strings"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// Condition names what a viewer has yet to do, as the API shows it.
type Condition string

// The conditions.
const (
	NeedComment  Condition = "comment"
	NeedLikes    Condition = "likes"
	NeedReminder Condition = "reminder"
	NeedOrder    Condition = "bought"
)

var inWords = map[Condition]string{
	NeedComment: "comment with the phrase", NeedLikes: "give more likes", NeedReminder: "ask to be reminded of the show",
	NeedOrder: "buy something from this show",
}

// Enter makes a viewer take part and returns the entry; a viewer who has entered gets the same one, however often and
// whenever they ask. NotFound; Conflict: it is not open, or a condition is not met; Forbidden: the viewer is another
// store's; Exhausted: there are MaxEntrants.
func (s *Service) Enter(ctx context.Context, id string, v account.Viewer) (Entry, error) {
	const op = "lottery.Enter"
	l, err := s.Public(ctx, id)
	if err != nil {
		return Entry{}, errs.Wrap(op, err)
	}
	if v.StoreID != "" && v.StoreID != l.StoreID {
		return Entry{}, errs.New(errs.Forbidden, op, "this lottery is for the viewers of another store")
	}
	if e, err := s.Store.LotteryEntry(ctx, id, v.ID); err == nil || errs.KindOf(err) != errs.NotFound {
		return e, errs.Wrap(op, err)
	}
	if l.State == Open { // else the store says what is wrong
		if err := s.meets(ctx, op, &l, v.ID); err != nil {
			return Entry{}, err
		}
	}
	e, err := s.Store.EnterLottery(ctx, id, Entry{ViewerID: v.ID, Name: Mask(v.Name), At: s.instant()}, MaxEntrants,
		func(secret Secret) string { return secret.Entrant(v.ID) })
	if err != nil {
		return Entry{}, errs.Wrap(op, err)
	}
	s.Count("entered", 1)
	return e, nil
}

// Standing tells a viewer whether they have entered (the entry is nil if not) and what they have yet to do. NotFound.
func (s *Service) Standing(ctx context.Context, id, viewerID string) (*Entry, []Condition, error) {
	const op = "lottery.Standing"
	l, err := s.Public(ctx, id)
	if err != nil {
		return nil, nil, errs.Wrap(op, err)
	}
	e, err := s.Store.LotteryEntry(ctx, id, viewerID)
	switch {
	case err == nil:
		return &e, nil, nil
	case errs.KindOf(err) != errs.NotFound:
		return nil, nil, errs.Wrap(op, err)
	case l.State != Open:
		return nil, nil, nil
	}
	missing, err := s.missing(ctx, &l, viewerID)
	return nil, missing, errs.Wrap(op, err)
}

func (s *Service) meets(ctx context.Context, op string, l *Lottery, viewerID string) error {
	missing, err := s.missing(ctx, l, viewerID)
	if err != nil || len(missing) == 0 {
		return errs.Wrap(op, err)
	}
	words := make([]string, len(missing))
	for i, c := range missing {
		words[i] = inWords[c]
	}
	return errs.New(errs.Conflict, op, "to enter, first %s", strings.Join(words, ", then "))
}

// missing are the conditions that a viewer does not meet, in the order in which they are written down.
func (s *Service) missing(ctx context.Context, l *Lottery, viewerID string) ([]Condition, error) {
	c := l.Conditions
	var missing []Condition
	for _, q := range []struct {
		asked bool
		name  Condition
		met   func() (bool, error)
	}{
		{c.Phrase != "", NeedComment, func() (bool, error) {
			return s.Facts.Commented(ctx, l.ShowID, viewerID, c.Phrase, l.OpenedAt)
		}},
		{c.MinLikes > 0, NeedLikes, func() (bool, error) {
			n, err := s.Facts.Likes(ctx, l.ShowID, viewerID)
			return n >= c.MinLikes, err
		}},
		{c.Reminder, NeedReminder, func() (bool, error) { return s.Facts.Reminder(ctx, viewerID, l.ShowID) }},
		{c.Bought, NeedOrder, func() (bool, error) { return s.Facts.Bought(ctx, viewerID, l.StoreID, l.ShowID) }},
	} {
		if !q.asked {
			continue
		}
		met, err := q.met()
		if err != nil {
			return nil, err
		}
		if !met {
			missing = append(missing, q.name)
		}
	}
	return missing, nil
}
