package hlspull

import (
	"context"
	"net/url"
	"strings"

	"github.com/bluenviron/gohlslib/v2/pkg/playlist"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// choice is what of an origin is read: one variant, and its sound where that has a playlist of its own.
type choice struct {
	video *url.URL // or everything
	audio *url.URL // nil: the sound is in video
}

// choose reads the playlist at u and chooses what to read of it. When u is a media playlist already, it is the choice.
func (f *fetcher) choose(ctx context.Context, u *url.URL) (choice, error) {
	const op = "hlspull.choose"
	text, base, err := f.playlist(ctx, u)
	if err != nil {
		return choice{}, err
	}
	if !strings.Contains(string(text), "#EXT-X-STREAM-INF") {
		_, err := parseMedia(string(text), base)
		return choice{video: base}, err
	}
	var m playlist.Multivariant
	if err := m.Unmarshal(text); err != nil {
		return choice{}, errs.As(errs.Invalid, op, err, "the multivariant playlist cannot be read: %v", err)
	}
	best := bestVariant(m.Variants)
	if best == nil {
		return choice{}, errs.New(errs.Invalid, op, "the playlist has no variant with pictures that can be shown: H264 is read, and HEVC or AV1 where there is no H264")
	}
	c := choice{}
	if c.video, err = resolve(base, best.URI); err != nil {
		return choice{}, err
	}
	if uri := soundOf(m.Renditions, best.Audio); uri != "" {
		c.audio, err = resolve(base, uri)
	}
	return c, err
}

func resolve(base *url.URL, ref string) (*url.URL, error) {
	u, err := base.Parse(strings.TrimSpace(ref))
	if err != nil {
		return nil, errs.As(errs.Invalid, "hlspull.choose", err, "the playlist has an address that cannot be read")
	}
	return checkURL(u)
}

// bestVariant is the one with the highest rate among those that show best everywhere: H264 before others.
func bestVariant(all []*playlist.MultivariantVariant) (best *playlist.MultivariantVariant) {
	rank := 0
	for _, v := range all {
		if r := codecRank(v.Codecs); r > rank || r == rank && r > 0 && v.Bandwidth > best.Bandwidth {
			best, rank = v, r
		}
	}
	return best
}

// codecRank is 0 for what cannot be read. A playlist need not tell its codecs.
func codecRank(codecs []string) int {
	rank := 1 // sound alone
	if len(codecs) == 0 {
		return 3
	}
	for _, c := range codecs {
		switch name, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(c)), "."); name {
		case "avc1", "avc3":
			rank = 3
		case "hvc1", "hev1", "av01":
			rank = 2
		case "mp4a", "opus":
		case "vp09", "vp9", "dvh1", "dvhe":
			return 0
		}
	}
	return rank
}

// soundOf is the address of the group's default sound; "" when it is in the variant itself.
func soundOf(all []*playlist.MultivariantRendition, group string) string {
	found := false
	uri := ""
	for _, r := range all {
		if r.Type != playlist.MultivariantRenditionTypeAudio || r.GroupID != group || group == "" || found && !r.Default {
			continue
		}
		found, uri = true, ""
		if r.URI != nil {
			uri = *r.URI
		}
		if r.Default {
			break
		}
	}
	return uri
}
