package replay

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

// Every line is JSON for other programs, survives the round trip, and is refused with any of its bits changed.
func TestLines(t *testing.T) {
	in := playlist.Init{Number: 3, Codecs: "avc1.64001f,\"\\mp4a", Width: 1280, Height: 720, Reorder: 6000, FrameRate: 29.97}
	seg := playlist.Segment{
		MSN: 12, Start: 2_160_000, Duration: 180_180, Wall: begun, Init: 3, Discontinuity: true, Independent: true, Size: 1 << 33,
	}
	gap := seg
	gap.Gap, gap.Size, gap.Wall = true, 0, time.Time{}
	part := playlist.Part{Index: 2, Duration: 45_000, Independent: true, Offset: 99, Size: 17}
	for name, c := range map[string]struct {
		line []byte
		want entry
	}{
		"meta":   {appendMeta("show_x"), entry{Type: entryMeta, Version: 1, Show: "show_x"}},
		"target": {appendTarget(2, testPart), entry{Type: entryTarget, TargetDuration: 2, PartTarget: testPart}},
		"epoch": {
			appendEpoch(media.Epoch{ShowTime: 7, Wall: begun}), entry{Type: entryEpoch, Start: 7, Wall: begun.UnixMilli()},
		},
		"init": {appendInit(&in, []byte("abc")), entry{
			Type: entryInit, Init: 3, Codecs: in.Codecs, Width: 1280, Height: 720, Reorder: 6000, FPS: 29.97, Size: 3,
			CRC: checksum([]byte("abc")),
		}},
		"part": {appendPart(nil, &seg, &part, 0xFFFFFFFF), entry{
			Type: entryPart, MSN: 12, Start: 2_160_000, Wall: begun.UnixMilli(), Init: 3, Discontinuity: true, Independent: true,
			Part: 2, Duration: 45_000, PartIndependent: true, Offset: 99, Size: 17, CRC: 0xFFFFFFFF,
		}},
		"segment": {appendSegment(&seg, 11), entry{
			Type: entrySegment, MSN: 12, Start: 2_160_000, Duration: 180_180, Wall: begun.UnixMilli(), Init: 3, Discontinuity: true,
			Independent: true, Size: 1 << 33, Durable: 11,
		}},
		"gap": {appendSegment(&gap, 11), entry{
			Type: entryGap, MSN: 12, Start: 2_160_000, Duration: 180_180, Init: 3, Discontinuity: true, Independent: true, Durable: 11,
		}},
		"end": {appendEnd(13), entry{Type: entryEnd, Durable: 13}},
	} {
		t.Run(name, func(t *testing.T) {
			b, ok := bytes.CutSuffix(c.line, []byte("\n"))
			if !ok || !json.Valid(b) || !checkLine(b) || isPart(b) != (name == "part") {
				t.Fatalf("%q", c.line)
			}
			got, err := parseLine(b)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for i := range b {
				for bit := range 8 {
					bad := bytes.Clone(b)
					bad[i] ^= 1 << bit
					// The checksum reads hexadecimal digits of either case.
					if checkLine(bad) && !bytes.EqualFold(bad, b) {
						t.Fatalf("taken: %q", bad)
					}
				}
			}
		})
	}
	if s := seg; !s.Wall.Equal(fromUnixMilli(unixMilli(s.Wall))) || !fromUnixMilli(unixMilli(time.Time{})).IsZero() {
		t.Error("wall instants do not survive")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, b := range []string{
		``, `{`, `{}`, `{"`, `{"a`, `{"a"}`, `{"a":}`, `{"a":1`, `{"a":1,}`, `{"a":1}}`, `{"msn":x}`, `{"msn":1.5}`, `{"fps":"}`, `{"type":3}`,
		`{"type":"a`, `{"type":"\`, `["a"]`, `{"a":"b" }`,
	} {
		if e, err := parseLine([]byte(b)); err == nil {
			t.Errorf("%q is taken for %+v", b, e)
		}
	}
	if e, err := parseLine([]byte(`{"type":"end","new":-3,"other":"x\"y","more":true}`)); err != nil || e.Type != entryEnd {
		t.Errorf("unknown members: %+v %v", e, err)
	}
}
