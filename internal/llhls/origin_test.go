package llhls

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

// origin is a faultless low-latency server of made-up media, run by a clock that tests fake. Tests bend what it says.
type origin struct {
	start time.Time
	gap   time.Duration // the publisher is away for this long before segment reconnect
	bend  bend
}

// bend falsifies answers.
type bend struct {
	playlist func(o *origin, q url.Values, text string) string
	answer   func(o *origin, name string, q url.Values, a *answer)
	hold     func(q url.Values) bool // false: a blocking reload is answered at once
	window   int                     // segments listed
	end      int                     // segments in all; 0: endless
	plain    bool                    // no parts, polled
	part     func(msn int64, i int) []byte
	moof     func(msn int64, i int, v *fragment)

	second    bool                     // there is a rendition 360p beside the first
	rendition func(text string) string // its playlist
}

const (
	partLength     = 500 * time.Millisecond
	partsInSegment = 4
	segmentLength  = partsInSegment * partLength
	windowLength   = 10
	head           = 40 * time.Second // the show runs this long when a test begins
	reconnect      = 24               // the segment that begins a new epoch
	away           = 5 * time.Second
)

func newOrigin(b bend) *origin {
	if b.window == 0 {
		b.window = windowLength
	}
	return &origin{start: time.Now().Add(-head), gap: away, bend: b}
}

