package preview

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
)

// The names of what is made.
const (
	storyboardName = "storyboard.json"
	waveformName   = "waveform.dat"
	loudnessName   = "loudness.json"
)

// sheetName is the name of sheet n, from 1.
func sheetName(n int) string { return fmt.Sprintf("storyboard-%d.jpg", n) }

// Storyboard is storyboard.json: small pictures of a show on sheets, in show time. A tile is shown from its time until
// that of the next one; the first one also before its time.
type Storyboard struct {
	Show     string  `json:"show"`
	Complete bool    `json:"complete"` // nothing will be added
	Covered  int64   `json:"covered_ms"`
	Tile     size    `json:"tile"`
	Columns  int     `json:"columns"`
	Rows     int     `json:"rows"`
	Sheets   []Sheet `json:"sheets"`

	// Next is the segment to go on with.
	Next int64 `json:"next_segment"`
}

// Sheet is one picture of tiles, in rows from left to right.
type Sheet struct {
	URL   string  `json:"url"` // relative; another one whenever the sheet grows
	Tiles []int64 `json:"tiles_ms"`
}

// board makes the storyboard of one show. It belongs to the goroutine of Service.Run.
type board struct {
	doc  Storyboard
	due  media.Ticks // of the next tile
	open *sheet      // the last sheet while it has room
}

// loadBoard continues what was kept. The tiles of a sheet that has room are made again: its JPEG would lose by being
// read and written.
func loadBoard(show string, kept []byte) *board {
	b := &board{}
	if json.Unmarshal(kept, &b.doc) != nil || b.doc.Show != show || b.doc.Next < 0 || b.doc.Covered < 0 || !b.doc.Tile.sane() {
		b.doc = Storyboard{}
	}
	b.doc.Show, b.doc.Columns, b.doc.Rows = show, columns, rows
	return b
}

// resume finds where to go on in segments.
func (b *board) resume(segments []playlist.Segment) {
	n := len(b.doc.Sheets)
	if n == 0 || b.open != nil || b.doc.Complete {
		return
	}
	last := b.doc.Sheets[n-1].Tiles
	if len(last) >= perSheet || len(last) == 0 {
		b.after(last)
		return
	}
	b.doc.Sheets = b.doc.Sheets[:n-1]
	from := media.FromMilliseconds(last[0])
	b.due = from - slack
	for i := range segments {
		if segments[i].Start >= b.due {
			b.doc.Next = segments[i].MSN
			return
		}
	}
}

func (b *board) after(tiles []int64) {
	if n := len(tiles); n > 0 {
		at := media.FromMilliseconds(tiles[n-1])
		b.due = at + interval(at) - slack
	}
}

// add makes the tiles of segments, which follow on those before, and keeps what changed by keep.
func (s *Service) addTiles(ctx context.Context, src source, b *board, segments []playlist.Segment, keep func(name string, data []byte) error) error {
	video := map[int]bool{}
	for _, in := range src.Inits() {
		if in.Width <= 0 {
			continue
		}
		video[in.Number] = true
		if b.doc.Tile == (size{}) {
			b.doc.Tile = fit(in.Width, in.Height)
		}
	}
	all := shots(segments, video, b.due)
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].init == all[0].init && n < perSheet {
			n++
		}
		taken, tiles, err := s.take(ctx, src, all[:n], b.doc.Tile)
		if err != nil {
			return err
		}
		if err := b.place(taken, tiles, keep); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// place puts tiles onto sheets and keeps the sheets that changed.
func (b *board) place(taken []shot, tiles [][]byte, keep func(string, []byte) error) error {
	for i := range taken {
		if b.open == nil {
			b.open = newSheet(b.doc.Tile)
			b.doc.Sheets = append(b.doc.Sheets, Sheet{})
		}
		n := len(b.doc.Sheets)
		at := &b.doc.Sheets[n-1]
		b.open.put(len(at.Tiles), tiles[i])
		at.Tiles = append(at.Tiles, taken[i].at.Milliseconds())
		at.URL = sheetName(n)
		b.after(at.Tiles)
		if len(at.Tiles) < perSheet && i+1 < len(taken) {
			continue
		}
		if len(at.Tiles) < perSheet {
			at.URL = fmt.Sprintf("%s?tiles=%d", sheetName(n), len(at.Tiles))
		}
		data, err := b.open.jpeg()
		if err != nil {
			return err
		}
		if err := keep(sheetName(n), data); err != nil {
			return err
		}
		if len(at.Tiles) == perSheet {
			b.open = nil
		}
	}
	return nil
}

// save keeps the document, after the sheets that it names.
func (b *board) save(keep func(string, []byte) error) error {
	if b.doc.Sheets == nil {
		b.doc.Sheets = []Sheet{}
	}
	data, err := json.Marshal(b.doc)
	if err != nil {
		return errs.Wrap("preview.save", err)
	}
	return keep(storyboardName, data)
}
