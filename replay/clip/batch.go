package clip

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/internal/ids"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/edit"
)

// WantChapters asks for a clip of each chapter of a show.
type WantChapters struct {
	ShowID  string
	BatchID string // what comes twice with the same one is done once; "": a new one
	Kind    Kind   // "": Instant
	Style   json.RawMessage
	Product string // of this product alone; "": of all
	// Shortest leaves out chapters that are shorter; 0: MinLength.
	Shortest media.Ticks
	// Merge makes one clip of the chapters of a product between which at most Pause lies.
	Merge bool
	Pause media.Ticks
	// Before and After are added on both sides, as far as the show goes.
	Before, After media.Ticks
	By            string
}

// CreateChapters makes a clip of every chapter that is shown, in one call: all of them or, when they are too many or the disk
// is full, none. With a BatchID that is known already, the clips of it are returned, and those that are missing are added.
// It is empty when no chapter is long enough.
func (s *Service) CreateChapters(ctx context.Context, w WantChapters) (batchID string, clips []Clip, err error) {
	const op = "clip.CreateChapters"
	if w.Kind == "" {
		w.Kind = Instant
	}
	show, wanted, err := s.wanted(ctx, &w)
	if err != nil {
		return "", nil, errs.Wrap(op, err)
	}
	if w.BatchID == "" {
		w.BatchID = ids.New("bat")
	}
	if len(wanted) == 0 {
		return w.BatchID, []Clip{}, nil
	}
	style, err := s.checkStyle(w.Kind, show.StoreID, w.Style)
	if err != nil {
		return "", nil, errs.Wrap(op, err)
	}
	for i, ch := range wanted {
		c := s.newClip(show, w.Kind, w.By)
		c.BatchID, c.Source, c.Ref, c.Style, c.Span = w.BatchID, FromChapter, ch.ID, style, ch.Span
		c.Request, c.Place = w.BatchID+"/"+ch.ID, len(wanted)-i
		if c.Title, err = titleOf("", ch.Title, show.Title, ch.Span.From); err != nil {
			return "", nil, errs.Wrap(op, err)
		}
		clips = append(clips, c)
	}
	clips, err = s.store(ctx, clips)
	return w.BatchID, clips, errs.Wrap(op, err)
}

// wanted are the intervals of a batch.
func (s *Service) wanted(ctx context.Context, w *WantChapters) (Show, []edit.Chapter, error) {
	const op = "clip.wanted"
	if err := w.validate(); err != nil {
		return Show{}, nil, err
	}
	show, err := s.Shows(ctx, w.ShowID)
	if err != nil {
		return Show{}, nil, err
	}
	rec, err := s.recording(w.ShowID)
	if err != nil {
		return Show{}, nil, err
	}
	all, err := s.Chapters(ctx, w.ShowID)
	if err != nil {
		return Show{}, nil, err
	}
	segments, end := rec.Segments(), rec.Duration()
	var kept []edit.Chapter
	for _, ch := range intervals(all, w, end) {
		if hasMedia(segments, ch.Span) || !rec.Ended() {
			kept = append(kept, ch)
		}
	}
	if len(kept) > MaxBatch {
		return Show{}, nil, errs.Field(op, "min_ms", "the show has %d such chapters; at most %d clips are made at once: ask for longer ones, or for one product", len(kept), MaxBatch)
	}
	return show, kept, nil
}

func (w *WantChapters) validate() error {
	const op = "clip.WantChapters"
	limit := media.FromDuration(MaxPad)
	for field, v := range map[string]media.Ticks{"before_ms": w.Before, "after_ms": w.After, "pause_ms": w.Pause} {
		if v < 0 || v > limit {
			return errs.Field(op, field, "it must be between 0 and %d", MaxPad.Milliseconds())
		}
	}
	if w.Shortest < 0 || w.Shortest > media.FromDuration(MaxLength) {
		return errs.Field(op, "min_ms", "it must be between 0 and %d", MaxLength.Milliseconds())
	}
	if w.BatchID != "" && !ids.Valid("bat", w.BatchID) {
		return errs.Field(op, "batch", "%q is not the id of a batch", w.BatchID)
	}
	return nil
}

// intervals are the chapters that become clips, in their order. It is pure.
func intervals(all []edit.Chapter, w *WantChapters, end media.Ticks) []edit.Chapter {
	var chosen []edit.Chapter
	last := map[string]int{} // of a product, in chosen
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b edit.Chapter) int { return cmp.Compare(a.Span.From, b.Span.From) })
	for _, ch := range all {
		ch.Span.To = min(ch.Span.To, end)
		if ch.Hidden || ch.Span.Empty() || w.Product != "" && ch.Product.ID != w.Product {
			continue
		}
		if i, ok := last[ch.Product.ID]; ok && w.Merge && ch.Span.From-chosen[i].Span.To <= w.Pause {
			chosen[i].Span.To = max(chosen[i].Span.To, ch.Span.To)
			continue
		}
		last[ch.Product.ID] = len(chosen)
		chosen = append(chosen, ch)
	}
	shortest := max(w.Shortest, media.FromDuration(MinLength))
	chosen = slices.DeleteFunc(chosen, func(ch edit.Chapter) bool { return ch.Span.Len() < shortest })
	for i := range chosen {
		span := &chosen[i].Span
		span.From, span.To = max(0, span.From-w.Before), min(end, span.To+w.After)
		if span.Len() > media.FromDuration(MaxLength) {
			span.To = span.From + media.FromDuration(MaxLength)
		}
	}
	return chosen
}

// Batch counts the clips of a batch of a show. NotFound: there is none.
func (s *Service) Batch(ctx context.Context, showID, batchID string) (Counts, error) {
	const op = "clip.Batch"
	clips, err := s.Store.Clips(ctx, Filter{ShowID: showID, BatchID: batchID, Limit: MaxBatch})
	if err != nil {
		return Counts{}, errs.Wrap(op, err)
	}
	if len(clips) == 0 || batchID == "" {
		return Counts{}, errs.New(errs.NotFound, op, "the show has no such batch of clips")
	}
	return CountOf(clips), nil
}
