package live

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/vitrine-live/vitrine/replay"
)

// sound is a publisher with nothing to complain of, an OBS that has sent for a minute.
func sound() Status {
	return Status{
		State: RoomLive, Recording: &replay.Status{},
		Publisher: &PublisherStatus{
			Protocol: "rtmp", Encoder: "obs-output module (libobs version 30.0.0)", State: PublisherSending, Quiet: 20 * time.Millisecond,
			VideoQuiet: 20 * time.Millisecond, AudioQuiet: 15 * time.Millisecond,
			Format: Format{
				Video: "H264", VideoProfile: "High 3.1", Width: 1280, Height: 720, BitDepth: 8, Chroma: "4:2:0",
				Audio: "AAC", AudioProfile: "LC", SampleRate: 48_000, Channels: 2,
			},
			BitrateBPS: 2_660_000, VideoBitrateBPS: 2_500_000, AudioBitrateBPS: 160_000, FPS: 30,
			KeyInterval: 2 * time.Second, KeyIntervalMin: 2 * time.Second, KeyIntervalMax: 2 * time.Second,
			Lag: 40 * time.Millisecond, Jitter: 8 * time.Millisecond, RTT: 30 * time.Millisecond, Loss: 0, Repaired: 0.001,
			age: time.Minute, sinceKey: time.Second, keys: keySpans, meanPacket: 430, meanBPS: 2_500_000, peakBPS: 2_800_000,
		},
	}
}

