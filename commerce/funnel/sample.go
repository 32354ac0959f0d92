package funnel

import "context"

// Sample is how many watch a show at an instant of it.
type Sample struct {
	ShowID     string
	ShowTimeMS int64
	Viewers    int64
}

// Minute is the minute of the show that the sample falls into, from 0.
func (s *Sample) Minute() int64 { return s.ShowTimeMS / 60_000 }

// sample counts the viewers of the shows that are on air here.
func (s *Service) sample(ctx context.Context) {
	samples := s.OnAir()
	if len(samples) == 0 {
		return
	}
	if err := s.Store.AddViewerCounts(ctx, samples); err != nil {
		s.Log.ErrorContext(ctx, "how many watch could not be stored", "error", err)
	}
}
