package hls

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"testing"

	hlsplaylist "github.com/bluenviron/gohlslib/v2/pkg/playlist"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// Parameters of pictures of 320 x 180: x265 with and without the high tier and temporal layers, SVT-AV1 in two colours.
var (
	hevcMain = media.Track{
		Codec: media.HEVC,
		VPS:   unhex("40010c01ffff01600000030090000003000003003c959009"),
		SPS:   unhex("42010101600000030090000003000003003ca00a080c1f3e595912930bc05a020000030002000003003c10"),
		PPS:   unhex("4401c073c189"),
	}
	hevcLayers = media.Track{
		Codec: media.HEVC,
		VPS:   unhex("40010c02ffff21600000030090000003000003009900009594aca048"),
		SPS:   unhex("4201022160000003009000000300000300990000a00a080c1f3e59594aca94985e02d010000003001000000301e080"),
		PPS:   unhex("4401c073c189"),
	}
	av1Main  = media.Track{Codec: media.AV1, SequenceHeader: unhex("08000000043cfecc02f80040")}
	av1Wider = media.Track{Codec: media.AV1, SequenceHeader: unhex("08000000043cfecc02f81091009040")}
)

// The decoder configurations are those that ffmpeg's muxer writes for the same pictures, but for an array of SEI.
func TestInitOfCodecs(t *testing.T) {
	for _, ca := range []struct {
		name      string
		track     media.Track
		codecs    string
		fps       float64
		box, want string
	}{
		{
			"HEVC", hevcMain, "hvc1.1.6.L60.90", 30, "hvcC",
			"0101600000009000000000003cf000fcfdf8f800000f03" +
				"a00001001840010c01ffff01600000030090000003000003003c959009" +
				"a10001002b42010101600000030090000003000003003ca00a080c1f3e595912930bc05a020000030002000003003c10" +
				"a2000100064401c073c189",
		},
		{
			"HEVC, high tier, two layers", hevcLayers, "hvc1.1.6.H153.90", 30, "hvcC",
			"01216000000090000000000099f000fcfdf8f800001303" +
				"a00001001c40010c02ffff21600000030090000003000003009900009594aca048" +
				"a10001002f4201022160000003009000000300000300990000a00a080c1f3e59594aca94985e02d010000003001000000301e080" +
				"a2000100064401c073c189",
		},
		{"AV1", av1Main, "av01.0.00M.08", 0, "av1C", "81000c000a0b000000043cfecc02f80040"},
		{"AV1, BT.2020 and PQ", av1Wider, "av01.0.00M.08.0.110.09.16.09.0", 0, "av1C", "81000c000a0e000000043cfecc02f81091009040"},
	} {
		t.Run(ca.name, func(t *testing.T) {
			set, err := newTrackSet([]media.Track{ca.track, audioTrackOf(48_000)})
			if err != nil {
				t.Fatal(err)
			}
			in := set.info
			if in.Codecs != ca.codecs+",mp4a.40.2" || in.Width != 320 || in.Height != 180 || in.FrameRate != ca.fps || in.HasTS() {
				t.Errorf("%+v", in)
			}
			if got := hex.EncodeToString(boxOf(t, set.data, ca.box)); got != ca.want {
				t.Errorf("%s\n got %s\nwant %s", ca.box, got, ca.want)
			}
		})
	}
}

// boxOf returns the content of the first box of the name.
func boxOf(t *testing.T, data []byte, name string) []byte {
	t.Helper()
	at := bytes.Index(data, []byte(name))
	if at < 4 {
		t.Fatalf("no %s", name)
	}
	return data[at+4 : at-4+int(binary.BigEndian.Uint32(data[at-4:]))]
}

