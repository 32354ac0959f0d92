package hlspull

import (
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bluenviron/gohlslib/v2"
	"github.com/bluenviron/gohlslib/v2/pkg/codecs"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"github.com/vitrine-live/vitrine/hls"
	"github.com/vitrine-live/vitrine/media"
)

var (
	testSPS = unhex("6742c028d900780227e584000003000400000300f03c60c920") // baseline: pictures decode in the order of presentation
	testPPS = unhex("68ebe3cb22c0")
	testAAC = mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 48000, ChannelConfig: 2}
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// encoder calls picture and sound in the rhythm of an encoder that sends 30 pictures and 46.9 packets of sound a second,
// with an IDR every second, until its test ends or length has passed.
func encoder(t *testing.T, length time.Duration, picture func(n int, at media.Ticks, nal []byte, key bool), sound func(at media.Ticks, packet []byte)) (done chan struct{}) {
	done = make(chan struct{})
	start := time.Now()
	go func() {
		defer close(done)
		heard := 0
		for n := range int(length.Seconds() * 30) {
			at := media.Ticks(n) * 3000
			select {
			case <-time.After(time.Until(start.Add(at.Duration()))):
			case <-t.Context().Done():
				return
			}
			kind := byte(0x41)
			if n%30 == 0 {
				kind = 0x65
			}
			picture(n, at, []byte{kind, byte(n >> 8), byte(n), 0x80}, n%30 == 0)
			for ; media.Ticks(heard)*1920 <= at; heard++ {
				sound(media.Ticks(heard)*1920, []byte{0x21, byte(heard >> 8), byte(heard)})
			}
		}
	}()
	return done
}

// wantConsecutive wants pictures without a hole, with the latency from capture to arrival that is allowed.
func wantConsecutive(t *testing.T, p *published, start time.Time, least int, latency time.Duration) {
	t.Helper()
	pictures := p.of(media.Video)
	if len(pictures) < least {
		t.Fatalf("%d pictures, want %d", len(pictures), least)
	}
	number := func(s media.Sample) int { return int(s.Payload[5])<<8 | int(s.Payload[6]) }
	var worst time.Duration
	for i, s := range pictures {
		if want := number(pictures[0]) + i; number(s) != want {
			t.Fatalf("picture %d comes where %d belongs", number(s), want)
		}
		worst = max(worst, s.Arrival.Sub(start)-(media.Ticks(number(s))*3000).Duration())
	}
	if worst > latency {
		t.Errorf("pictures arrive up to %v after they were captured", worst)
	}
	t.Logf("%d pictures, first %d, latency %v", len(pictures), number(pictures[0]), worst)
	for i, s := range p.of(media.Audio) {
		if at := s.Payload; i > 0 && int(at[1])<<8|int(at[2]) != (int(p.of(media.Audio)[i-1].Payload[1])<<8|int(p.of(media.Audio)[i-1].Payload[2]))+1 {
			t.Fatalf("sound %d is missing", i)
		}
		if i > 300 {
			break
		}
	}
}

// The library's own muxer is an origin too, in each of its variants.
func TestFromMuxer(t *testing.T) {
	for name, c := range map[string]struct {
		variant gohlslib.MuxerVariant
		latency time.Duration
	}{
		"MPEG-TS": {gohlslib.MuxerVariantMPEGTS, 5 * time.Second},
		"fMP4":    {gohlslib.MuxerVariantFMP4, 5 * time.Second},
		"LL-HLS":  {gohlslib.MuxerVariantLowLatency, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				video := &gohlslib.Track{Codec: &codecs.H264{SPS: testSPS, PPS: testPPS}, ClockRate: 90000}
				audio := &gohlslib.Track{Codec: &codecs.MPEG4Audio{Config: testAAC}, ClockRate: 48000}
				m := &gohlslib.Muxer{Variant: c.variant, SegmentCount: 7, SegmentMinDuration: time.Second, PartMinDuration: 200 * time.Millisecond, Tracks: []*gohlslib.Track{video, audio}}
				if err := m.Start(); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(m.Close)
				start := time.Now()
				done := encoder(t, 30*time.Second, func(_ int, at media.Ticks, nal []byte, key bool) {
					unit := [][]byte{nal}
					if key {
						unit = [][]byte{testSPS, testPPS, nal}
					}
					if err := m.WriteH264(video, start.Add(at.Duration()), int64(at), unit); err != nil {
						t.Error(err)
					}
				}, func(at media.Ticks, packet []byte) {
					_ = m.WriteMPEG4Audio(audio, start.Add(at.Duration()), int64(at)*48/90, [][]byte{packet})
				})
				h := &house{}
				time.Sleep(5 * time.Second)
				pull(t, h, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					r.URL.Path = strings.Replace(r.URL.Path, "live.m3u8", "index.m3u8", 1)
					m.Handle(w, r)
				})), Config{})
				reach(start, 25*time.Second)
				wantConsecutive(t, h.only(t), start, 16*30, c.latency)
				<-done
			})
		})
	}
}

