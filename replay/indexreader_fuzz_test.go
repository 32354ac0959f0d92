package replay

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/media"
)

// An index may come from a bucket that others write to: whatever it says, reading it ends, and offsets rise.
func FuzzIndexReader(f *testing.F) {
	seg := playlist.Segment{MSN: 3, Start: 90_000, Wall: begun, Init: 1, Size: 10, Duration: 90_000}
	part := playlist.Part{Duration: 90_000, Size: 10}
	lines := [][]byte{
		appendMeta("show_1"), appendEpoch(media.Epoch{Wall: begun}), appendInit(&playlist.Init{Number: 1}, []byte("init")),
		appendPart(nil, &seg, &part, 7), appendSegment(&seg, 1), newLine(nil, entryLost).int("msn", -1<<60).seal(0), appendEnd(2),
		newLine(nil, entryPart).int("msn", 1<<62).int("size", -5).int("off", -1).seal(0), newLine(nil, entrySegment).int("size", -9).seal(0),
	}
	f.Add(bytes.Join(lines, nil))
	f.Add(append(bytes.Repeat([]byte("x"), 3*maxLine), '\n'))
	f.Add([]byte("\n\n{\"type\":\"end\"}\n"))
	f.Fuzz(func(t *testing.T, index []byte) {
		x := NewIndexReader(bytes.NewReader(index))
		last := int64(0)
		for {
			e, err := x.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				return // of a newer version
			}
			if e.Next < last || e.Next > int64(len(index)) {
				t.Fatalf("offset %d behind %d of %d", e.Next, last, len(index))
			}
			last = e.Next
			if e.File != nil {
				_, _ = e.File.CRC()
				_ = e.File.Check(bytes.NewReader(index))
			}
			_ = e.Wall.Add(e.Duration.Duration() + time.Second)
		}
	})
}
