package hls

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	hlsplaylist "github.com/bluenviron/gohlslib/v2/pkg/playlist"
	"pgregory.net/rapid"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

// written is a sample that was written, and where it must be found again.
type written struct {
	media.Sample
	number uint32
	epoch  int
}

// arrival is a sample with the time at which it reaches the packager.
type arrival struct {
	written
	at        media.Ticks
	newTracks []media.Track // set before the sample
}

// epochPlan is what a publisher sends in one epoch, in publisher time from 0 at the first IDR.
type epochPlan struct {
	video, audio bool
	rate         int
	lateAudio    media.Ticks // sound is announced only with the first IDR after this; 0 at once
	newPictures  media.Ticks // the picture parameters change with the first IDR after this; 0 never
	arrivals     []arrival
}

// drawEpoch makes up a publisher.
func drawEpoch(t *rapid.T, epoch int, number *uint32) epochPlan {
	kinds := rapid.SampledFrom([]string{"both", "both", "both", "both", "video", "audio"}).Draw(t, "kinds")
	plan := epochPlan{
		video: kinds != "audio", audio: kinds != "video", rate: rapid.SampledFrom([]int{44_100, 48_000, 22_050}).Draw(t, "rate"),
	}
	length := media.Ticks(rapid.Int64Range(1, 9).Draw(t, "seconds")) * media.TicksPerSecond
	if plan.video {
		drawPictures(t, &plan, length)
	}
	if plan.audio {
		drawSound(t, &plan, length)
	}
	slices.SortStableFunc(plan.arrivals, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	announced, changed := false, false
	for i := range plan.arrivals {
		a := &plan.arrivals[i]
		*number++
		a.number, a.epoch = *number, epoch
		a.Payload = payload(*number, 20)
		if plan.lateAudio > 0 && !announced && a.Kind == media.Video && a.Key && a.DTS >= plan.lateAudio {
			a.newTracks = []media.Track{videoTrack(), audioTrackOf(plan.rate)}
			announced = true
		}
		if plan.newPictures > 0 && !changed && a.Kind == media.Video && a.Key && a.DTS >= plan.newPictures {
			a.newTracks = []media.Track{otherVideoTrack()}
			if plan.audio {
				a.newTracks = append(a.newTracks, audioTrackOf(plan.rate))
			}
			changed = true
		}
	}
	if plan.lateAudio > 0 {
		plan.dropSoundBeforeAnnounced()
	}
	return plan
}

func drawPictures(t *rapid.T, plan *epochPlan, length media.Ticks) {
	step := media.TicksPerSecond / media.Ticks(rapid.Int64Range(5, 60).Draw(t, "fps"))
	millis := rapid.Bool().Draw(t, "millis")
	wobble := rapid.SampledFrom([]int64{0, 0, 10, 40}).Draw(t, "wobble %")
	reorder := rapid.IntRange(0, 3).Draw(t, "b-frames")
	gop := max(int(media.Ticks(rapid.Int64Range(300, 6000).Draw(t, "gop ms"))*media.TicksPerMillisecond/step), 1)
	if plan.audio && rapid.IntRange(0, 4).Draw(t, "late audio") == 0 {
		plan.lateAudio = length / 2
	} else if rapid.IntRange(0, 4).Draw(t, "new pictures") == 0 {
		plan.newPictures = length / 3
	}
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "wobbles"), 0))
	var dts []media.Ticks
	for at := media.Ticks(0); at < length; {
		dts = append(dts, at)
		at += step + step*media.Ticks(random.Int64N(2*wobble+1)-wobble)/100
	}
	// Pictures are presented in the order I P B B P B B ..., one group of reorder+1 after the other, all of them reorder
	// steps later than they decode.
	delay := media.Ticks(0)
	if reorder > 0 {
		delay = step
	}
	pts := presentation(len(dts), gop, reorder)
	for i := range dts {
		p, d := dts[pts[i]], dts[i]-delay
		if millis {
			p, d = (p+45)/90*90, roundMillis(d)
		}
		plan.arrivals = append(plan.arrivals, arrival{
			at: d, written: written{Sample: media.Sample{Kind: media.Video, PTS: p, DTS: d, Key: i%gop == 0}},
		})
	}
}

