package hls

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

// discard is a Sink that keeps nothing.
type discard struct{}

func (discard) OnInit(playlist.Init, []byte)                   {}
func (discard) OnPart(playlist.Segment, playlist.Part, []byte) {}
func (discard) OnSegment(playlist.Segment)                     {}

// tape is two seconds of 720p30 at 2.6 Mbit/s with 128 kbit/s of sound, to be written over and over.
func tape() (samples []media.Sample) {
	audio := int64(0)
	for i := range 60 {
		at := media.Ticks(i) * 3000
		size := 8_800
		if i == 0 {
			size = 100_000
		}
		samples = append(samples, media.Sample{Kind: media.Video, PTS: at, DTS: at, Key: i == 0, Payload: payload(1, size)})
		for ; media.Ticks(audio*1920) < at+3000; audio++ {
			pts := media.Ticks(audio * 1920)
			samples = append(samples, media.Sample{Kind: media.Audio, PTS: pts, DTS: pts, Key: true, Payload: payload(2, 340)})
		}
	}
	return samples
}

// BenchmarkPackager is one 720p30 stream of 2.6 Mbit/s with sound: an operation is one sample.
func BenchmarkPackager(b *testing.B) {
	for _, ca := range []struct {
		name string
		sink func() Sink
	}{
		{"alone", func() Sink { return discard{} }},
		{"with stream", func() Sink { return NewStream(Config{}, Resume{}, nil, nil, nil) }},
	} {
		b.Run(ca.name, func(b *testing.B) {
			samples := tape()
			p := NewPackager(Config{}, Resume{}, ca.sink(), nil, nil)
			p.StartEpoch(media.Epoch{Wall: wallStart})
			if err := p.SetTracks([]media.Track{videoTrack(), audioTrackOf(48_000)}); err != nil {
				b.Fatal(err)
			}
			var size int64
			b.ReportAllocs()
			i, origin := 0, media.Ticks(0)
			for b.Loop() {
				s := samples[i]
				s.PTS += origin
				s.DTS += origin
				if err := p.Write(s); err != nil {
					b.Fatal(err)
				}
				size += int64(len(s.Payload))
				if i++; i == len(samples) {
					i, origin = 0, origin+2*media.TicksPerSecond
				}
			}
			b.SetBytes(size / int64(b.N))
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)*77/1e9*100, "%core/stream")
		})
	}
}

// BenchmarkFollower is what renditions of 1 Mbit/s add to the packaging of a 720p30 stream: an operation is one picture of
// the source and of each rendition.
func BenchmarkFollower(b *testing.B) {
	for _, renditions := range []int{0, 1, 3} {
		b.Run(fmt.Sprint(renditions), func(b *testing.B) {
			p := NewPackager(Config{}, Resume{}, discard{}, nil, nil)
			followers := make([]*Follower, renditions)
			for i := range followers {
				followers[i] = NewFollower(discard{}, nil, nil)
				followers[i].SetTrack(otherVideoTrack())
			}
			p.Follow(followers...)
			p.StartEpoch(media.Epoch{Wall: wallStart})
			if err := p.SetTracks([]media.Track{videoTrack(), audioTrackOf(48_000)}); err != nil {
				b.Fatal(err)
			}
			samples, small := tape(), payload(3, 4_200)
			b.ReportAllocs()
			i, origin := 0, media.Ticks(0)
			for b.Loop() {
				for picture := false; !picture; {
					s := samples[i]
					s.PTS, s.DTS = s.PTS+origin, s.DTS+origin
					if err := p.Write(s); err != nil {
						b.Fatal(err)
					}
					if picture = s.Kind == media.Video; picture {
						s.Payload = small
						for _, f := range followers {
							f.Write(s)
						}
					}
					if i++; i == len(samples) {
						i, origin = 0, origin+2*media.TicksPerSecond
					}
				}
			}
		})
	}
}

// BenchmarkPlaylistRender renders and compresses the playlist of a new version.
func BenchmarkPlaylistRender(b *testing.B) {
	st := newStudio(b, Config{}, Resume{}, nil)
	st.parts(50)
	for _, delta := range []bool{false, true} {
		b.Run(map[bool]string{false: "full", true: "delta"}[delta], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				st.s.mu.Lock()
				v := st.s.render()
				st.s.mu.Unlock()
				v.playlistFor(playlist.CMAF, delta)
			}
		})
	}
}

// BenchmarkServe publishes a part and waits until all viewers have the playlist that names it: an operation is one
// blocking reload of one viewer over a connection of its own.
func BenchmarkServe(b *testing.B) {
	for _, viewers := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(viewers), func(b *testing.B) {
			st := newStudio(b, Config{}, Resume{}, nil)
			st.src.size, st.src.audSize = 10, 10
			st.parts(8)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				st.s.Serve(w, r, r.URL.Path[1:])
			}))
			defer server.Close()
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: viewers, DisableCompression: true}}
			defer client.CloseIdleConnections()
			b.ReportAllocs()
			published := 8
			for b.Loop() {
				query := fmt.Sprintf("/main.m3u8?_HLS_msn=%d&_HLS_part=%d&_HLS_skip=YES", published/4, published%4)
				var all sync.WaitGroup
				for range viewers {
					all.Go(func() { reload(b, client, server.URL+query) })
				}
				for st.s.waiting.Load() < int64(viewers) && !b.Failed() {
					runtime.Gosched()
				}
				st.parts(1)
				published++
				all.Wait()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(viewers), "ns/viewer")
		})
	}
}

func reload(b *testing.B, client *http.Client, url string) {
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	if err != nil {
		b.Error(err)
		return
	}
	r.Header.Set("Accept-Encoding", "gzip")
	resp, err := client.Do(r)
	if err != nil {
		b.Error(err)
		return
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		b.Error(resp.Status, err)
	}
}

// nowhere is a ResponseWriter that takes everything.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header       { return n.header }
func (nowhere) WriteHeader(int)             {}
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkHandler is the part of an answer that is ours, without the connection.
func BenchmarkHandler(b *testing.B) {
	st := newStudio(b, Config{}, Resume{}, nil)
	st.parts(50)
	for _, name := range []string{"main.m3u8", "main.m3u8?_HLS_msn=12&_HLS_part=1&_HLS_skip=YES", "12.1.m4s", "11.m4s"} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/"+name, nil)
			r.Header.Set("Accept-Encoding", "gzip")
			b.ReportAllocs()
			for b.Loop() {
				st.s.Serve(nowhere{http.Header{}}, r, r.URL.Path[1:])
			}
		})
	}
}
