package transcode

import (
	"math"
	"slices"
	"strings"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// Preset is a quality that a room may ask for.
type Preset struct {
	Name      string
	ShortSide int // of the picture, in pixels: its height, or its width when it stands upright
	Bitrate   int // of the pictures, in bit/s, at up to 30 pictures a second of 16:9
}

// Presets returns every preset, the best first.
func Presets() []Preset {
	return []Preset{
		{"720p", 720, 2_000_000},
		{"480p", 480, 1_000_000},
		{"360p", 360, 600_000},
	}
}

// Source is what a ladder is planned for.
type Source struct {
	Codec         media.Codec
	Width, Height int     // as shown
	FPS           float64 // 0: unknown, taken for 30
}

// Rendition is one rung of a ladder.
type Rendition struct {
	Name          string
	Width, Height int // even
	Bitrate       int // of the pictures, in bit/s
}

const (
	usualFPS   = 30
	minBitrate = 50_000
)

// Plan returns the renditions of a source by the names of presets, the best first. It is pure.
//
// A rendition has the source's shape and stands upright when the source does. None is larger than the source, and
// none of the presets that the source does not exceed is made, as the source itself serves better, with two
// exceptions: where the source is not H264, which not every player shows, the lowest of those presets is made at the
// source's own size; and so is every name in keep, which a show that has those renditions already cannot lose.
//
// The error is Invalid when a name is no preset or the source has no size.
func Plan(presets []string, source Source, keep []string) ([]Rendition, error) {
	const op = "transcode.Plan"
	for _, name := range slices.Concat(presets, keep) {
		if !slices.ContainsFunc(Presets(), func(p Preset) bool { return p.Name == name }) {
			return nil, errs.Field(op, "ladder", "%q is no rendition; there are %s", name, strings.Join(presetNames(), ", "))
		}
	}
	short := min(source.Width, source.Height)
	if short < 2 {
		return nil, errs.Field(op, "source", "a picture of %dx%d has no renditions", source.Width, source.Height)
	}
	var plan []Rendition
	covered := source.Codec == media.H264          // whether every player has a rendition of the source's own size
	for _, p := range slices.Backward(Presets()) { // from the lowest
		wanted, kept := slices.Contains(presets, p.Name), slices.Contains(keep, p.Name)
		switch {
		case wanted && p.ShortSide < short, kept:
		case wanted && !covered:
		default:
			continue
		}
		covered = covered || p.ShortSide >= short
		plan = append(plan, p.rendition(source))
	}
	slices.Reverse(plan)
	return plan, nil
}

func presetNames() (names []string) {
	for _, p := range Presets() {
		names = append(names, p.Name)
	}
	return names
}

// rendition fits the preset into the source.
func (p Preset) rendition(source Source) Rendition {
	scale := min(1, float64(p.ShortSide)/float64(min(source.Width, source.Height)))
	r := Rendition{Name: p.Name, Width: even(source.Width, scale), Height: even(source.Height, scale)}
	// Bits grow more slowly than pixels and pictures: three quarters of the exponent is the usual rule.
	full := float64(p.ShortSide*p.ShortSide) * 16 / 9
	more := float64(r.Width*r.Height) / full * max(fpsOr(source.FPS), usualFPS) / usualFPS
	r.Bitrate = max(minBitrate, int(math.Round(float64(p.Bitrate)*math.Pow(more, 0.75)/10_000))*10_000)
	return r
}

func fpsOr(fps float64) float64 {
	if fps <= 0 {
		return usualFPS
	}
	return fps
}

// even scales a side to the nearest even length that is not above it, as 4:2:0 pictures need.
func even(side int, scale float64) int {
	return max(2, min(2*int(math.Round(float64(side)*scale/2)), side&^1))
}