// ills has, for each rule, what makes a sound publisher ill in that way, and what is not well enough yet to let the
// warning go, where that is something else.
var ills = map[string]struct{ ill, lingers func(*Status) }{
	codeStalled:         {ill: func(s *Status) { s.Publisher.State, s.Publisher.Quiet = PublisherStalled, 5*time.Second }},
	codeNothingYet:      {ill: func(s *Status) { s.Publisher.State = PublisherWaiting }},
	codePictureStopped:  {ill: func(s *Status) { s.Publisher.VideoQuiet = 4 * time.Second }},
	codeUploadSlow:      {ill: func(s *Status) { s.Publisher.Lag = 900 * time.Millisecond }, lingers: func(s *Status) { s.Publisher.Lag = 500 * time.Millisecond }},
	codeRecordingPaused: {ill: func(s *Status) { s.Recording = &replay.Status{Paused: true, Reason: "The disk is full."} }},
	codeNotRecorded:     {ill: func(s *Status) { s.Recording, s.Unrecorded = nil, true }},
	codeSoundStopped:    {ill: func(s *Status) { s.Publisher.AudioQuiet = 4 * time.Second }},
	codeLoss:            {ill: func(s *Status) { s.Publisher.Loss = 0.04 }, lingers: func(s *Status) { s.Publisher.Loss = 0.02 }},
	codePicturesDropped: {ill: func(s *Status) { s.Publisher.recentDiscarded = 12 }, lingers: func(s *Status) { s.Publisher.recentDiscarded = 2 }},
	codeNoSound:         {ill: func(s *Status) { s.Publisher.Audio, s.Publisher.meanPacket = "", 0 }},
	codeSilent:          {ill: func(s *Status) { s.Publisher.meanPacket, s.Publisher.AudioBitrateBPS = 6, 2250 }},
	codeNoPicture:       {ill: func(s *Status) { s.Publisher.Format = Format{Audio: "AAC", SampleRate: 48_000, Channels: 2} }},
	codeColourFormat:    {ill: func(s *Status) { s.Publisher.Chroma = "4:4:4" }},
	codeCodec:           {ill: func(s *Status) { s.Publisher.Video = "HEVC" }},
	codeKeyframesFar: {
		ill:     func(s *Status) { s.Publisher.KeyIntervalMax = 8300 * time.Millisecond },
		lingers: func(s *Status) { s.Publisher.KeyIntervalMax = 4 * time.Second },
	},
	codeFramesMissing: {ill: func(s *Status) { s.Publisher.MissingFrames = 0.1 }, lingers: func(s *Status) { s.Publisher.MissingFrames = 0.03 }},
	codeFPSLow:        {ill: func(s *Status) { s.Publisher.FPS = 12 }, lingers: func(s *Status) { s.Publisher.FPS = 19 }},
	codeBitrateHigh:   {ill: func(s *Status) { s.Publisher.BitrateBPS = 9_000_000 }, lingers: func(s *Status) { s.Publisher.BitrateBPS = 7_000_000 }},
	codeTimestamps:    {ill: func(s *Status) { s.Publisher.recentAnomalies = 4 }, lingers: func(s *Status) { s.Publisher.recentAnomalies = 1 }},
	codeSizeLarge: {ill: func(s *Status) {
		s.Publisher.Width, s.Publisher.Height, s.Publisher.VideoBitrateBPS = 2160, 3840, 7_000_000
	}},
	codeSizeOdd:    {ill: func(s *Status) { s.Publisher.Width = 1281 }},
	codeSurround:   {ill: func(s *Status) { s.Publisher.Channels = 6 }},
	codeInterlaced: {ill: func(s *Status) { s.Publisher.Interlaced = true }},
	codeJitter:     {ill: func(s *Status) { s.Publisher.Jitter = 200 * time.Millisecond }, lingers: func(s *Status) { s.Publisher.Jitter = 100 * time.Millisecond }},
	codeLadderDown: {ill: func(s *Status) {
		s.Renditions = []RenditionStatus{{Name: "480p", State: RenditionOn}, {Name: "720p", State: RenditionDown, Reason: "ffmpeg ended."}}
	}},
	codeLadderRefused: {ill: func(s *Status) {
		s.Renditions = []RenditionStatus{{Name: "720p", State: RenditionRefused, Reason: "The machine is busy."}}
	}},
	codeRTT:      {ill: func(s *Status) { s.Publisher.RTT = 450 * time.Millisecond }, lingers: func(s *Status) { s.Publisher.RTT = 350 * time.Millisecond }},
	codeRepaired: {ill: func(s *Status) { s.Publisher.Repaired = 0.1 }, lingers: func(s *Status) { s.Publisher.Repaired = 0.05 }},
	codeBitrateLow: {
		ill:     func(s *Status) { s.Publisher.VideoBitrateBPS = 500_000 },
		lingers: func(s *Status) { s.Publisher.VideoBitrateBPS = 700_000 },
	},
	codeBitrateUnstable: {ill: func(s *Status) { s.Publisher.peakBPS = 6_000_000 }, lingers: func(s *Status) { s.Publisher.peakBPS = 4_500_000 }},
	codeKeyframesOften: {
		ill:     func(s *Status) { s.Publisher.KeyIntervalMax = 500 * time.Millisecond },
		lingers: func(s *Status) { s.Publisher.KeyIntervalMax = 800 * time.Millisecond },
	},
	codeSizeSmall:  {ill: func(s *Status) { s.Publisher.Width, s.Publisher.Height = 320, 180 }},
	codeSampleRate: {ill: func(s *Status) { s.Publisher.SampleRate = 22_050 }},
	codeMono:       {ill: func(s *Status) { s.Publisher.Channels = 1 }},
	codeSoundBitrateLow: {
		ill:     func(s *Status) { s.Publisher.AudioBitrateBPS = 32_000 },
		lingers: func(s *Status) { s.Publisher.AudioBitrateBPS = 48_000 },
	},
}

func TestSoundPublishersAreLeftAlone(t *testing.T) {
	for name, change := range map[string]func(*Status){
		"landscape": func(*Status) {},
		"portrait":  func(s *Status) { s.Publisher.Width, s.Publisher.Height = 720, 1280 },
		"1080p60": func(s *Status) {
			s.Publisher.Width, s.Publisher.Height, s.Publisher.FPS, s.Publisher.VideoBitrateBPS = 1920, 1080, 60, 6_000_000
		},
		"B-frames": func(s *Status) { s.Publisher.BFrames = true },
		"phone, mono, dark, keyframes on demand": func(s *Status) {
			p := s.Publisher
			p.Protocol, p.Encoder, p.Audio, p.Channels, p.FPS, p.MissingFrames, p.KeyIntervalMax = "whip", "Mozilla/5.0 (iPhone)", "Opus", 1, 24, 0.2, 600*time.Millisecond
		},
		"HEVC with a ladder": func(s *Status) {
			s.Publisher.Video, s.Publisher.BitDepth = "HEVC", 10
			s.Renditions = []RenditionStatus{{Name: "720p", State: RenditionOn}}
		},
		"not measured yet": func(s *Status) {
			*s.Publisher = PublisherStatus{Protocol: "rtmp", State: PublisherWaiting, Loss: -1, Repaired: -1}
		},
		"pulled in bursts": func(s *Status) { s.Publisher.Protocol, s.Publisher.Jitter = "hls", 2*time.Second },
	} {
		st := sound()
		change(&st)
		for i := range rules {
			if v, holds := rules[i].holds(&st, st.Publisher, false); holds {
				t.Errorf("%s: %s %v", name, rules[i].code, v)
			}
		}
	}
}

