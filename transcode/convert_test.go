package transcode

import (
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/media"
)

// Browsers' pictures become H264 at the same ticks, with parameters told before the first of them.
func TestPictureKeepsEveryTick(t *testing.T) {
	f := readFilm(t, "-f lavfi -i testsrc2=s=322x182:r=30:d=4 -c:v libvpx -deadline realtime -cpu-used 8 -g 45")
	p := convert(t, f)
	if len(p.tracks) != 1 || len(p.tracks[0]) != 1 {
		t.Fatalf("tracks %+v", p.tracks)
	}
	checkRendition(t, f, Rendition{Name: "H264", Width: 322, Height: 182}, p.tracks[0], withoutExtraKeys(f, p.of(media.Video)))
}

// withoutExtraKeys forgets key pictures beside the source's, which the encoder puts where those are far apart.
func withoutExtraKeys(f film, samples []media.Sample) []media.Sample {
	samples = slices.Clone(samples)
	for i := range samples {
		samples[i].Key = samples[i].Key && i < len(f.samples) && f.samples[i].Key
	}
	return samples
}

// A phone that turns in mid-show has new parameters from that picture on.
func TestPictureOfAnotherSize(t *testing.T) {
	across := readFilm(t, "-f lavfi -i testsrc2=s=320x180:r=30:d=1 -c:v libvpx -deadline realtime -cpu-used 8")
	upright := readFilm(t, "-f lavfi -i testsrc2=s=180x320:r=30:d=1 -c:v libvpx -deadline realtime -cpu-used 8")
	p := newPublished()
	c := newTranscoder(t, Config{}).Convert(p)
	sound := media.Track{Codec: media.AAC}
	_ = c.SetTracks([]media.Track{across.track, sound})
	for _, s := range across.samples {
		_ = c.Write(s)
	}
	_ = c.SetTracks([]media.Track{upright.track, sound})
	for _, s := range upright.samples {
		s.PTS += media.TicksPerSecond
		_ = c.Write(s)
	}
	c.Close(media.ConnectionLost)
	if len(p.tracks) != 2 || len(p.samples) != 60 || p.closed[0] != media.ConnectionLost {
		t.Fatalf("tracks told %d times, %d pictures, closed %v", len(p.tracks), len(p.samples), p.closed)
	}
	for i, want := range [][2]int{{320, 180}, {180, 320}} {
		got, _ := SourceOf(p.tracks[i][0], 0)
		if got.Width != want[0] || got.Height != want[1] || p.tracks[i][1].Codec != media.AAC {
			t.Errorf("%d: %+v", i, got)
		}
	}
	if !p.samples[30].Key {
		t.Error("the first picture of the new size is no key picture")
	}
}

// What needs no conversion passes at once and as it is, beside what does.
func TestWhatFitsPassesUntouched(t *testing.T) {
	p := newPublished()
	c := newTranscoder(t, Config{}).Convert(p)
	tracks := []media.Track{{Codec: media.H264, SPS: []byte{1}}, {Codec: media.Opus, Channels: 2}}
	if err := c.SetTracks(tracks); err != nil {
		t.Fatal(err)
	}
	if got := p.tracks[0]; got[0].Codec != media.H264 || got[1].Codec != media.AAC || tracks[1].Codec != media.Opus {
		t.Errorf("tracks %+v of %+v", got, tracks)
	}
	s := media.Sample{Kind: media.Video, PTS: 5, DTS: 3, Key: true, Payload: []byte{1, 2, 3}, Arrival: time.Now(), Rebased: true}
	if err := c.Write(s); err != nil {
		t.Fatal(err)
	}
	got := p.samples[0]
	if &got.Payload[0] != &s.Payload[0] || got.PTS != 5 || got.DTS != 3 || !got.Rebased || !got.Arrival.Equal(s.Arrival) {
		t.Errorf("%+v came out of %+v", got, s)
	}
	if err := c.WriteData(7, nil); err != nil || p.data[0] != 7 {
		t.Error("a message was lost")
	}
	p.fail = errors.New("over")
	if c.Write(s) == nil || c.Err() == nil || c.Done() != (<-chan struct{})(p.done) {
		t.Error("the end of the publish is not told")
	}
	c.Close(media.Unpublished)
}

// Sound goes on after its process was killed, at the right time, and carries arrivals and clock changes along.
func TestSoundComesBack(t *testing.T) {
	f := clicks(t, "12", "2")
	f.samples[100].Rebased = true
	p := newPublished()
	tr := newTranscoder(t, Config{})
	tr.pause = time.Millisecond
	c := tr.Convert(p).(*converter)
	if err := c.SetTracks([]media.Track{f.track}); err != nil {
		t.Fatal(err)
	}
	killed := false
	for _, s := range f.samples {
		_ = c.Write(s)
		at := s.PTS - filmStart
		if at == 6*media.TicksPerSecond {
			p.wait(media.Audio, s.PTS-media.TicksPerSecond/2)
			_ = syscall.Kill(c.sound.worker.current.Load().process.cmd.Process.Pid, syscall.SIGKILL)
			for c.sound.worker.status().Restarts == 0 {
				time.Sleep(time.Millisecond) // until the worker has seen it
			}
			killed = true
		}
		if killed && c.sound.worker.status().State != LadderOn {
			time.Sleep(20 * time.Millisecond) // as a publisher, who sends one each 20 ms
		} else if at > media.TicksPerSecond {
			p.wait(media.Audio, s.PTS-media.TicksPerSecond)
		}
	}
	c.Close(media.Unpublished)
	samples := p.of(media.Audio)
	rebased, gaps := 0, 0
	for i, s := range samples {
		if late := s.Arrival.Sub(time.Unix(1_700_000_000, 0).Add(s.PTS.Duration())); late.Abs() > 50*time.Millisecond {
			t.Fatalf("frame %d: it arrived %v late", i, late)
		}
		if s.Rebased {
			rebased++
		}
		if i > 0 && s.PTS != samples[i-1].PTS+1920 {
			gaps++
		}
	}
	if end := filmStart + 12*media.TicksPerSecond; rebased != 1 || gaps != 1 || samples[len(samples)-1].PTS < end-media.TicksPerSecond/4 {
		t.Errorf("%d clock changes, %d gaps, the end at %d of %d", rebased, gaps, samples[len(samples)-1].PTS, end)
	}
}

// A leap of the clock begins afresh instead of filling hours with silence.
func TestSoundLeaps(t *testing.T) {
	f := clicks(t, "4", "1")
	for i := range f.samples {
		if i >= 100 {
			f.samples[i].PTS += 3600 * media.TicksPerSecond
		}
	}
	samples := convert(t, f).of(media.Audio)
	if len(samples) < 180 || len(samples) > 200 {
		t.Errorf("%d frames of 4 s", len(samples))
	}
	for _, s := range samples[1:] {
		if at := s.PTS - filmStart; at > 2*media.TicksPerSecond+3000 && at < 3601*media.TicksPerSecond {
			t.Fatalf("a frame at %v", at.Duration())
		}
	}
}