// Another Vitrine is the origin: low latency, part by part, over an interruption of its own anchor and to its end.
func TestFromVitrine(t *testing.T) {
	for name, path := range map[string]string{"LL-HLS": "main.m3u8", "MPEG-TS": "ts/main.m3u8"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { fromVitrine(t, path) })
		})
	}
}

func fromVitrine(t *testing.T, path string) {
	stream := hls.NewStream(hls.Config{}, hls.Resume{}, nil, nil, nil)
	packager := hls.NewPackager(hls.Config{}, hls.Resume{}, stream, nil, nil)
	start := time.Now()
	epoch := func(wall time.Time, length time.Duration) {
		at := packager.EndEpoch()
		packager.StartEpoch(media.Epoch{ShowTime: at, Wall: wall})
		if err := packager.SetTracks([]media.Track{{Codec: media.H264, SPS: testSPS, PPS: testPPS}, {Codec: media.AAC, Audio: &testAAC}}); err != nil {
			t.Error(err)
		}
		<-encoder(t, length, func(_ int, t media.Ticks, nal []byte, key bool) {
			payload := append([]byte{0, 0, 0, byte(len(nal))}, nal...)
			_ = packager.Write(media.Sample{Kind: media.Video, PTS: at + t, DTS: at + t, Key: key, Payload: payload})
		}, func(t media.Ticks, packet []byte) {
			_ = packager.Write(media.Sample{Kind: media.Audio, PTS: at + t, DTS: at + t, Key: true, Payload: packet})
		})
		packager.EndEpoch()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		epoch(start, 20*time.Second)
		time.Sleep(5 * time.Second)
		epoch(time.Now(), 10*time.Second)
		stream.End()
	}()
	h := &house{sources: map[string]string{"room_1": "http://origin/live/room_1/" + path}}
	reach(start, 6500*time.Millisecond)
	pull(t, h, serve(t, http.StripPrefix("/live/room_1/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stream.Serve(w, r, r.URL.Path)
	}))), Config{})
	reach(start, 19*time.Second)
	p := h.only(t)
	latency := 2200 * time.Millisecond
	if strings.HasPrefix(path, "ts/") {
		latency = 6 * time.Second
	}
	wantConsecutive(t, p, start, 11*30, latency)
	if got, ok := p.req.CapturedAt(start.Add(15 * time.Second)); path == "main.m3u8" {
		first := p.of(media.Video)[0]
		number := media.Ticks(first.Payload[5])<<8 | media.Ticks(first.Payload[6])
		if want := first.PTS + 15*media.TicksPerSecond - number*3000; !ok || got < want-200 || got > want+200 {
			t.Errorf("15 s into the show is publisher time %d, not %d", got, want)
		}
	}
	reach(start, 50*time.Second)
	<-done
	h.only(t).wantEnd(t, media.Unpublished)
	pictures := p.of(media.Video)
	if last := pictures[len(pictures)-1]; int(last.Payload[5])<<8|int(last.Payload[6]) != 299 {
		t.Errorf("the last picture is not the show's last: % x", last.Payload)
	}
	stream.Close()
}
