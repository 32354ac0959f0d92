package ts

import (
	"testing"

	"github.com/vitrine-live/vitrine/media"
)

// Whatever the boxes say, Remux answers with whole packets or an error, within memory in proportion to its input.
func FuzzRemux(f *testing.F) {
	both := makeInit(f, true, true, testSPS, testPPS, testAAC)
	good, err := New(both, 6000)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(both, makePart(f, fakeVideo(0, 4, 60, 6000), fakeAudio(0, 3, 20), 6000, testRate), int64(6000))
	f.Add(makeInit(f, true, false, testSPS, testPPS, testAAC),
		makePart(f, fakeVideo(wrap33, 2, 200, 0), nil, 0, testRate), int64(0))
	f.Add(makeInit(f, false, true, nil, nil, testAAC), makePart(f, nil, fakeAudio(7, 9, 10), 0, testRate), int64(-1))
	f.Fuzz(func(t *testing.T, init, segment []byte, reorder int64) {
		check := func(out []byte, err error) {
			if err == nil && (len(out)%packetSize != 0 || len(out) < 3*packetSize) {
				t.Errorf("%d bytes", len(out))
			}
			if limit := 16*len(segment) + 2<<20; cap(out) > limit {
				t.Errorf("%d bytes made of %d", cap(out), len(segment))
			}
		}
		check(Remux(init, segment, media.Ticks(reorder)))
		check(good.Remux(segment))
	})
}
