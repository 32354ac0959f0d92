package main

import (
	"context"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/api"
	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay/clip"
	"github.com/vitrine-live/vitrine/replay/style"
	"github.com/vitrine-live/vitrine/web"
)

// clipParts are what makes clips of shows.
type clipParts struct {
	clips *clip.Service // nil: nothing is recorded
}

// startClips makes the clips that wait until the stop.
func (s *server) startClips(ctx context.Context) (func(context.Context) error, error) {
	if s.archive == nil {
		return nil, nil
	}
	c := s.config.Clips
	maker, err := s.clipMaker()
	if err != nil {
		return nil, err
	}
	clips, err := clip.Open(s.data.file("clips"), clip.Config{
		Parallel: c.Parallel, Threads: c.Threads, Queue: c.Queue, Reserve: int64(s.config.Recording.Reserve),
		FFmpeg: s.config.Transcode.FFmpeg,
	}, clip.Deps{
		Store: s.db, Shows: s.clipShow, Archive: s.archive, Timeline: s.timeline, Chapters: s.edits.Chapters, Highlights: s.highlights, Maker: maker, Ranges: s.replayRanges, Link: s.clipLink,
		OnAir: func() int { return len(s.rooms.OnAir()) }, Behind: s.laddersBehind, Log: s.log, Metrics: clip.NewMetrics(s.metrics),
	})
	if err != nil {
		return nil, err
	}
	s.clips = clips
	stop := s.background(ctx, func(ctx context.Context) error { clips.Run(ctx); return nil })
	return func(ctx context.Context) error {
		if err := stop(ctx); err != nil {
			return err
		}
		return clips.Close()
	}, nil
}

// recordingDeleted takes away what clips have of a recording that was deleted. Nothing is deleted before the clips are there.
func (s *server) recordingDeleted(showID string) {
	if s.clips == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.clips.RecordingDeleted(ctx, showID); err != nil {
		s.log.Warn("clips of a deleted recording are still listed; they cannot be played", "show", showID, "error", err)
	}
}

// clipMaker is what files of clips are made with.
func (s *server) clipMaker() (*clip.Makers, error) {
	styles, err := style.New(style.Config{FFmpeg: s.config.Transcode.FFmpeg, Font: s.config.Clips.Font, Threads: s.config.Clips.Threads}, s.log)
	if err != nil {
		return nil, err
	}
	return &clip.Makers{
		FFmpeg: s.config.Transcode.FFmpeg, Styles: styles, Files: s.clipFiles, Image: s.clipImage,
		Price: func(amount int64, currency string) string {
			return style.Price(commerce.Money{Amount: amount, Currency: currency}.Decimal(), currency)
		},
	}, nil
}

// clipFiles are what a style names of what the store uploaded.
func (s *server) clipFiles(storeID string, spec style.Spec) (clip.StyleFiles, error) {
	f, err := s.clipAssets.Resolve(storeID, spec)
	return clip.StyleFiles(f), err
}

// clipImage is a picture of a product that lies on this server; those of other servers are not asked for.
func (s *server) clipImage(ctx context.Context, address string) []byte {
	_, name, ok := strings.Cut(address, "/media/")
	if !ok || s.blobs == nil {
		return nil
	}
	f, err := s.blobs.Get(ctx, name)
	if err != nil {
		return nil
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxClipImage))
	if err != nil {
		return nil
	}
	return b
}

// maxClipImage is more than any picture takes that is kept here.
const maxClipImage = 16 << 20

func (s *server) clipDeps() api.ClipDeps { return api.ClipDeps{Clips: s.clips, ClipPage: web.Clip()} }

func (s *server) clipShow(ctx context.Context, id string) (clip.Show, error) {
	show, err := s.rooms.Show(ctx, id)
	return clip.Show{ID: show.ID, RoomID: show.RoomID, StoreID: show.StoreID, Title: show.Title, Epochs: show.Epochs}, err
}

// clipLink leads from a product of a clip to where it is bought: what is sold here on the page of its room, everything else by
// way of the address that remembers where a buyer came from.
func (s *server) clipLink(show clip.Show, p overlay.ProductSnapshot) string {
	base := strings.TrimSuffix(s.config.HTTP.PublicURL, "/")
	switch commerce.LinkKind(p.Link) {
	case commerce.LinkCheckout:
		return base + "/r/" + show.RoomID + "?" + url.Values{"product": {p.ID}}.Encode()
	case commerce.LinkURL, "":
		if p.URL != "" {
			return base + "/go/" + p.ID + "?" + url.Values{"show": {show.ID}, "via": {string(commerce.SourceClip)}}.Encode()
		}
	case commerce.LinkMiniProgram, commerce.LinkNone:
	}
	return ""
}

// laddersBehind tells why pictures of a show on air are late.
func (s *server) laddersBehind() string {
	for _, st := range s.rooms.OnAir() {
		for _, r := range st.Renditions {
			if r.State == live.RenditionDown {
				return "the smaller pictures of a show on air are interrupted"
			}
		}
	}
	return ""
}