func TestEveryRuleTellsItsIllness(t *testing.T) {
	for i := range rules {
		r := &rules[i]
		c, ok := ills[r.code]
		if !ok {
			t.Errorf("no case for %s", r.code)
			continue
		}
		st := sound()
		c.ill(&st)
		if _, holds := r.holds(&st, st.Publisher, false); !holds {
			t.Errorf("%s is not told of", r.code)
		}
		for j := range rules { // each illness has one name
			if _, holds := rules[j].holds(&st, st.Publisher, false); holds && j != i {
				t.Errorf("%s is also called %s", r.code, rules[j].code)
			}
		}
		if c.lingers == nil {
			continue
		}
		st = sound()
		c.lingers(&st)
		if _, holds := r.holds(&st, st.Publisher, false); holds {
			t.Errorf("%s comes too early", r.code)
		}
		if _, holds := r.holds(&st, st.Publisher, true); !holds {
			t.Errorf("%s goes too early", r.code)
		}
	}
	if len(ills) != len(rules) {
		t.Errorf("%d cases for %d rules", len(ills), len(rules))
	}
}

var gap = regexp.MustCompile(`\{[a-z]+\}`)

// Every warning has words in every language for every tool, without a gap; what is said to somebody with OBS names OBS.
func TestEveryWarningHasWords(t *testing.T) {
	all := []Warning{publisherGone(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), time.Minute)}
	for i := range rules {
		st := sound()
		ills[rules[i].code].ill(&st)
		v, _ := rules[i].holds(&st, st.Publisher, false)
		all = append(all, Warning{Code: rules[i].code, values: v})
	}
	for _, w := range all {
		for _, tool := range []tool{encoder, phone, pulled} {
			w.tool = tool
			for _, l := range Languages {
				words(t, w, l, tool)
			}
		}
	}
	for code := range catalogue {
		if !slices.ContainsFunc(all, func(w Warning) bool { return w.Code == code }) {
			t.Errorf("nobody says %s", code)
		}
	}
}

// withoutOBS are warnings that an anchor with OBS cannot mend in OBS.
var withoutOBS = []string{codeRecordingPaused, codeLadderDown, codeLadderRefused, codeRTT}

func words(t *testing.T, w Warning, l Language, by tool) {
	t.Helper()
	name := fmt.Sprintf("%s for %s in %s", w.Code, by, l)
	message, remedy := w.Message(l), w.Remedy(l)
	if message == "" || remedy == "" || gap.MatchString(message+remedy) {
		t.Errorf("%s: %q %q", name, message, remedy)
	}
	for _, text := range []string{message, remedy} {
		if chinese := strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }); chinese != (l == Chinese) {
			t.Errorf("%s: is this the right language? %q", name, text)
		}
	}
	if by == encoder && !strings.Contains(remedy, "OBS") && !slices.Contains(withoutOBS, w.Code) {
		t.Errorf("%s does not say where in OBS: %q", name, remedy)
	}
}

func TestWordsAsAnAnchorReadsThem(t *testing.T) {
	st := sound()
	ills[codeKeyframesFar].ill(&st)
	var w watch
	w.review(time.Now(), &st)
	got := w.warnings()
	if len(got) != 1 {
		t.Fatalf("%+v", got)
	}
	for _, c := range []struct{ got, want string }{
		{got[0].Message(English), "A keyframe only every 8.3 s: viewers wait long for the picture and the delay rises."},
		{got[0].Remedy(English), "In OBS: Settings > Output > Output Mode = Advanced > Streaming > Keyframe Interval = 2 s. (In ffmpeg: -g 60 at 30 fps)"},
		{got[0].Message(Chinese), "关键帧间隔长达 8.3 秒：观众打开后要等很久，延迟也会变大。"},
		{got[0].Remedy(Chinese), "在 OBS 中：设置 > 输出 > 输出模式 = 高级 > 直播 > 关键帧间隔 = 2 秒。（ffmpeg：30 帧时 -g 60）"},
	} {
		if c.got != c.want {
			t.Errorf("got %q\nwant %q", c.got, c.want)
		}
	}
}

