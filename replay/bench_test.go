package replay

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

// BenchmarkRecorder records one second of a 720p stream of 2.6 Mbit/s in two parts, with its share of segments, index
// and syncs; lines says what the same second costs without the file system.
func BenchmarkRecorder(b *testing.B) {
	data := make([]byte, 2_728_000/8/2) // with 128 kbit/s of sound
	second := func(r *Recorder, i int) {
		for half := range 2 {
			n := i*2 + half
			part := playlist.Part{
				Index: n % testParts, Duration: testPart, Independent: n%testParts == 0,
				Offset: int64(n%testParts) * int64(len(data)), Size: int64(len(data)),
			}
			seg := playlist.Segment{
				MSN: int64(n / testParts), Start: media.Ticks(n/testParts) * testSegment, Init: 1, Independent: true, TargetDuration: 2,
				Wall: begun.Add(time.Duration(n/testParts) * 2 * time.Second),
			}
			r.OnPart(seg, part, data)
			if part.Index == testParts-1 {
				seg.Duration, seg.Size = testSegment, testParts*int64(len(data))
				r.OnSegment(seg)
			}
		}
	}
	for _, streams := range []int{1, 50} {
		b.Run(fmt.Sprintf("%d streams", streams), func(b *testing.B) {
			a, err := Open(b.TempDir(), Config{Reserve: -1, Queue: 1 << 30}, nil, nil)
			if err != nil {
				b.Fatal(err)
			}
			var recorders []*Recorder
			for range streams {
				s := newShow()
				r := s.recorder(b, a)
				s.start(r, 0)
				recorders = append(recorders, r)
			}
			b.SetBytes(int64(2 * len(data)))
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				r := recorders[i%streams]
				second(r, i/streams)
				for bytes, _ := r.queue.lag(time.Now()); bytes > 4<<20; bytes, _ = r.queue.lag(time.Now()) {
					time.Sleep(time.Millisecond) // the disk is slower than this loop
				}
			}
			if err := a.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func BenchmarkPartLine(b *testing.B) {
	seg := playlist.Segment{MSN: 7123, Start: 1_282_140_000, Wall: begun, Init: 1, Independent: true}
	part := playlist.Part{Index: 3, Duration: 45_000, Offset: 511_500, Size: 170_500}
	buf := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		buf = appendPart(buf[:0], &seg, &part, 0xDEADBEEF)
	}
}

// long is a recording of four hours, two epochs and 60 pins.
func long() (*Recording, []playlist.DateRange) {
	rec := &Recording{show: "show_0123456789abcdef", target: 2}
	rec.addInit(playlist.Init{Number: 1, Codecs: "avc1.64001f,mp4a.40.2", Width: 1280, Height: 720})
	rec.addInit(playlist.Init{Number: 2, Codecs: "avc1.64001f,mp4a.40.2", Width: 1280, Height: 720})
	for i := range 7200 {
		init := 1 + i/3600
		rec.addSegment(playlist.Segment{
			MSN: int64(i), Start: media.Ticks(i) * testSegment, Duration: testSegment, Wall: begun.Add(time.Duration(i) * 2 * time.Second),
			Init: init, Discontinuity: i == 3600, Independent: true, Size: 650_000 + int64(i),
		})
	}
	rec.ended = true
	var ranges []playlist.DateRange
	for i := range 60 {
		at := begun.Add(time.Duration(i) * 4 * time.Minute)
		ranges = append(ranges, playlist.DateRange{
			ID: fmt.Sprintf("pin_%016d", i), Class: "vitrine.pin", Start: at, End: at.Add(time.Minute),
			Attrs: []playlist.Attr{{Name: "X-PRODUCT", Value: "prod_0123456789abcdef"}, {Name: "X-SHOW-TIME-MS", Value: "240000", Number: true}},
		})
	}
	return rec, ranges
}

// BenchmarkVOD renders and packs the playlist of four hours, which is done once.
func BenchmarkVOD(b *testing.B) {
	rec, ranges := long()
	v := rec.view()
	b.Run("render", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			b.SetBytes(int64(len(v.media(playlist.CMAF, ranges))))
		}
	})
	plain := v.media(playlist.CMAF, ranges)
	b.Run("pack", func(b *testing.B) {
		b.SetBytes(int64(len(plain)))
		for b.Loop() {
			newText(plain)
		}
	})
}

// BenchmarkServe serves a playlist of four hours that is in the cache, and a segment.
func BenchmarkServe(b *testing.B) {
	a, s := recorded(b, Config{}, 2)
	rec, err := a.Recording(s.id)
	if err != nil {
		b.Fatal(err)
	}
	full, _ := long()
	rec.segments = full.segments
	for _, name := range []string{"main.m3u8", "1.m4s"} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequestWithContext(b.Context(), "GET", "/", nil)
			r.Header.Set("Accept-Encoding", "gzip")
			b.ReportAllocs()
			for b.Loop() {
				a.Serve(httptest.NewRecorder(), r, s.id, name)
			}
		})
	}
}

// BenchmarkOpenRecording reads the index of a show of four hours.
func BenchmarkOpenRecording(b *testing.B) {
	full, _ := long()
	index := appendMeta(full.show)
	for i := range full.inits {
		index = append(index, appendInit(&full.inits[i], nil)...)
	}
	for i := range full.segments {
		s := &full.segments[i]
		for p := range testParts {
			index = appendPart(index, s, &playlist.Part{Index: p, Duration: testPart, Offset: int64(p) * 162_500, Size: 162_500}, 1<<31)
		}
		index = append(index, appendSegment(s, s.MSN+1)...)
	}
	index = append(index, appendEnd(7200)...)
	dir := b.TempDir()
	writeImage(b, dir, map[string][]byte{indexName: index})
	b.SetBytes(int64(len(index)))
	b.ReportAllocs()
	for b.Loop() {
		rec, err := OpenRecording(dir)
		if err != nil || len(rec.segments) != 7200 {
			b.Fatal(err)
		}
		_ = rec.Close()
	}
}
