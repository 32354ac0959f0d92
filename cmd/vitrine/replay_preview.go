package main

import (
	"context"
	"net/http"

	"github.com/vitrine-live/vitrine/api"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/edit"
	"github.com/vitrine-live/vitrine/replay/highlight"
	"github.com/vitrine-live/vitrine/replay/preview"
)

// previewParts are what is made of recordings for whoever moves through them, and what finds their best moments.
type previewParts struct {
	previews   *preview.Service // nil: nothing is recorded
	highlights *highlight.Service
}

func (s *server) highlightDeps() api.HighlightDeps {
	return api.HighlightDeps{Highlights: s.highlights}
}

// startPreviews makes storyboards and waveforms until the stop, far behind everything else.
func (s *server) startPreviews(ctx context.Context) (func(context.Context) error, error) {
	if s.archive == nil {
		return nil, nil
	}
	s.previews = preview.New(preview.Config{FFmpeg: s.config.Transcode.FFmpeg}, preview.Deps{
		Archive: s.archive, Log: s.log, Metrics: preview.NewMetrics(s.metrics),
	})
	return s.background(ctx, func(ctx context.Context) error {
		s.previews.Run(ctx)
		return nil
	}), nil
}

// beside serves what is kept beside the media of a replay.
func (s *server) beside(w http.ResponseWriter, r *http.Request, rec *replay.Recording, name string, kept []media.Span) (known bool, err error) {
	return s.previews.Beside(w, r, rec, name, kept)
}

// startHighlights stores how many watch until the stop, and finds what they answered to when it is asked for.
func (s *server) startHighlights(ctx context.Context) (func(context.Context) error, error) {
	deps := highlight.Deps{
		Store: s.db, Timeline: s.timeline, Duration: s.showDuration, Chapters: s.chaptersOf, OnAir: s.watching,
		Log: s.log, Metrics: highlight.NewMetrics(s.metrics),
	}
	if s.previews != nil {
		deps.Loudness = s.previews.Loudness
	}
	s.highlights = highlight.New(deps)
	return s.background(ctx, func(ctx context.Context) error {
		s.highlights.Run(ctx)
		return nil
	}), nil
}

func (s *server) showDuration(ctx context.Context, showID string) (media.Ticks, error) {
	show, err := s.rooms.Show(ctx, showID)
	return show.Duration, err
}

func (s *server) chaptersOf(ctx context.Context, showID string) ([]edit.Chapter, error) {
	return s.edits.Chapters(ctx, showID)
}

// watching is how many watch each show that is on air here.
func (s *server) watching() []highlight.Sample {
	var samples []highlight.Sample
	for _, st := range s.rooms.OnAir() {
		if st.Show != nil {
			samples = append(samples, highlight.Sample{ShowID: st.Show.ID, At: st.Show.Duration, Viewers: s.hub.Viewers(st.Show.RoomID)})
		}
	}
	return samples
}
