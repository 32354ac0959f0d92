package hlspull

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bluenviron/gohlslib/v2"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"github.com/vitrine-live/vitrine/internal/bmff"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// stageHost is the name under which the library's client knows a stage. Nothing is ever dialled there (RFC 2606).
const stageHost = "http://origin.invalid"

// stage is the origin as the library's client (gohlslib.Client) may see it, for one run: playlists that always have the
// very next piece of media, one initialization segment, no gaps, no discontinuities, and an end where the run ends.
//
// Left alone with an origin, the client gives up when a segment is late, reads on under the parameters of before when
// they change, and takes tracks that it cannot decode to a nil function. It demultiplexes and paces well: this it does.
//
// A stage is the client's http.RoundTripper. Each lane is asked for by one goroutine at a time.
type stage struct {
	fetch *fetcher
	lanes []*lane
	count func(bytes int)

	mu   sync.Mutex
	err  error // the first failure, in words
	gone bool  // it was that a piece of media is not there any more
}

// lane is one media playlist of the run.
type lane struct {
	*follower
	run  run
	said map[uint32]sampleDefaults // by the initialization segment
	lead uint32                    // the track that the client wants something of in each piece; 0: any
	last item
	n    int // of the item that the playlist shows; 0: none was asked for
	over bool
}

// uri is the playlist that the client begins with.
func (s *stage) uri() string {
	if len(s.lanes) > 1 {
		return stageHost + "/all.m3u8"
	}
	return stageHost + "/0.m3u8"
}

// client returns a client that sees nothing but the stage.
func (s *stage) client() *gohlslib.Client {
	quiet := func(string) {}
	return &gohlslib.Client{
		URI: s.uri(), StartDistance: 1, MaxDistance: math.MaxInt32, HTTPClient: &http.Client{Transport: s},
		OnDownloadPrimaryPlaylist: quiet, OnDownloadStreamPlaylist: quiet, OnDownloadSegment: quiet, OnDownloadPart: quiet,
		OnDecodeError: func(error) {},
	}
}

// RoundTrip implements http.RoundTripper.
func (s *stage) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := s.answer(req.Context(), req.URL.Path)
	if err != nil {
		s.mu.Lock()
		if s.err == nil {
			s.err = err
		}
		s.mu.Unlock()
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: req,
	}, nil
}

// failure is why the run ended, if the origin was the reason; gone says that only the next piece of media is missing.
func (s *stage) failure() (gone bool, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone, s.err
}

// answer serves /all.m3u8, and for lane n /n.m3u8, /n/init and /n/media.
func (s *stage) answer(ctx context.Context, path string) ([]byte, error) {
	if path == "/all.m3u8" {
		return []byte(allLanes), nil
	}
	name, what, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	n, err := strconv.Atoi(strings.TrimSuffix(name, ".m3u8"))
	if err != nil || n < 0 || n >= len(s.lanes) {
		return nil, errs.New(errs.NotFound, "hlspull.stage", "no such resource: %s", path)
	}
	l := s.lanes[n]
	switch what {
	case "":
		return l.playlist(ctx, n)
	case "init":
		return s.initSegment(ctx, l)
	}
	return s.media(ctx, l)
}

