package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"
	"time"

	"github.com/vitrine-live/vitrine/hls/playlist"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/replay"
)

// pieceSize is how much of an index one object holds while the show is on air: the last one is stored again with every
// step, so it must be small beside the media.
const pieceSize = 64 << 10

const piecePrefix = "index-"

func pieceName(n int64) string { return fmt.Sprintf("%s%05d.jsonl", piecePrefix, n) }

func isPiece(name string) bool {
	return strings.HasPrefix(name, piecePrefix) && strings.HasSuffix(name, ".jsonl")
}

// othersInterval is how often files beside the media are looked for while a show is on air.
const othersInterval = 30 * time.Second

// uploadIndex stores the index as far as the media that it names is there: in pieces, or as a whole once the show is
// over.
func (s *show) uploadIndex(ctx context.Context) error {
	if s.ended && !s.onAir && len(s.pending) == 0 {
		return s.complete(ctx)
	}
	if s.upto <= s.state.Index {
		return nil
	}
	f, err := os.Open(s.m.path(s.id, replay.IndexName))
	if err != nil {
		return err
	}
	defer f.Close()
	for n := s.state.Index / pieceSize; n*pieceSize < s.upto; n++ {
		b := make([]byte, min(pieceSize, s.upto-n*pieceSize))
		if _, err := f.ReadAt(b, n*pieceSize); err != nil {
			return err
		}
		if err := s.uploadPiece(ctx, n, b); err != nil {
			return err
		}
		s.state.Index = n*pieceSize + int64(len(b))
	}
	s.m.known(s.id)
	return nil
}

func (s *show) uploadPiece(ctx context.Context, n int64, b []byte) error {
	content := bytes.NewReader(b)
	if have, ok := s.have[pieceName(n)]; ok && have.size == int64(len(b)) {
		delete(s.have, pieceName(n))
		if sum, err := md5Of(content); err != nil || sum == have.etag {
			return err
		}
	}
	return s.m.put(ctx, folder(s.id)+pieceName(n), content, int64(len(b)), crc32.Checksum(b, castagnoli))
}

// known notes that the bucket has the show.
func (m *Mirror) known(showID string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remote[showID] = true
}

// complete stores the whole index in place of its pieces, and remembers that nothing is left to do.
func (s *show) complete(ctx context.Context) error {
	st, err := os.Stat(s.m.path(s.id, replay.IndexName))
	if err != nil {
		return err
	}
	if s.state.Complete && s.state.Index == st.Size() {
		return s.remember()
	}
	var have *object
	if o, ok := s.have[replay.IndexName]; ok {
		have = &o
	}
	if err := s.m.upload(ctx, s.id, replay.IndexName, nil, have); err != nil {
		return err
	}
	if err := s.dropPieces(ctx); err != nil {
		return err
	}
	s.m.known(s.id)
	s.state.Complete, s.state.Index = true, st.Size()
	if !s.last.IsZero() {
		s.state.Ended = s.last
	}
	s.have = nil
	return s.remember()
}

// dropPieces deletes the pieces, which the whole index does not begin like.
func (s *show) dropPieces(ctx context.Context) error {
	return s.m.bucket.DeleteAll(ctx, folder(s.id)+piecePrefix)
}

func (s *show) remember() error {
	if err := s.m.states.save(s.id, &s.state); err != nil {
		return errs.As(errs.Internal, "mirror.remember", err, "what is in the bucket cannot be noted; check the disk")
	}
	return nil
}

// uploadOthers stores what stands in the folder beside the media: the poster, and whatever else is made of a show. more
// says that media waits, which goes first.
func (s *show) uploadOthers(ctx context.Context, more bool) error {
	now := s.m.now()
	if more || s.onAir && now.Sub(s.looked) < othersInterval {
		return nil
	}
	dir, err := os.Stat(s.m.path(s.id, ""))
	if err != nil {
		return ignoreMissing(err)
	}
	if !dir.ModTime().Equal(s.modified) {
		if err := s.uploadChanged(ctx); err != nil {
			return err
		}
	}
	s.modified, s.looked = dir.ModTime(), now
	return nil
}

