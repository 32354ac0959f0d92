package main

import (
	"context"

	"github.com/vitrine-live/vitrine/replay/edit"
)

// editParts are what the server has of the edits of replays.
type editParts struct {
	edits *edit.Service
}

// startEdits lets merchants edit replays.
func (s *server) startEdits(context.Context) (func(context.Context) error, error) {
	deps := edit.Deps{
		Store: s.db, Timeline: s.timeline, Log: s.log, Metrics: edit.NewMetrics(s.metrics),
		OnAir: func(ctx context.Context, showID string) (bool, error) {
			show, err := s.rooms.Show(ctx, showID)
			return show.Unfinished(), err
		},
	}
	if s.archive != nil {
		deps.Recordings = s.archive
	}
	edits, err := edit.New(edit.Config{}, deps)
	s.edits = edits
	return nil, err
}

// replayEdited is what was made of a replay. Nobody asks before the edits are there: players are answered last of all.
func (s *server) replayEdited(ctx context.Context, showID string) (edit.State, error) {
	return s.edits.State(ctx, showID)
}
