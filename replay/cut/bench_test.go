package cut_test

import (
	"path/filepath"
	"testing"

	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/cut"
)

// BenchmarkCopy makes clips of a minute, and one of nearly the whole show.
func BenchmarkCopy(b *testing.B) {
	s := ten(b)
	for name, span := range map[string]media.Span{
		"1m": {From: 100*second + 3600*3, To: 160*second + 3600*3}, "10m": {From: second, To: s.rec.Duration() - second},
	} {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "clip.mp4")
			b.ReportAllocs()
			for b.Loop() {
				r, err := cut.Copy(b.Context(), s.rec, span, path, cut.Meta{}, nil)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(r.Bytes)
			}
		})
	}
}

// BenchmarkExact makes clips of a minute that begin and end within groups of pictures.
func BenchmarkExact(b *testing.B) {
	s := ten(b)
	span := media.Span{From: 100*second + 3600*3, To: 160*second + 3600*3}
	path := filepath.Join(b.TempDir(), "clip.mp4")
	for b.Loop() {
		if _, err := cut.Exact(b.Context(), s.rec, span, path, cut.Meta{}, cut.Encoder{}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
