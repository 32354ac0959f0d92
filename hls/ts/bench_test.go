package ts

import "testing"

// BenchmarkRemux remuxes a segment of 2 s, 720p30 at 2.6 Mbit/s with sound at 128 kbit/s, in four parts.
func BenchmarkRemux(b *testing.B) {
	v, a := fakeVideo(0, 60, 10_830, 6000), fakeAudio(0, 92, 341)
	var seg []byte
	for i := range 4 {
		seg = append(seg, makePart(b, v[15*i:15*i+15], a[23*i:23*i+23], 6000, testRate)...)
	}
	init := makeInit(b, true, true, testSPS, testPPS, testAAC)
	b.Run("parsed init", func(b *testing.B) {
		r, err := New(init, 6000)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(seg)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.Remux(seg); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("whole", func(b *testing.B) {
		b.SetBytes(int64(len(seg)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Remux(init, seg, 6000); err != nil {
				b.Fatal(err)
			}
		}
	})
}
