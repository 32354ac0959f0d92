package overlay

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/vitrine-live/vitrine/media"
)

// recentComments is how many of the newest comments a snapshot begins with.
const recentComments = 30

// Comment is what a viewer said, as a snapshot shows it.
type Comment struct {
	ShowTime media.Ticks
	CommentData
}

// MarshalJSON renders the comment as the channel shows it.
func (c Comment) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		ShowTime int64 `json:"show_time_ms"`
		CommentData
	}{c.ShowTime.Milliseconds(), c.CommentData})
}

// talk is what viewers said and liked, as far as the log adds it up.
type talk struct {
	recent []Comment           // the newest ones that are not hidden, in the order of the log
	hidden map[string]struct{} // comments taken back
	likes  int64
}

func (t *talk) apply(e Event) error {
	switch e.Type {
	case TypeComment:
		c := Comment{ShowTime: e.ShowTime}
		if err := json.Unmarshal(e.Data, &c.CommentData); err != nil {
			return err
		}
		if len(t.recent) == recentComments {
			t.recent = slices.Delete(t.recent, 0, 1)
		}
		t.recent = append(t.recent, c)
	case TypeCommentHidden:
		var data CommentHiddenData
		if err := json.Unmarshal(e.Data, &data); err != nil {
			return err
		}
		if t.hidden == nil {
			t.hidden = map[string]struct{}{}
		}
		t.hidden[data.ID] = struct{}{}
		t.recent = slices.DeleteFunc(t.recent, func(c Comment) bool { return c.ID == data.ID })
	default: // board asks for no other
		var data LikesData
		if err := json.Unmarshal(e.Data, &data); err != nil {
			return err
		}
		t.likes = max(t.likes, data.Total)
	}
	return nil
}

// without empties the comments among events that are hidden. The events are changed in place; their data is replaced.
func (t *talk) without(events []Event) {
	for i := range events {
		var data CommentData
		if events[i].Type != TypeComment || json.Unmarshal(events[i].Data, &data) != nil {
			continue
		}
		if _, hidden := t.hidden[data.ID]; hidden {
			events[i].Data = mustJSON(CommentData{ID: data.ID, Hidden: true})
		}
	}
}

// redact empties the hidden comments among events that were read of a show's log.
func (t *Timeline) redact(ctx context.Context, showID string, events []Event) error {
	if !slices.ContainsFunc(events, func(e Event) bool { return e.Type == TypeComment }) {
		return nil
	}
	return t.view(ctx, showID, func(l *showLog) {
		if len(l.board.talk.hidden) > 0 {
			l.board.talk.without(events)
		}
	})
}