func roundMillis(t media.Ticks) media.Ticks { return media.FromMilliseconds(t.Milliseconds()) }

// presentation gives for each picture in decode order its place in presentation order.
func presentation(n, gop, reorder int) []int {
	out := make([]int, 0, n)
	for start := 0; start < n; start += gop {
		end := min(start+gop, n)
		out = append(out, start)
		for i := start + 1; i < end; {
			last := min(i+reorder, end-1)
			out = append(out, last)
			for b := i; b < last; b++ {
				out = append(out, b)
			}
			i = last + 1
		}
	}
	return out
}

func drawSound(t *rapid.T, plan *epochPlan, length media.Ticks) {
	lag := media.Ticks(rapid.Int64Range(-150, 150).Draw(t, "sound lags ms")) * media.TicksPerMillisecond
	start := media.Ticks(rapid.Int64Range(0, 100).Draw(t, "sound starts ms")) * media.TicksPerMillisecond
	if !plan.video {
		start = 0
	}
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "jitters"), 0))
	arrived := media.Ticks(math.MinInt64) // samples of one track never overtake each other
	for i := int64(0); ; i++ {
		at := start + media.Ticks(i*1024*int64(media.TicksPerSecond)/int64(plan.rate))
		if at >= length {
			return
		}
		at = roundMillis(at)
		jitter := media.Ticks(random.Int64N(41)) * media.TicksPerMillisecond
		arrived = max(arrived, at+lag+jitter)
		plan.arrivals = append(plan.arrivals, arrival{
			at: arrived, written: written{Sample: media.Sample{Kind: media.Audio, PTS: at, DTS: at, Key: true}},
		})
	}
}

// dropSoundBeforeAnnounced leaves out sound that no track was announced for.
func (p *epochPlan) dropSoundBeforeAnnounced() {
	from := media.Ticks(math.MaxInt64)
	for _, a := range p.arrivals {
		if a.newTracks != nil {
			from = a.PTS
		}
	}
	seen := false
	p.arrivals = slices.DeleteFunc(p.arrivals, func(a arrival) bool {
		seen = seen || a.newTracks != nil
		return a.Kind == media.Audio && (!seen || a.PTS < from)
	})
}

func (p *epochPlan) tracks() (tracks []media.Track) {
	if p.video {
		tracks = append(tracks, videoTrack())
	}
	if p.audio && p.lateAudio == 0 {
		tracks = append(tracks, audioTrackOf(p.rate))
	}
	return tracks
}

// watcher checks the playlists of a stream after every call.
type watcher struct {
	t             *rapid.T
	s             *Stream
	mediaSequence int
	discontinuity map[int]int // of segments
	targets       map[string]bool
	segmentLines  map[int]string
	last          string
}

func (w *watcher) OnInit(playlist.Init, []byte)                         {}
func (w *watcher) OnPart(_ playlist.Segment, _ playlist.Part, _ []byte) { w.check() }
func (w *watcher) OnSegment(playlist.Segment)                           { w.check() }