func TestToolOf(t *testing.T) {
	for _, c := range []struct {
		protocol, encoder string
		want              tool
	}{
		{"rtmp", "FMLE/3.0 (compatible; FMSc/1.0)", encoder},
		{"rtmps", "", encoder},
		{"whip", "Mozilla/5.0 (X11; OBS-Studio/31.0.1)", encoder},
		{"whip", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)", phone},
		{"whip", "", phone},
		{"hls", "", pulled},
	} {
		if got := toolOf(&PublisherStatus{Protocol: c.protocol, Encoder: c.encoder}); got != c.want {
			t.Errorf("%s %q: %s", c.protocol, c.encoder, got)
		}
	}
}

// A warning waits for its while, does not flap, and goes when all has been well for long enough.
func TestWarningsDoNotFlap(t *testing.T) {
	var w watch
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	look := func(lag time.Duration) (came, gone int) {
		st := sound()
		st.Publisher.Lag = lag
		c, g := w.review(now, &st)
		now = now.Add(time.Second)
		return len(c), len(g)
	}
	const slow, better, well = 2 * time.Second, time.Second / 2, 0
	for i, c := range []struct {
		lag        time.Duration
		n          int // seconds
		came, gone int
		stands     bool
	}{
		{lag: slow, n: 2},                        // a hiccup
		{lag: well, n: 2},                        // over
		{lag: slow, n: 3},                        // not long enough yet
		{lag: slow, n: 2, came: 1, stands: true}, // told
		{lag: better, n: 30, stands: true},       // better is not well
		{lag: well, n: 9, stands: true},          // not for long enough yet
		{lag: better, n: 1, stands: true},        // and again
		{lag: well, n: 9, stands: true},          //
		{lag: well, n: 2, gone: 1},               // well
		{lag: better, n: 30},                     // no reason to begin anew
		{lag: slow, n: 4, came: 1, stands: true}, //
	} {
		came, gone := 0, 0
		for range c.n {
			a, b := look(c.lag)
			came, gone = came+a, gone+b
		}
		if came != c.came || gone != c.gone || (len(w.warnings()) == 1) != c.stands {
			t.Errorf("step %d: %d came, %d gone, %v stand", i, came, gone, w.warnings())
		}
	}
}

func TestGravestComeFirst(t *testing.T) {
	st := sound()
	st.Publisher.Channels, st.Publisher.KeyIntervalMax, st.Unrecorded, st.Recording = 1, 9*time.Second, true, nil
	st.Publisher.SampleRate = 32_000
	var w watch
	w.review(time.Now(), &st)
	var codes []string
	for _, x := range w.warnings() {
		codes = append(codes, x.Code)
	}
	if want := []string{codeNotRecorded, codeKeyframesFar, codeSampleRate, codeMono}; !slices.Equal(codes, want) {
		t.Errorf("%v", codes)
	}
}

func TestUsualBitrate(t *testing.T) {
	for _, c := range []struct {
		width, height int
		fps           float64
		codec         string
		want          int64
	}{
		{1280, 720, 30, "H264", 2_000_000},
		{1920, 1080, 30, "H264", 4_500_000},
		{1080, 1920, 60, "H264", 6_000_000},
		{1920, 1080, 30, "HEVC", 2_500_000},
		{640, 360, 30, "H264", 500_000},
		{0, 0, 0, "", 500_000},
	} {
		p := &PublisherStatus{FPS: c.fps, Format: Format{Video: c.codec, Width: c.width, Height: c.height}}
		if got := p.usualBitrate(); got != c.want {
			t.Errorf("%dx%d at %v: %d", c.width, c.height, c.fps, got)
		}
	}
}

func TestFitting(t *testing.T) {
	for _, c := range []struct {
		w, h, side int
		want       string
	}{{1920, 1080, 480, "854x480"}, {1080, 1920, 720, "720x1280"}, {3840, 2160, 1080, "1920x1080"}, {0, 0, 720, ""}} {
		if got := (&Format{Width: c.w, Height: c.h}).fitting(c.side); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// The page that explains the warnings knows each of them, with its severity.
func TestEveryWarningIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/health.md")
	if err != nil {
		t.Fatal(err)
	}
	for i := range rules {
		if row := fmt.Sprintf("| `%s` | %s |", rules[i].code, rules[i].severity); !strings.Contains(string(page), row) {
			t.Errorf("docs/health.md lacks %s", row)
		}
	}
}