// allLanes has codecs that the client always accepts; which they are it learns from the media.
const allLanes = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",DEFAULT=YES,URI="/1.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1000000,CODECS="avc1.42c01e,mp4a.40.2",AUDIO="a"
/0.m3u8
`

// playlist moves the lane on to its next item and shows that alone, or shows the last one again with the end.
func (l *lane) playlist(ctx context.Context, n int) ([]byte, error) {
	if !l.over {
		it, ok, err := l.inRun(ctx, l.run)
		if err != nil {
			return nil, err
		}
		if l.over = !ok; ok {
			l.last = it
			l.n++
		}
	}
	if l.n == 0 {
		return nil, errs.New(errs.Unavailable, "hlspull.stage", "the origin's playlist ended before anything of it could be read")
	}
	var b bytes.Buffer
	length := max(l.last.duration.Seconds(), 0.001)
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n", int(math.Ceil(length)), l.n)
	if l.run.init.url != "" {
		fmt.Fprintf(&b, "#EXT-X-MAP:URI=\"/%d/init\"\n", n)
	}
	if !l.last.date.IsZero() {
		fmt.Fprintf(&b, "#EXT-X-PROGRAM-DATE-TIME:%s\n", l.last.date.UTC().Format(time.RFC3339Nano))
	}
	fmt.Fprintf(&b, "#EXTINF:%f,\n/%d/%d\n", length, n, l.n)
	if l.over {
		b.WriteString("#EXT-X-ENDLIST\n")
	}
	return b.Bytes(), nil
}

// initSegment is the run's, with nothing in it but tracks that the client can take.
func (s *stage) initSegment(ctx context.Context, l *lane) (data []byte, err error) {
	err = s.fetch.persist(ctx, func(ctx context.Context) error {
		data, err = s.fetch.media(ctx, l.run.init)
		return err
	})
	if err != nil {
		return nil, err
	}
	l.said = defaultsOf(data)
	data, l.lead, err = tameInit(data)
	return data, err
}

// errNoLead ends a run whose last pieces have sound alone.
var errNoLead = errs.New(errs.Unavailable, "hlspull.stage", "the run ended with sound alone")

// maxHeld bounds the pieces that are held back until one has a picture: minutes of sound.
const maxHeld = 4 << 20

// media is the next piece. The client fails at one without anything of the leading track, as parts are while a phone's
// picture stands still, and at the end of a show: it gets such a piece together with the next one, or the run ends.
func (s *stage) media(ctx context.Context, l *lane) ([]byte, error) {
	data, err := s.piece(ctx, l)
	for err == nil && !l.leads(data) {
		it, ok, failed := l.inRun(ctx, l.run)
		switch {
		case failed != nil:
			return nil, failed
		case !ok || len(data) > maxHeld:
			l.over = true
			s.mu.Lock()
			s.gone = s.err == nil
			s.mu.Unlock()
			return nil, errNoLead
		}
		l.last = it
		var more []byte
		more, err = s.piece(ctx, l)
		data = append(data, more...)
	}
	return data, err
}

// leads reports whether a piece has anything of the leading track.
func (l *lane) leads(data []byte) bool {
	if l.lead == 0 {
		return true
	}
	found := false
	err := walk(data, []string{"moof", "traf", "tfhd"}, func(b bmff.Box) error {
		f := bmff.Fields{B: b.Body()}
		f.U32() // version and flags
		found = found || f.U32() == l.lead
		return nil
	})
	return found || err != nil // what is damaged is for the client to say
}

// piece is the lane's last item.
func (s *stage) piece(ctx context.Context, l *lane) (data []byte, err error) {
	err = s.fetch.persist(ctx, func(ctx context.Context) error {
		data, err = s.fetch.media(ctx, l.last.resource)
		return err
	})
	if errs.KindOf(err) == errs.NotFound {
		l.apart = true
		l.missed("what it lists is not there")
		s.mu.Lock()
		s.gone = s.err == nil
		s.mu.Unlock()
	}
	if err != nil {
		return nil, err
	}
	s.count(len(data))
	return spellOut(data, l.said), nil
}

// tameInit keeps the first track of each kind that can be read of an initialization segment.
// The client leads with the first one.
func tameInit(data []byte) (tamed []byte, lead uint32, err error) {
	init, err := readInit(data)
	if err != nil {
		return nil, 0, err
	}
	var buf seekablebuffer.Buffer
	if err := init.Marshal(&buf); err != nil {
		return nil, 0, errs.As(errs.Invalid, "hlspull.init", err, "the initialization segment cannot be read: %v", err)
	}
	return buf.Bytes(), uint32(init.Tracks[0].ID), nil
}

// readInit reads an initialization segment and leaves out the tracks that cannot be used.
func readInit(data []byte) (*fmp4.Init, error) {
	const op = "hlspull.init"
	var init fmp4.Init
	if err := init.Unmarshal(bytes.NewReader(data)); err != nil {
		return nil, errs.As(errs.Invalid, op, err, "the initialization segment cannot be read: %v", err)
	}
	var video, audio *fmp4.InitTrack
	for _, t := range init.Tracks {
		switch t.Codec.(type) {
		case *codecs.H264, *codecs.H265, *codecs.AV1:
			video = firstOf(video, t)
		case *codecs.MPEG4Audio, *codecs.Opus:
			audio = firstOf(audio, t)
		}
	}
	init.Tracks = nil
	for _, t := range []*fmp4.InitTrack{video, audio} {
		if t != nil && t.TimeScale > 0 {
			init.Tracks = append(init.Tracks, t)
		}
	}
	if len(init.Tracks) == 0 {
		return nil, errs.New(errs.Invalid, op, "the stream has no track that can be read: H264, HEVC or AV1 with AAC or Opus")
	}
	return &init, nil
}

func firstOf(a, b *fmp4.InitTrack) *fmp4.InitTrack {
	if a != nil {
		return a
	}
	return b
}