func (w *watcher) check() {
	v := w.s.live.Load().version
	if !v.playable() {
		return
	}
	doc := v.playlistFor(playlist.CMAF, false)
	if string(doc.plain) == w.last {
		return
	}
	w.last = string(doc.plain)
	var m hlsplaylist.Media
	if err := m.Unmarshal(doc.plain); err != nil {
		w.t.Fatalf("%v\n%s", err, doc.plain)
	}
	w.targets[fmt.Sprint(m.TargetDuration, m.PartInf.PartTarget)] = true
	if m.MediaSequence < w.mediaSequence || len(w.targets) > 1 {
		w.t.Fatalf("sequence %d after %d, targets %v", m.MediaSequence, w.mediaSequence, w.targets)
	}
	w.mediaSequence = m.MediaSequence
	var listed time.Duration
	discontinuity := *m.DiscontinuitySequence
	for i, seg := range m.Segments {
		if seg.Discontinuity {
			discontinuity++
		}
		msn := m.MediaSequence + i
		if before, ok := w.discontinuity[msn]; ok && before != discontinuity {
			w.t.Fatalf("segment %d: discontinuity sequence %d became %d", msn, before, discontinuity)
		}
		line := fmt.Sprint(seg.URI, seg.Duration, seg.DateTime)
		if before, ok := w.segmentLines[msn]; ok && before != line {
			w.t.Fatalf("segment %d: %s became %s", msn, before, line)
		}
		w.discontinuity[msn], w.segmentLines[msn] = discontinuity, line
		if int(math.Round(seg.Duration.Seconds())) > m.TargetDuration {
			w.t.Fatalf("segment %d lasts %v, TARGETDURATION %d", msn, seg.Duration, m.TargetDuration)
		}
		listed += seg.Duration
	}
	if m.MediaSequence > 0 && listed < 3*time.Duration(m.TargetDuration)*time.Second-time.Millisecond {
		w.t.Fatalf("only %v listed", listed)
	}
}

func TestPackagerProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCollector(t)
		stream := NewStream(Config{}, Resume{}, nil, nil, nil)
		watch := &watcher{t: t, s: stream, discontinuity: map[int]int{}, targets: map[string]bool{}, segmentLines: map[int]string{}}
		p := NewPackager(Config{}, Resume{}, sinks{c, stream, watch}, nil, nil)
		var number uint32
		var want []written
		var epochs media.Epochs
		for i := range rapid.IntRange(1, 3).Draw(t, "epochs") {
			plan := drawEpoch(t, i, &number)
			epoch := media.Epoch{ShowTime: p.Position(), Wall: wallStart.Add(p.Position().Duration() + time.Duration(i)*7*time.Second).Round(time.Millisecond)}
			epochs = append(epochs, epoch)
			want = append(want, plan.publish(t, p, epoch)...)
			if end := p.EndEpoch(); end != p.Position() {
				t.Fatal(end, p.Position())
			}
		}
		checkSegments(t, c, p, epochs)
		checkSamples(t, c, want)
	})
}

// publish writes the epoch and returns the samples that must be found.
func (p *epochPlan) publish(t *rapid.T, to *Packager, epoch media.Epoch) (want []written) {
	to.StartEpoch(epoch)
	if err := to.SetTracks(p.tracks()); err != nil {
		t.Fatal(err)
	}
	started := false
	for _, a := range p.arrivals {
		if a.newTracks != nil {
			if err := to.SetTracks(a.newTracks); err != nil {
				t.Fatal(err)
			}
		}
		a.PTS += epoch.ShowTime
		a.DTS += epoch.ShowTime
		if err := to.Write(a.Sample); err != nil {
			t.Fatal(err)
		}
		started = started || a.Kind == media.Video || !p.video
		if started && a.PTS >= epoch.ShowTime {
			want = append(want, a.written)
		}
	}
	return want
}

