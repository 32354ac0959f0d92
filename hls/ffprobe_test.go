package hls

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

// recording is what a real encoder made, in publisher time as RTMP would carry it: whole milliseconds.
type recording struct {
	tracks  []media.Track
	samples []media.Sample // by decode time
	init    []byte         // the encoder's own initialization segment
}

// encode lets ffmpeg make moving pictures with B-frames and sound.
func encode(t *testing.T, args ...string) *recording {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed")
	}
	file := filepath.Join(t.TempDir(), "in.mp4")
	all := append([]string{"-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30", "-f", "lavfi", "-i", "sine=sample_rate=44100"}, args...)
	all = append(all, "-pix_fmt", "yuv420p", "-movflags", "frag_keyframe+empty_moov+default_base_moof", file)
	if out, err := exec.CommandContext(t.Context(), "ffmpeg", all...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var init fmp4.Init
	if err := init.Unmarshal(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	var parts fmp4.Parts
	if i := bytes.Index(data, []byte("mfra")); i > 0 {
		data = data[:i-4]
	}
	if err := parts.Unmarshal(data); err != nil {
		t.Fatal(err)
	}
	r := &recording{init: data[:bytes.Index(data, []byte("moof"))-4]}
	scale := map[int]int64{}
	kinds := map[int]media.Kind{}
	for _, tr := range init.Tracks {
		scale[tr.ID] = int64(tr.TimeScale)
		switch c := tr.Codec.(type) {
		case *codecs.H264:
			r.tracks = append(r.tracks, media.Track{Codec: media.H264, SPS: c.SPS, PPS: c.PPS})
			kinds[tr.ID] = media.Video
		case *codecs.H265:
			r.tracks = append(r.tracks, media.Track{Codec: media.HEVC, VPS: c.VPS, SPS: c.SPS, PPS: c.PPS})
			kinds[tr.ID] = media.Video
		case *codecs.AV1:
			r.tracks = append(r.tracks, media.Track{Codec: media.AV1, SequenceHeader: c.SequenceHeader})
			kinds[tr.ID] = media.Video
		case *codecs.MPEG4Audio:
			r.tracks = append(r.tracks, media.Track{Codec: media.AAC, Audio: &c.Config})
			kinds[tr.ID] = media.Audio
		}
	}
	for _, p := range parts {
		for _, tr := range p.Tracks {
			at := int64(tr.BaseTime)
			for i, s := range tr.Samples {
				millis := func(v int64) media.Ticks {
					return roundMillis(media.Rescale(media.Ticks(v), int64(media.TicksPerSecond), scale[tr.ID]))
				}
				r.samples = append(r.samples, media.Sample{
					Kind: kinds[tr.ID], Key: i == 0 || kinds[tr.ID] == media.Audio, // a fragment begins with each keyframe
					DTS: millis(at), PTS: millis(at + int64(s.PTSOffset)), Payload: s.Payload,
				})
				at += int64(s.Duration)
			}
		}
	}
	slices.SortStableFunc(r.samples, func(a, b media.Sample) int { return cmp.Compare(a.DTS, b.DTS) })
	return r
}

// play writes the recording as one epoch whose first picture is presented at the packager's position.
func (r *recording) play(t *testing.T, p *Packager) {
	t.Helper()
	r.write(t, p, func(media.Sample) {})
}

// write is play that tells of each sample.
func (r *recording) write(t *testing.T, p *Packager, then func(media.Sample)) {
	t.Helper()
	origin := p.Position()
	p.StartEpoch(media.Epoch{ShowTime: origin, Wall: wallStart.Add(origin.Duration())})
	if err := p.SetTracks(r.tracks); err != nil {
		t.Fatal(err)
	}
	first := slices.IndexFunc(r.samples, func(s media.Sample) bool { return s.Kind == media.Video })
	if first < 0 {
		first = 0
	}
	shift := origin - r.samples[first].PTS
	for _, s := range r.samples {
		s.PTS += shift
		s.DTS += shift
		if err := p.Write(s); err != nil {
			t.Fatal(err)
		}
		then(s)
	}
}

// packet is what ffprobe says of one.
type packet struct {
	Kind  string `json:"codec_type"`
	PTS   string `json:"pts_time"`
	Flags string `json:"flags"`
	Size  string `json:"size"`
}

func (p packet) ticks(t *testing.T) media.Ticks {
	v, err := strconv.ParseFloat(p.PTS, 64)
	if err != nil {
		t.Fatal(err)
	}
	return media.Ticks(v*float64(media.TicksPerSecond) + 0.5)
}

// probe asks ffprobe for the packets of a file, by kind, and lets ffmpeg decode it.
func probe(t *testing.T, data []byte, ext string) map[string][]packet {
	t.Helper()
	file := filepath.Join(t.TempDir(), "out."+ext)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-show_packets", "-of", "json", file).Output()
	if err != nil {
		t.Fatalf("ffprobe: %v", err)
	}
	var found struct{ Packets []packet }
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "warning", "-xerror", "-i", file, "-f", "null", "-").CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("ffmpeg decodes with %v:\n%s", err, out)
	}
	kinds := map[string][]packet{}
	for _, p := range found.Packets {
		kinds[p.Kind] = append(kinds[p.Kind], p)
	}
	return kinds
}