// RoundTrip serves without a network, so that a test's clock can stand still.
func (o *origin) RoundTrip(req *http.Request) (*http.Response, error) {
	done := make(chan *http.Response, 1)
	go func() {
		rec := httptest.NewRecorder()
		o.ServeHTTP(rec, req)
		done <- rec.Result()
	}()
	select {
	case res := <-done:
		return res, nil
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// at is when a part exists.
func (o *origin) at(pos position) time.Time {
	t := o.start.Add(time.Duration(pos.msn)*segmentLength + time.Duration(pos.part+1)*partLength)
	if pos.msn >= reconnect {
		t = t.Add(o.gap)
	}
	return t
}

// edge is the part to come at the instant.
func (o *origin) edge(now time.Time) position {
	var pos position
	for !o.at(pos).After(now) && !o.over(pos) {
		pos = pos.succ()
	}
	return pos
}

func (o *origin) over(pos position) bool { return o.bend.end > 0 && pos.msn >= int64(o.bend.end) }

func (p position) succ() position {
	if p.part++; p.part == partsInSegment {
		return position{p.msn + 1, 0}
	}
	return p
}

func (o *origin) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	name, q := path.Base(req.URL.Path), req.URL.Query()
	a := &answer{status: 200, header: http.Header{}}
	a.header.Set("Access-Control-Allow-Origin", "*")
	o.serve(req, name, q, a)
	if o.bend.second {
		o.serveSecond(req, name, a)
	}
	if o.bend.answer != nil {
		o.bend.answer(o, name, q, a)
	}
	for k, v := range a.header {
		w.Header()[k] = v
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

func (o *origin) serve(req *http.Request, name string, q url.Values, a *answer) {
	var msn, n int64
	switch {
	case name == "index.m3u8":
		o.text(a, "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-STREAM-INF:BANDWIDTH=100000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=16x16\nmain.m3u8\n")
	case name == "main.m3u8":
		o.servePlaylist(req, q, a)
	case strings.HasPrefix(name, "init-"):
		o.media(a, initSegment())
	case scan(name, "%d.%d.m4s", &msn, &n):
		o.servePart(req, position{msn, int(n)}, a)
	case scan(name, "%d.m4s", &msn) && position{msn + 1, 0}.notAfter(o.edge(time.Now())):
		var data []byte
		for i := range partsInSegment {
			data = append(data, o.part(position{msn, i})...)
		}
		o.media(a, data)
	default:
		a.status = 404
		a.header.Set("Cache-Control", "no-store")
	}
}

// serveSecond adds to the answers what another rendition makes of them.
func (o *origin) serveSecond(req *http.Request, name string, a *answer) {
	text, second := string(a.body), strings.Contains(req.URL.Path, "/360p/")
	switch {
	case name == "index.m3u8":
		text += "#EXT-X-STREAM-INF:BANDWIDTH=50000,CODECS=\"avc1.64000d,mp4a.40.2\",RESOLUTION=8x8\n360p/main.m3u8\n"
	case name != "main.m3u8" || a.status != http.StatusOK:
		return
	case !strings.Contains(text, "#EXT-X-ENDLIST"):
		uri := "360p/main.m3u8"
		if second {
			uri = "../main.m3u8"
		}
		edge := o.edge(time.Now())
		text += fmt.Sprintf("#EXT-X-RENDITION-REPORT:URI=%q,LAST-MSN=%d,LAST-PART=3\n", uri, edge.msn-1)
	}
	if second && o.bend.rendition != nil {
		text = o.bend.rendition(text)
	}
	a.body = []byte(text)
}

func (p position) notAfter(q position) bool { return !q.before(p) }

func scan(name, format string, to ...any) bool {
	n, err := fmt.Sscanf(name, format, to...)
	if err != nil || n != len(to) {
		return false
	}
	var values []any
	for _, v := range to {
		values = append(values, *v.(*int64))
	}
	return fmt.Sprintf(format, values...) == name
}

func (o *origin) servePart(req *http.Request, pos position, a *answer) {
	if o.edge(time.Now()).succ().before(pos) || pos.part >= partsInSegment || o.over(pos) {
		a.status = 404
		a.header.Set("Cache-Control", "no-store")
		return
	}
	o.wait(req, pos)
	o.media(a, o.part(pos))
}

func (o *origin) wait(req *http.Request, pos position) {
	if o.over(pos) {
		pos = position{int64(o.bend.end) - 1, partsInSegment - 1}
	}
	sleep(req.Context(), time.Until(o.at(pos)))
}

func (o *origin) servePlaylist(req *http.Request, q url.Values, a *answer) {
	if q.Has("_HLS_msn") || q.Has("_HLS_part") {
		msn, err := strconv.ParseInt(q.Get("_HLS_msn"), 10, 64)
		n, _ := strconv.Atoi(q.Get("_HLS_part"))
		if err != nil || msn > o.edge(time.Now()).msn+2 {
			a.status = 400
			a.header.Set("Cache-Control", "no-store")
			return
		}
		if !q.Has("_HLS_part") {
			n = partsInSegment - 1
		}
		if o.bend.hold == nil || o.bend.hold(q) {
			o.wait(req, position{msn, n})
		}
	}
	text := o.render(o.edge(time.Now()), q.Get("_HLS_skip") == "YES")
	if o.bend.playlist != nil {
		text = o.bend.playlist(o, q, text)
	}
	o.text(a, text)
}

func (o *origin) text(a *answer, s string) {
	a.header.Set("Content-Type", "application/vnd.apple.mpegurl")
	a.header.Set("Cache-Control", "max-age=1")
	a.body = []byte(s)
}

func (o *origin) media(a *answer, data []byte) {
	a.header.Set("Content-Type", "video/mp4")
	a.header.Set("Cache-Control", "max-age=31536000, immutable")
	a.body = data
}

// render is the playlist whose next part is edge.
func (o *origin) render(edge position, delta bool) string {
	var b strings.Builder
	first := max(0, edge.msn-int64(o.bend.window))
	b.WriteString("#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:2\n#EXT-X-INDEPENDENT-SEGMENTS\n")
	if !o.bend.plain {
		b.WriteString("#EXT-X-PART-INF:PART-TARGET=0.5\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12.0,PART-HOLD-BACK=1.5,HOLD-BACK=6\n")
	}
	fmt.Fprintf(&b, "#EXT-X-MEDIA-SEQUENCE:%d\n", first)
	if first > reconnect {
		b.WriteString("#EXT-X-DISCONTINUITY-SEQUENCE:1\n")
	}
	from := first
	if skip := edge.msn - 7 - first; delta && skip > 0 {
		fmt.Fprintf(&b, "#EXT-X-SKIP:SKIPPED-SEGMENTS=%d\n", skip)
		from += skip
	}
	for msn := from; msn <= edge.msn; msn++ {
		if msn < edge.msn || edge.part > 0 {
			o.renderSegment(&b, msn, edge, msn == first)
		}
	}
	if o.over(edge) {
		b.WriteString("#EXT-X-ENDLIST\n")
	} else if !o.bend.plain {
		fmt.Fprintf(&b, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"%d.%d.m4s\"\n", edge.msn, edge.part)
	}
	b.WriteString("#EXT-X-DATERANGE:ID=\"pin_1\",CLASS=\"x\",START-DATE=\"2026-01-01T00:00:00.000Z\",X-PRODUCT=\"p\",X-SHOW-TIME-MS=1200\n")
	return b.String()
}

func (o *origin) renderSegment(b *strings.Builder, msn int64, edge position, first bool) {
	if msn == reconnect {
		b.WriteString("#EXT-X-DISCONTINUITY\n")
	}
	if first || msn == reconnect {
		fmt.Fprintf(b, "#EXT-X-MAP:URI=\"init-%d.mp4\"\n", 1+msn/reconnect)
	}
	date := o.start.Add(time.Duration(msn) * segmentLength)
	if msn >= reconnect {
		date = date.Add(o.gap)
	}
	fmt.Fprintf(b, "#EXT-X-PROGRAM-DATE-TIME:%s\n", date.UTC().Format("2006-01-02T15:04:05.000Z"))
	for i := range partsInSegment {
		if o.bend.plain || edge.msn-msn > 3 || !(position{msn, i}).before(edge) {
			break
		}
		fmt.Fprintf(b, "#EXT-X-PART:DURATION=0.5,URI=\"%d.%d.m4s\"", msn, i)
		if i == 0 {
			b.WriteString(",INDEPENDENT=YES")
		}
		b.WriteString("\n")
	}
	if msn < edge.msn {
		fmt.Fprintf(b, "#EXTINF:2.0,\n%d.m4s\n", msn)
	}
}

// part makes a fragment: 15 pictures of 90 kHz and one second-long sound sample's half.
func (o *origin) part(pos position) []byte {
	if o.bend.part != nil {
		if data := o.bend.part(pos.msn, pos.part); data != nil {
			return data
		}
	}
	n := pos.msn*partsInSegment + int64(pos.part)
	video := fragment{track: 1, base: n * 45_000}
	for i := range 15 {
		video.samples = append(video.samples, sample{duration: 3000, sync: i == 0 && pos.part == 0})
	}
	if o.bend.moof != nil {
		o.bend.moof(pos.msn, pos.part, &video)
	}
	audio := fragment{track: 2, base: n * 24_000, samples: []sample{{duration: 24_000, sync: true}}}
	mdat := fmt.Appendf(make([]byte, 0, 2000), "media of part %d", n)
	return append(box("moof", box("mfhd", be(0), be(uint32(n))), traf(&video), traf(&audio)), box("mdat", mdat[:2000:2000])...)
}

func initSegment() []byte {
	trak := func(id, timescale uint32, handler string) []byte {
		return box("trak",
			box("tkhd", be(0, 0, 0, id, 0)),
			box("mdia", box("mdhd", be(0, 0, 0, timescale, 0)), box("hdlr", be(0, 0), []byte(handler))))
	}
	trex := func(id uint32) []byte { return box("trex", be(0, id, 1, 0, 0, 0)) }
	return append(box("ftyp", []byte("iso6")), box("moov", trak(1, 90_000, "vide"), trak(2, 48_000, "soun"), box("mvex", trex(1), trex(2)))...)
}

func traf(f *fragment) []byte {
	trun := be(0x01000000|0x100|0x400|0x800, uint32(len(f.samples)))
	for _, s := range f.samples {
		flags := uint32(nonSync)
		if s.sync {
			flags = 0
		}
		trun = append(trun, be(uint32(s.duration), flags, uint32(int32(s.offset)))...)
	}
	tfdt := append(be(0x01000000), binary.BigEndian.AppendUint64(nil, uint64(f.base))...)
	return box("traf", box("tfhd", be(0x020000, f.track)), box("tfdt", tfdt), box("trun", trun))
}

func box(kind string, bodies ...[]byte) []byte {
	b := append(make([]byte, 4), kind...)
	for _, body := range bodies {
		b = append(b, body...)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

func be(values ...uint32) (b []byte) {
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}