// checkSegments holds the rules for parts and segments against what came out.
func checkSegments(t *rapid.T, c *collector, p *Packager, epochs media.Epochs) {
	var at media.Ticks
	target := media.FromDuration(500 * time.Millisecond)
	for i, seg := range c.segments {
		if seg.MSN != int64(i) || seg.Start != at {
			t.Fatalf("segment %d is number %d and starts at %d, want %d", i, seg.MSN, seg.Start, at)
		}
		at = seg.End()
		if !seg.Wall.Equal(epochs.WallAt(seg.Start).Round(time.Millisecond)) {
			t.Fatalf("segment %d: %v", i, seg.Wall)
		}
		if seg.TargetDuration != c.segments[0].TargetDuration || int((seg.Duration+media.TicksPerSecond/2)/media.TicksPerSecond) > seg.TargetDuration {
			t.Fatalf("segment %d: %d ticks, TARGETDURATION %d", i, seg.Duration, seg.TargetDuration)
		}
		if i > 0 {
			before := c.segments[i-1]
			if seg.Discontinuity != (seg.Init != before.Init) || seg.Init < before.Init || seg.Init > before.Init+1 {
				t.Fatalf("segment %d: init %d after %d, discontinuity %v", i, seg.Init, before.Init, seg.Discontinuity)
			}
		} else if seg.Discontinuity || seg.Init != 1 {
			t.Fatalf("%+v", seg)
		}
		var sum media.Ticks
		for j, part := range seg.Parts {
			sum += part.Duration
			last := j == len(seg.Parts)-1
			if part.Duration > target || part.Duration <= 0 || !last && part.Duration*100 < target*85 {
				t.Fatalf("segment %d part %d: %d ticks", i, j, part.Duration)
			}
			if part.Last && !last {
				t.Fatalf("segment %d part %d is not the last", i, j)
			}
		}
		if sum != seg.Duration {
			t.Fatalf("segment %d: %d ticks, its parts %d", i, seg.Duration, sum)
		}
	}
	if at != p.Position() {
		t.Fatalf("segments last %d, show time is %d", at, p.Position())
	}
}

// checkSamples looks for every sample written, where and when it belongs.
func checkSamples(t *rapid.T, c *collector, want []written) {
	found := map[uint32]packaged{}
	var ends [3]int64
	var inits [3]int
	numbers := [3]uint32{}
	for _, s := range c.samples() {
		seg := c.segments[s.msn]
		if inits[s.track] == seg.Init && s.dts != ends[s.track] {
			t.Fatalf("track %d in segment %d: decodes at %d, the one before ends at %d", s.track, s.msn, s.dts, ends[s.track])
		}
		first := inits[s.track] != seg.Init || len(found) == 0
		ends[s.track], inits[s.track] = s.dts+s.duration, seg.Init
		if s.duration <= 0 {
			t.Fatalf("sample %d lasts %d", s.number, s.duration)
		}
		if s.track == videoTrackID && first && (!s.key || s.dts != int64(seg.Start) || s.pts != s.dts) {
			t.Fatalf("segment %d starts at %d with %+v", s.msn, seg.Start, s)
		}
		if s.number == 0 {
			continue
		}
		if _, twice := found[s.number]; twice || s.number < numbers[s.track] {
			t.Fatalf("sample %d after %d, twice %v", s.number, numbers[s.track], twice)
		}
		found[s.number], numbers[s.track] = s, s.number
	}
	for _, w := range want {
		s, ok := found[w.number]
		if !ok {
			t.Fatalf("sample is missing: %+v", w)
		}
		checkTimes(t, c, w, s)
		delete(found, w.number)
	}
	for n, s := range found {
		t.Fatalf("sample %d is too much: %+v", n, s)
	}
}

func checkTimes(t *rapid.T, c *collector, w written, s packaged) {
	seg := c.segments[s.msn]
	if w.Kind == media.Video {
		if s.pts != int64(w.PTS) || s.key != w.Key || s.track != videoTrackID || media.Ticks(s.dts) < seg.Start || media.Ticks(s.dts) >= seg.End() {
			t.Fatalf("wrote %+v, found %+v in segment %+v", w, s, seg)
		}
		if s.key && s.dts != s.pts {
			t.Fatalf("IDR decodes at %d, is presented at %d", s.dts, s.pts)
		}
		return
	}
	rate := c.rates[seg.Init]
	pts := media.Rescale(media.Ticks(s.pts), int64(media.TicksPerSecond), rate)
	if diff := pts - w.PTS; diff > audioTolerance || diff < -audioTolerance {
		t.Fatalf("wrote sound at %d, found at %d", w.PTS, pts)
	}
	if pts < seg.Start-5 || pts > seg.End() {
		t.Fatalf("sound at %d in segment %d to %d", pts, seg.Start, seg.End())
	}
}
