package main

import (
	"context"
	"net/http"

	"github.com/vitrine-live/vitrine/replay"
	"github.com/vitrine-live/vitrine/replay/preview"
)

// previewParts are what is made of recordings for whoever moves through them.
type previewParts struct {
	previews *preview.Service // nil: nothing is recorded
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
func (s *server) beside(w http.ResponseWriter, r *http.Request, rec *replay.Recording, name string) (known bool, err error) {
	return s.previews.Beside(w, r, rec, name)
}