func (s *show) uploadChanged(ctx context.Context) error {
	entries, err := os.ReadDir(s.m.path(s.id, ""))
	if err != nil {
		return ignoreMissing(err)
	}
	here := map[string]bool{}
	for _, e := range entries {
		if !isOther(e.Name()) || !e.Type().IsRegular() {
			continue
		}
		here[e.Name()] = true
		info, err := e.Info()
		if err != nil {
			continue // it went away
		}
		now := stamp{info.Size(), info.ModTime().UnixNano()}
		if s.state.Others[e.Name()] == now {
			continue
		}
		var have *object
		if o, ok := s.have[e.Name()]; ok {
			have = &o
		}
		if err := s.m.upload(ctx, s.id, e.Name(), nil, have); err != nil {
			if ignoreMissing(err) == nil {
				continue
			}
			return err
		}
		delete(s.have, e.Name()) // what is there is of now
		s.state.Others[e.Name()] = now
	}
	return s.dropCovers(ctx, here)
}

// dropCovers deletes covers from the bucket that were given up here.
func (s *show) dropCovers(ctx context.Context, here map[string]bool) error {
	var gone []string
	note := func(name string) {
		if replay.IsCover(name) && !here[name] {
			gone = append(gone, folder(s.id)+name)
		}
	}
	for name := range s.state.Others {
		note(name)
	}
	for name := range s.have {
		note(name)
	}
	if err := s.m.bucket.Delete(ctx, gone...); err != nil {
		return err
	}
	for _, name := range gone {
		name = strings.TrimPrefix(name, folder(s.id))
		delete(s.state.Others, name)
		delete(s.have, name)
	}
	return nil
}

// isOther reports whether a file is neither media, nor of the index, nor being written.
func isOther(name string) bool {
	_, named := playlist.ParseName(name)
	return !named && name != replay.IndexName && !isPiece(name) && !replay.IsTemporary(name) && !strings.HasPrefix(name, ".")
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// indexOf reads the index of a show in the bucket: the whole one, or its pieces as far as they follow each other.
func indexOf(ctx context.Context, b Bucket, showID string, names map[string]object) ([]byte, error) {
	if _, ok := names[replay.IndexName]; ok {
		return readObject(ctx, b, folder(showID)+replay.IndexName)
	}
	var index []byte
	for n := int64(0); int64(len(index)) == n*pieceSize; n++ {
		if _, ok := names[pieceName(n)]; !ok {
			break
		}
		piece, err := readObject(ctx, b, folder(showID)+pieceName(n))
		if err != nil {
			return nil, err
		}
		index = append(index, piece...)
	}
	if len(index) == 0 {
		return nil, errs.New(errs.NotFound, "mirror.indexOf", "the bucket has no index of %s", showID)
	}
	return index, nil
}

// readObject reads a small file and checks it against the sum that it carries.
func readObject(ctx context.Context, b Bucket, name string) ([]byte, error) {
	const op = "mirror.readObject"
	body, size, crc, known, err := b.Download(ctx, name)
	if err != nil {
		return nil, err
	}
	if size < 0 || size > maxSmall {
		return nil, errors.Join(errs.New(errs.Conflict, op, "%s in the bucket has %d bytes: it is none of ours", name, size), body.Close())
	}
	content := make([]byte, size)
	_, err = io.ReadFull(body, content)
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, errs.As(errs.Unavailable, op, err, "the bucket broke off")
	}
	if known && crc32.Checksum(content, castagnoli) != crc {
		return nil, errs.New(errs.Conflict, op, "%s in the bucket is damaged", name)
	}
	return content, nil
}

// maxSmall bounds what is read into memory: an index of a day has 50 MB.
const maxSmall = 256 << 20
