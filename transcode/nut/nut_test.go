package nut

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var video = Stream{Class: Video, Tag: TagH264, Num: 1, Den: 90_000, Extra: []byte("parameters"), Width: 1280, Height: 720, Delay: 2}

func write(t testing.TB, s Stream, frames ...Frame) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func read(r io.Reader) (streams []Stream, frames []Frame, err error) {
	d, err := NewReader(r)
	if err != nil {
		return nil, nil, err
	}
	for {
		f, err := d.Next()
		if errors.Is(err, io.EOF) {
			return d.Streams(), frames, nil
		}
		if err != nil {
			return d.Streams(), frames, err
		}
		frames = append(frames, f)
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Stream{
			Class: Video, Tag: TagHEVC, Num: 1, Den: rapid.Uint32Range(1, 1<<31).Draw(t, "den"),
			Extra: rapid.SliceOfN(rapid.Byte(), 0, 5000).Draw(t, "extra"), Width: rapid.IntRange(0, 1<<16).Draw(t, "width"), Height: 2,
		}
		if rapid.Bool().Draw(t, "audio") {
			s = Stream{Class: Audio, Tag: TagAAC, Num: 1, Den: 48_000, Extra: []byte{0x11, 0x90}, SampleRate: 48_000, Channels: 2}
		}
		frames := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Frame {
			return Frame{
				PTS: rapid.Int64Range(0, 1<<50).Draw(t, "pts"), Key: rapid.Bool().Draw(t, "key"),
				Data: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "data"),
			}
		})).Draw(t, "frames")
		var b bytes.Buffer
		w, _ := NewWriter(&b, s)
		for _, f := range frames {
			if err := w.Write(f); err != nil {
				t.Fatal(err)
			}
		}
		streams, got, err := read(&b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]Stream{s}, streams, cmp.Comparer(bytes.Equal)); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(frames, got, cmp.Comparer(bytes.Equal)); len(frames) > 0 && diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestWriterRefuses(t *testing.T) {
	w, _ := NewWriter(io.Discard, video)
	if w.Write(Frame{PTS: -1}) == nil {
		t.Error("a negative time was written")
	}
	if w.Write(Frame{Data: make([]byte, MaxFrame+1)}) == nil {
		t.Error("a frame beyond the limit was written")
	}
}

func TestReaderRefuses(t *testing.T) {
	whole := write(t, video, Frame{PTS: 9, Key: true, Data: []byte("picture")}, Frame{PTS: 10, Data: []byte("next")})
	if _, frames, err := read(bytes.NewReader(whole)); err != nil || len(frames) != 2 {
		t.Fatal(err, frames)
	}
	cut := 0
	for n := range whole {
		_, frames, err := read(bytes.NewReader(whole[:n]))
		if err == nil { // after the headers, the syncpoint, the first frame
			cut++
			continue
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) || len(frames) > 1 {
			t.Fatalf("%d of %d bytes: %v, %d frames", n, len(whole), err, len(frames))
		}
	}
	if cut != 3 {
		t.Errorf("%d beginnings pass for whole streams, want 3", cut)
	}
	damaged := bytes.Clone(whole)
	damaged[len(magic)+12]++
	if _, _, err := read(bytes.NewReader(damaged)); !errors.Is(err, ErrFormat) {
		t.Errorf("a damaged header: %v", err)
	}
	if _, _, err := read(bytes.NewReader(bytes.Repeat([]byte("RIFF"), 20))); !errors.Is(err, ErrFormat) {
		t.Errorf("another format: %v", err)
	}
}

// What ffmpeg copies from NUT to NUT comes back as it was, in both of its ways to write it.
func TestFFmpegCopies(t *testing.T) {
	s := Stream{Class: Video, Tag: TagVP8, Num: 1, Den: 90_000, Width: 320, Height: 180}
	var want []Frame
	for i := range 200 {
		data := bytes.Repeat([]byte{byte(i)}, 10+i*i) // long ones exceed what a syncpoint may be apart
		want = append(want, Frame{PTS: int64(900_000 + i*3003 + i%3), Key: i%50 == 0, Data: data})
	}
	for name, args := range map[string][]string{
		"syncpoints": nil, "pipe": {"-strict", "experimental", "-syncpoints", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"-v", "error", "-copyts", "-probesize", "32", "-f", "nut", "-i", "pipe:0", "-c", "copy"}, args...)
			cmd := exec.Command("ffmpeg", append(args, "-f", "nut", "pipe:1")...)
			cmd.Stdin = bytes.NewReader(write(t, s, want...))
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil || stderr.Len() > 0 {
				t.Fatal(err, stderr.String())
			}
			streams, got, err := read(bytes.NewReader(out))
			if err != nil || len(streams) != 1 {
				t.Fatal(err, streams)
			}
			for i := range got {
				got[i].PTS = got[i].PTS * int64(streams[0].Num) * 90_000 / int64(streams[0].Den)
			}
			if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzReader(f *testing.F) {
	f.Add(write(f, video, Frame{PTS: 9, Key: true, Data: []byte("picture")}))
	f.Add(write(f, Stream{Class: Audio, Tag: TagOpus, Num: 1, Den: 48_000, SampleRate: 48_000, Channels: 2}, Frame{Data: []byte{1}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, frames, err := read(bytes.NewReader(b))
		total := 0
		for _, fr := range frames {
			total += len(fr.Data)
		}
		if total > len(b)+len(frames)*longPacket {
			t.Errorf("%d bytes made %d bytes of frames (%v)", len(b), total, err)
		}
	})
}
