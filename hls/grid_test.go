package hls

import (
	"testing"

	"github.com/vitrine-live/vitrine/media"
)

// Pictures of 30 a second on a clock of milliseconds fill parts of 500 ms exactly: a segment of 2 s has four parts, not
// four and a remainder, which would be a fifth more requests for every viewer.
func TestPartsFillTheirTarget(t *testing.T) {
	c := newCollector(t)
	p := NewPackager(Config{}, Resume{}, c, nil, nil)
	p.StartEpoch(media.Epoch{})
	if err := p.SetTracks([]media.Track{videoTrack()}); err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		at := media.FromMilliseconds((int64(i)*1000 + 15) / 30)
		s := media.Sample{Kind: media.Video, PTS: at, DTS: at, Key: i%60 == 0, Payload: payload(uint32(i+1), 100)}
		if err := p.Write(s); err != nil {
			t.Fatal(err)
		}
	}
	p.EndEpoch()
	for _, s := range c.segments {
		if len(s.Parts) != 4 {
			t.Errorf("segment %d has %d parts: %+v", s.MSN, len(s.Parts), s.Parts)
		}
	}
}

// An epoch ends at a whole millisecond, whatever the sound's frames come to.
func TestEpochsEndAtWholeMilliseconds(t *testing.T) {
	r := newRig(t, videoTrack(), audioTrackOf(44_100))
	r.run(0, 3210, true, true)
	if end := r.EndEpoch(); end%media.TicksPerMillisecond != 0 {
		t.Errorf("the epoch ends at %d ticks", end)
	}
}
