package transcode

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

var all = []string{"720p", "480p", "360p"}

func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		presets []string
		source  Source
		keep    []string
		want    []Rendition
	}{
		"1080p": {all, Source{media.H264, 1920, 1080, 30}, nil, []Rendition{
			{"720p", 1280, 720, 2_000_000}, {"480p", 854, 480, 1_000_000}, {"360p", 640, 360, 600_000},
		}},
		"the source's own size is not made again": {all, Source{media.H264, 1280, 720, 30}, nil, []Rendition{
			{"480p", 854, 480, 1_000_000}, {"360p", 640, 360, 600_000},
		}},
		"upright": {all, Source{media.H264, 720, 1280, 30}, nil, []Rendition{
			{"480p", 480, 854, 1_000_000}, {"360p", 360, 640, 600_000},
		}},
		"60 pictures a second": {[]string{"360p"}, Source{media.H264, 1280, 720, 60}, nil, []Rendition{{"360p", 640, 360, 1_010_000}}},
		"square":               {[]string{"360p"}, Source{media.H264, 1080, 1080, 30}, nil, []Rendition{{"360p", 360, 360, 390_000}}},
		"too small":            {all, Source{media.H264, 480, 360, 30}, nil, nil},
		"kept though the source became smaller": {all, Source{media.H264, 480, 360, 30}, []string{"480p"}, []Rendition{
			{"480p", 480, 360, 520_000},
		}},
		"HEVC has H264 of its own size": {all, Source{media.HEVC, 854, 480, 30}, nil, []Rendition{
			{"480p", 854, 480, 1_000_000}, {"360p", 640, 360, 600_000},
		}},
		"AV1 between presets": {all, Source{media.AV1, 960, 540, 30}, nil, []Rendition{
			{"720p", 960, 540, 1_300_000}, {"480p", 854, 480, 1_000_000}, {"360p", 640, 360, 600_000},
		}},
		"HEVC above what was asked for": {[]string{"360p"}, Source{media.HEVC, 1920, 1080, 30}, nil, []Rendition{{"360p", 640, 360, 600_000}}},
		"odd sizes":                     {[]string{"720p"}, Source{media.HEVC, 641, 361, 30}, nil, []Rendition{{"720p", 640, 360, 710_000}}},
		"in any order, once":            {[]string{"360p", "480p", "360p"}, Source{media.H264, 1280, 720, 0}, nil, []Rendition{{"480p", 854, 480, 1_000_000}, {"360p", 640, 360, 600_000}}},
		"nothing":                       {nil, Source{media.H264, 1280, 720, 30}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Plan(c.presets, c.source, c.keep)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPlanRefuses(t *testing.T) {
	for _, c := range []struct {
		presets []string
		source  Source
	}{
		{[]string{"999p"}, Source{media.H264, 1280, 720, 30}},
		{all, Source{Codec: media.H264}},
	} {
		if _, err := Plan(c.presets, c.source, nil); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%v of %v: %v", c.presets, c.source, err)
		}
	}
}

func TestPlanIsNeverAboveTheSource(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Source{
			Codec: rapid.SampledFrom([]media.Codec{media.H264, media.HEVC}).Draw(t, "codec"),
			Width: rapid.IntRange(2, 4096).Draw(t, "width"), Height: rapid.IntRange(2, 4096).Draw(t, "height"),
			FPS: rapid.Float64Range(0, 120).Draw(t, "fps"),
		}
		subset := rapid.SliceOfDistinct(rapid.SampledFrom(all), rapid.ID[string])
		keep := subset.Draw(t, "keep")
		plan, err := Plan(subset.Draw(t, "presets"), s, keep)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range plan {
			if r.Width > s.Width || r.Height > s.Height || r.Width%2+r.Height%2 > 0 || r.Width < 2 || r.Height < 2 || r.Bitrate < 1000 {
				t.Fatalf("%+v of %+v", r, s)
			}
			if i > 0 && r.Width*r.Height > plan[i-1].Width*plan[i-1].Height {
				t.Fatalf("%+v is above %+v", r, plan[i-1])
			}
		}
		for _, name := range keep {
			if !contains(plan, name) {
				t.Fatalf("%s is gone: %+v", name, plan)
			}
		}
	})
}

func contains(plan []Rendition, name string) bool {
	for _, r := range plan {
		if r.Name == name {
			return true
		}
	}
	return false
}