// presented are the presentation times of the pictures, from the first.
func presented(times []media.Ticks) []media.Ticks {
	times = slices.Clone(times)
	slices.Sort(times)
	first := times[0]
	for i := range times {
		times[i] -= first
	}
	return times
}

func TestFFprobeFindsEverything(t *testing.T) {
	if testing.Short() {
		t.Skip("keeps real time")
	}
	for _, ca := range []struct {
		name string
		args []string
	}{
		{"b-frames", []string{"-t", "9", "-c:v", "libx264", "-preset", "veryfast", "-g", "60", "-bf", "2", "-c:a", "aac"}},
		{"zerolatency", []string{"-t", "5", "-c:v", "libx264", "-tune", "zerolatency", "-g", "30", "-c:a", "aac"}},
		{"long gop", []string{"-t", "13", "-c:v", "libx264", "-preset", "veryfast", "-g", "300", "-sc_threshold", "0", "-bf", "3", "-c:a", "aac"}},
		{"ntsc", []string{"-t", "7", "-r", "30000/1001", "-c:v", "libx264", "-preset", "veryfast", "-g", "60", "-sc_threshold", "0", "-bf", "2", "-c:a", "aac", "-ar", "48000"}},
		{"hevc", []string{"-t", "6", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=60:open-gop=0:bframes=2:log-level=error", "-tag:v", "hvc1", "-c:a", "aac"}},
		{"av1", []string{"-t", "5", "-c:v", "libsvtav1", "-preset", "12", "-g", "60", "-c:a", "aac"}},
		{"silent film", []string{"-t", "5", "-an", "-c:v", "libx264", "-preset", "veryfast", "-g", "60"}},
		{"radio", []string{"-t", "7", "-vn", "-c:a", "aac"}},
	} {
		t.Run(ca.name, func(t *testing.T) {
			r := encode(t, ca.args...)
			c := newCollector(t)
			p := NewPackager(Config{}, Resume{}, c, nil, nil)
			r.play(t, p)
			p.EndEpoch()
			file := slices.Clone(c.initData[1])
			for _, s := range c.segments {
				file = append(file, c.bytes[s.MSN]...)
			}
			if len(c.inits) != 1 {
				t.Fatalf("%d inits", len(c.inits))
			}
			r.compare(t, probe(t, file, "mp4"), true)
			for _, s := range c.segments[1:] {
				if ca.name == "ntsc" && (s.Duration < 2*media.TicksPerSecond || s.TargetDuration != 2) && s.MSN < 3 {
					t.Errorf("29.97 pictures a second with an IDR every 60: %+v", s)
				}
			}
		})
	}
}

// compare looks for every picture and all sound. A player skips sound before the first picture, and so does the packager.
func (r *recording) compare(t *testing.T, found map[string][]packet, exact bool) {
	t.Helper()
	var want []media.Ticks
	var sizes []int
	sounds := 0
	for _, s := range r.samples {
		if s.Kind == media.Video {
			want, sizes = append(want, s.PTS), append(sizes, len(s.Payload))
		} else {
			sounds++
		}
	}
	var got []media.Ticks
	for i, p := range found["video"] {
		got = append(got, p.ticks(t))
		if exact && p.Size != fmt.Sprint(sizes[i]) {
			t.Fatalf("picture %d has %s bytes, was written with %d", i, p.Size, sizes[i])
		}
	}
	if len(want) != len(got) {
		t.Fatalf("%d pictures, wrote %d", len(got), len(want))
	}
	if len(want) > 0 {
		want, got = presented(want), presented(got)
		for i := range want {
			if d := want[i] - got[i]; d < -1 || d > 1 {
				t.Fatalf("picture %d is presented at %d, want %d", i, got[i], want[i])
			}
		}
	}
	if n := len(found["audio"]); n < sounds-4 || n > sounds {
		t.Errorf("%d packets of sound, wrote %d", n, sounds)
	}
}

// The MPEG-TS view of a show holds the same pictures, and each segment can be decoded on its own.
func TestFFprobeMPEGTS(t *testing.T) {
	r := encode(t, "-t", "7", "-c:v", "libx264", "-preset", "veryfast", "-g", "60", "-bf", "2", "-c:a", "aac")
	f := &folder{collector: newCollector(t), until: 1}
	s := NewStream(Config{}, Resume{}, f, nil, nil)
	p := NewPackager(Config{}, Resume{}, sinks{s, f.collector}, nil, nil)
	r.play(t, p)
	p.EndEpoch()
	s.End()
	var file []byte
	for msn := range int64(len(f.segments)) {
		w := httptest.NewRecorder()
		s.Serve(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil), "ts/"+playlist.SegmentName(msn, playlist.TS))
		if w.Code != 200 || w.Header().Get("Content-Type") != typeTS {
			t.Fatalf("segment %d: %d", msn, w.Code)
		}
		if n := len(probe(t, w.Body.Bytes(), "ts")["video"]); n == 0 {
			t.Errorf("segment %d has no pictures", msn)
		}
		file = append(file, w.Body.Bytes()...)
	}
	r.compare(t, probe(t, file, "ts"), false)
}

// A rendition that a real encoder made of a film with B-frames can be decoded from end to end, and each of its segments
// on its own, as CMAF and as MPEG-TS; its pictures are presented when the source's are.
func TestFFprobeRendition(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	source := encode(t, "-t", "7", "-c:v", "libx264", "-preset", "veryfast", "-g", "60", "-sc_threshold", "0", "-bf", "2", "-c:a", "aac")
	made := encode(t, "-t", "7", "-an", "-c:v", "libx264", "-preset", "veryfast", "-g", "60", "-sc_threshold", "0", "-bf", "0", "-s", "160x90")
	stream := NewStream(Config{}, Resume{}, nil, nil, nil)
	g := NewGroup(stream, nil, nil)
	f, err := g.Add(Rendition{Name: "90p", Bandwidth: 1})
	if err != nil {
		t.Fatal(err)
	}
	p := NewPackager(Config{}, Resume{}, stream, nil, nil)
	p.Follow(f)
	f.SetTrack(made.tracks[0])
	made.presentAs(source)
	next := 0
	source.write(t, p, func(s media.Sample) {
		if s.Kind == media.Video {
			f.Write(made.samples[next])
			next++
		}
	})
	p.EndEpoch()
	g.End()

	get := func(name string) []byte {
		w := httptest.NewRecorder()
		g.Serve(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil), name)
		if w.Code != 200 {
			t.Fatalf("%s: %d %s", name, w.Code, w.Body)
		}
		return w.Body.Bytes()
	}
	init := get("90p/init-1.mp4")
	film, filmTS := slices.Clone(init), []byte(nil)
	for msn := range int64(4) {
		media := get("90p/" + playlist.SegmentName(msn, playlist.CMAF))
		mpegTS := get("90p/ts/" + playlist.SegmentName(msn, playlist.TS))
		if n := len(probe(t, slices.Concat(init, media), "mp4")["video"]); n < 30 || len(probe(t, mpegTS, "ts")["video"]) != n {
			t.Errorf("segment %d has %d pictures", msn, n)
		}
		film, filmTS = append(film, media...), append(filmTS, mpegTS...)
	}
	sounds := slices.DeleteFunc(slices.Clone(source.samples), func(s media.Sample) bool { return s.Kind == media.Video })
	made.samples = append(made.samples, sounds...)
	made.compare(t, probe(t, film, "mp4"), true)
	made.compare(t, probe(t, filmTS, "ts"), false)
}

// presentAs gives the pictures the times of another recording's, from 0 at the first.
func (r *recording) presentAs(o *recording) {
	var times []media.Ticks
	for _, s := range o.samples {
		if s.Kind == media.Video {
			times = append(times, s.PTS)
		}
	}
	times = presented(times)
	for i := range r.samples {
		r.samples[i].PTS, r.samples[i].DTS = times[i], times[i]
	}
}
