package transcode

import (
	"sync"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/transcode/nut"
)

const (
	opusRate = 48_000
	// opusLookahead is how much later than its timestamp the sound of an Opus packet of a browser was recorded: libopus
	// looks 6.5 ms ahead (312 samples; RFC 7845, 4.2 calls it pre-skip), which RTP timestamps do not count.
	opusLookahead = 312 * media.TicksPerSecond / opusRate
	// leapAfter is the longest gap in sound that is filled with silence; after one of more, or a step back, the sound
	// is converted afresh.
	leapAfter = media.TicksPerSecond
	// maxMarks bounds what is remembered of samples under way: ten seconds of sound in 10 ms packets. The oldest is
	// forgotten first.
	maxMarks = 1000
)

// soundTrack is what Opus of so many channels becomes.
func soundTrack(channels int) media.Track {
	return media.Track{Codec: media.AAC, Audio: &mpeg4audio.AudioSpecificConfig{
		Type: mpeg4audio.ObjectTypeAACLC, SampleRate: opusRate, ChannelConfig: uint8(channels), ChannelCount: channels, //nolint:staticcheck // older readers look at the old field
	}}
}

// soundJob makes AAC of Opus. Where the timestamps leave the count of samples, by the drift of two clocks, the sound is
// stretched by inaudibly little; where packets are missing, silence takes their place.
func soundJob(track media.Track) job {
	head := []byte("OpusHead\x01\x02\x00\x00\x80\xBB\x00\x00\x00\x00\x00") // version, channels, pre-skip, 48000, gain, mapping
	head[9] = byte(track.Channels)
	return job{
		name: "sound", kind: media.Audio, codec: media.Opus, outputs: 1,
		stream: nut.Stream{Class: nut.Audio, Tag: nut.TagOpus, Num: 1, Den: opusRate, Extra: head, SampleRate: opusRate, Channels: track.Channels},
		make: func(string) []string {
			bitrate := "128k"
			if track.Channels == 1 {
				bitrate = "80k"
			}
			return []string{
				"-map", "0:a:0", "-af", "aresample=48000:async=1000:min_hard_comp=0.015", "-c:a", "aac", "-aac_coder", "fast", "-b:a", bitrate,
				"-f", "nut", "-flush_packets", "1", "pipe:3",
			}
		},
	}
}

// conversion converts one track of a publisher.
type conversion struct {
	worker  *worker
	owner   *converter
	release func()
	track   media.Track
	newest  media.Ticks // of what went in, once something has
	begun   bool

	mu    sync.Mutex
	marks []mark

	out    h264Output // the worker's
	last   media.Ticks
	handed bool
}

// mark is what is remembered of a sample under way, for the one that comes of it.
type mark struct {
	at     media.Ticks
	sample media.Sample // without its payload
}

func (c *converter) convertSound(track *media.Track) *conversion {
	if track == nil {
		return nil
	}
	t := *track
	t.Channels = min(max(t.Channels, 1), 2)
	return c.start(t, soundJob(t), soundCost)
}

func (c *converter) convertPicture(track *media.Track) *conversion {
	if track == nil {
		return nil
	}
	source, err := SourceOf(*track, 0)
	if err != nil { // its size comes with a key picture
		return nil
	}
	j := pictureJob(*track)
	return c.start(*track, j, c.transcoder.budget.cost(source, []Rendition{{Width: source.Width, Height: source.Height}}))
}

// start converts a track. It cannot be refused: without it there is no show.
func (c *converter) start(track media.Track, j job, cost float64) *conversion {
	v := &conversion{owner: c, track: track}
	v.release, _ = c.transcoder.budget.spend(cost, true)
	v.worker = c.transcoder.startWorker(j, v, c.transcoder.log)
	return v
}

// of reports whether the conversion is that of track; nil is the conversion of nothing.
func (v *conversion) of(track *media.Track) bool {
	if v == nil || track == nil {
		return v == nil && track == nil
	}
	return v.track.SameParameters(track)
}

func (v *conversion) close() {
	if v != nil {
		v.worker.close(drainConverter)
		v.release()
	}
}

// leaps reports whether s is too far from the sample before it to go on.
func (v *conversion) leaps(s media.Sample) bool {
	return v.begun && (s.PTS <= v.newest || s.PTS-v.newest > leapAfter)
}

func (v *conversion) write(s media.Sample) {
	v.newest, v.begun = s.PTS, true
	at := s.PTS
	if v.track.Codec == media.Opus {
		at -= opusLookahead
	}
	v.mu.Lock()
	if len(v.marks) == maxMarks {
		v.marks = append(v.marks[:0], v.marks[1:]...)
	}
	m := mark{at, s}
	m.sample.Payload = nil
	v.marks = append(v.marks, m)
	v.mu.Unlock()
	s.PTS = at
	v.worker.write(s)
}

// marked returns the newest of the samples that went in for the one that comes out at t, with Rebased if any of those
// since the last call was. What an encoder puts before its first sample came with that. ok is false when there is none.
func (v *conversion) marked(t media.Ticks) (s media.Sample, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := 0
	for rebased := false; n < len(v.marks) && v.marks[n].at <= t; n++ {
		rebased = rebased || v.marks[n].sample.Rebased
		s, ok = v.marks[n].sample, true
		s.Rebased = rebased
	}
	if n == 0 && len(v.marks) > 0 {
		s, ok = v.marks[0].sample, true
		s.Rebased = false
	}
	v.marks = v.marks[n:]
	return s, ok
}

func (v *conversion) begin(_ int, extra []byte) {
	if v.track.Kind() == media.Video {
		if track := v.out.begin(extra); track != nil {
			v.owner.setMade(track)
		}
	}
}

func (v *conversion) frame(_ int, s media.Sample) {
	if v.track.Kind() == media.Video {
		unit, track, ok := v.out.unit(s)
		if !ok {
			return
		}
		if track != nil {
			v.owner.setMade(track)
		}
		s = unit
	} else {
		s.Key = true
	}
	if v.handed && s.PTS <= v.last {
		return // a new process begins with sound before its first
	}
	if m, ok := v.marked(s.PTS); ok {
		s.Arrival, s.Rebased = m.Arrival, m.Rebased
	}
	v.last, v.handed = s.PTS, true
	v.owner.deliver(s)
}

func (v *conversion) down(string) {}
func (v *conversion) drained()    {}