func TestTracksThatCannotBe(t *testing.T) {
	p := NewPackager(Config{}, Resume{}, discard{}, nil, nil)
	p.StartEpoch(media.Epoch{Wall: wallStart})
	without := hevcMain
	without.VPS = nil
	short := hevcMain
	short.SPS = short.SPS[:12]
	for name, tracks := range map[string][]media.Track{
		"none": {}, "two pictures": {videoTrack(), hevcMain}, "VP8": {{Codec: media.VP8, Width: 320, Height: 180}}, "Opus": {{Codec: media.Opus, Channels: 2}},
		"no VPS": {without}, "short SPS": {short}, "no sequence header": {{Codec: media.AV1}}, "short sequence header": {{Codec: media.AV1, SequenceHeader: av1Main.SequenceHeader[:5]}},
	} {
		if err := p.SetTracks(tracks); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// hvc1 keeps parameter sets in the sample entry alone.
func TestWithoutParameterSets(t *testing.T) {
	unit := func(kind byte, size int) []byte {
		b := make([]byte, 4+max(size, 2))
		binary.BigEndian.PutUint32(b, uint32(len(b)-4))
		b[4], b[5] = kind<<1, 1
		return b
	}
	idr, sei, sets := unit(19, 30), unit(39, 9), slices.Concat(unit(32, 20), unit(33, 40), unit(34, 7))
	for name, ca := range map[string]struct{ in, want []byte }{
		"none":         {slices.Concat(sei, idr), slices.Concat(sei, idr)},
		"before":       {slices.Concat(sets, sei, idr), slices.Concat(sei, idr)},
		"behind SEI":   {slices.Concat(sei, sets, idr, idr), slices.Concat(sei, idr, idr)},
		"nothing else": {sets, sets},
		"cut short":    {slices.Concat(sets, idr[:20]), idr[:20]},
		"empty":        {nil, nil},
	} {
		if got := withoutParameterSets(ca.in); !bytes.Equal(got, ca.want) {
			t.Errorf("%s: %x, want %x", name, got, ca.want)
		}
	}
}

func FuzzTracks(f *testing.F) {
	for _, t := range []media.Track{hevcMain, hevcLayers} {
		f.Add(uint8(t.Codec), t.VPS, t.SPS, t.PPS)
	}
	for _, t := range []media.Track{av1Main, av1Wider} {
		f.Add(uint8(t.Codec), []byte(nil), t.SequenceHeader, []byte(nil))
	}
	f.Add(uint8(media.H264), []byte(nil), sps720, pps)
	f.Fuzz(func(t *testing.T, codec uint8, vps, sps, pps []byte) {
		track := media.Track{Codec: media.Codec(codec), VPS: vps, SPS: sps, PPS: pps, SequenceHeader: sps}
		set, err := newTrackSet([]media.Track{track})
		if err == nil && (set.info.Width <= 0 || set.info.Codecs == "" || len(set.data) == 0) {
			t.Errorf("%+v", set.info)
		}
		withoutParameterSets(sps)
	})
}

// The MPEG-TS view shows H264 alone, and says so.
func TestHEVCWithoutTS(t *testing.T) {
	e := newEnsemble(t, 20)
	if err := e.p.SetTracks([]media.Track{hevcMain, audioTrackOf(48_000)}); err != nil {
		t.Fatal(err)
	}
	e.until(7 * media.TicksPerSecond)
	if body := e.body("index.m3u8"); !strings.Contains(body, `CODECS="hvc1.1.6.L60.90,mp4a.40.2",RESOLUTION=320x180,FRAME-RATE=30.000`) {
		t.Errorf("\n%s", body)
	}
	for _, name := range []string{"ts/index.m3u8", "ts/main.m3u8", "ts/main.m3u8?_HLS_msn=1", "ts/0.ts"} {
		if w := e.get(name); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "quality ladder") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	e.add("720p")
	e.encoders["720p"].restart = true
	e.until(20 * media.TicksPerSecond)
	var m hlsplaylist.Multivariant
	if err := m.Unmarshal([]byte(e.body("ts/index.m3u8"))); err != nil || len(m.Variants) != 1 || m.Variants[0].URI != "../720p/ts/main.m3u8" {
		t.Errorf("%v %+v", err, m.Variants)
	}
	e.body("720p/ts/main.m3u8")
	e.body("720p/ts/5.ts")
}

// Where the codec changed in mid-show, MPEG-TS has a gap.
func TestTSAfterHEVC(t *testing.T) {
	e := newEnsemble(t, 12)
	if err := e.p.SetTracks([]media.Track{hevcMain, audioTrackOf(48_000)}); err != nil {
		t.Fatal(err)
	}
	e.until(4 * media.TicksPerSecond)
	if err := e.p.SetTracks([]media.Track{videoTrack(), audioTrackOf(48_000)}); err != nil {
		t.Fatal(err)
	}
	e.until(12 * media.TicksPerSecond)
	body := e.body("ts/main.m3u8")
	if strings.Count(body, "#EXT-X-GAP") != 2 || strings.Index(body, "#EXT-X-DISCONTINUITY\n") < strings.LastIndex(body, "#EXT-X-GAP") {
		t.Errorf("\n%s", body)
	}
	if w := e.get("ts/1.ts"); w.Code != http.StatusNotFound {
		t.Errorf("HEVC as MPEG-TS: %d", w.Code)
	}
	e.body("ts/2.ts")
	if body := e.body("main.m3u8"); strings.Contains(body, "#EXT-X-GAP") || strings.Count(body, "#EXT-X-MAP") != 2 {
		t.Errorf("\n%s", body)
	}
}
