package playlist

import (
	"slices"
	"strconv"

	"github.com/vitrine-live/vitrine/media"
)

// Type is the value of EXT-X-PLAYLIST-TYPE (4.4.3.5).
type Type string

// The types of media playlists.
const (
	Live  Type = "" // segments may leave at the front
	Event Type = "EVENT"
	VOD   Type = "VOD"
)

// Media is a media playlist (4.4.3). Its values are plain: the same ones render the CMAF playlist, its delta update
// and the MPEG-TS one.
type Media struct {
	Type      Type
	Container Container
	Prefix    string // stands before every URI; "" for names beside the playlist

	// TargetDuration in seconds. It must not change while a playlist is served (6.2.1) and no segment, rounded to the
	// nearest second, may be longer.
	TargetDuration int

	// PartTarget makes the playlist a low-latency one: it then announces blocking reload, lists parts and hints at
	// the next one. 0, and any MPEG-TS playlist: none of it.
	PartTarget media.Ticks

	// CanSkip announces delta updates: who serves the playlist must then answer _HLS_skip.
	CanSkip bool

	// DiscontinuitySequence counts the discontinuities before Segments[0], without the one of Segments[0] itself.
	DiscontinuitySequence int64

	Segments []Segment // complete, numbered without holes; the first one's MSN is the media sequence number
	Open     *Segment  // the segment that is being made, listed by its parts; nil for none

	DateRanges []DateRange
	Reports    []RenditionReport

	// Skipped is how many segments of the front EXT-X-SKIP stands for. See SkipCount.
	Skipped int

	Ended bool // EXT-X-ENDLIST

	// Start is where players are to begin, from the beginning of the playlist, to the frame (EXT-X-START). nil: where they
	// like.
	Start *media.Ticks
}

// RenditionReport tells how far another rendition of the show is (4.4.5.4).
type RenditionReport struct {
	URI      string
	LastMSN  int64
	LastPart int // negative when that rendition has no parts
}

// LowLatency reports whether the playlist lists parts.
func (m *Media) LowLatency() bool { return m.PartTarget > 0 && m.Container == CMAF && m.Type == Live }

// SkipBoundary is CAN-SKIP-UNTIL in seconds: the least that 4.4.3.8 allows.
func (m *Media) SkipBoundary() int { return 6 * m.TargetDuration }

// SkipCount returns how many segments a delta update leaves out: those further from the end of the last complete
// segment than the skip boundary (6.2.5.1). 0 means that there is nothing to skip and the whole playlist is the answer.
func (m *Media) SkipCount() int {
	if !m.CanSkip || m.Ended || len(m.Segments) == 0 {
		return 0
	}
	edge := m.Segments[len(m.Segments)-1].End() - seconds(m.SkipBoundary())
	n := 0
	for n < len(m.Segments) && m.Segments[n].End() < edge {
		n++
	}
	return n
}

// PartsFrom is the show time up to which parts are no longer listed: a segment's parts are listed when it ends after
// it, that is until they are three target durations from the end of the playlist (6.2.2).
func (m *Media) PartsFrom() media.Ticks { return m.end() - seconds(3*m.TargetDuration) }

// Append renders the playlist behind dst.
func (m *Media) Append(dst []byte) []byte {
	dst = m.appendHeader(dst)
	for i := range m.DateRanges {
		dst = m.DateRanges[i].Append(dst)
	}
	if m.Skipped > 0 {
		dst = appendInt(dst, "#EXT-X-SKIP:SKIPPED-SEGMENTS=", int64(m.Skipped))
	}
	partsFrom, init := m.PartsFrom(), 0
	if m.Skipped > 0 && m.Skipped <= len(m.Segments) {
		init = m.Segments[m.Skipped-1].Init // the client has the EXT-X-MAP of what it skips
	}
	for i := m.Skipped; i < len(m.Segments); i++ {
		s := &m.Segments[i]
		dst = m.appendSegmentTags(dst, s, &init, s.End() > partsFrom)
		dst = appendInf(dst, s.Start, s.End())
		dst = append(dst, m.Prefix...)
		dst = appendSegmentName(dst, s.MSN, m.Container)
		dst = append(dst, '\n')
	}
	return m.appendTail(dst, init)
}

func (m *Media) appendHeader(dst []byte) []byte {
	dst = append(dst, "#EXTM3U\n"...)
	dst = appendInt(dst, "#EXT-X-VERSION:", int64(m.version()))
	dst = appendInt(dst, "#EXT-X-TARGETDURATION:", int64(m.TargetDuration))
	if m.Type != Live {
		dst = append(dst, "#EXT-X-PLAYLIST-TYPE:"...)
		dst = append(dst, m.Type...)
		dst = append(dst, '\n')
	}
	dst = m.appendServerControl(dst)
	if m.LowLatency() {
		dst = append(dst, "#EXT-X-PART-INF:PART-TARGET="...)
		dst = appendShort(dst, ceilMicros(m.PartTarget))
		dst = append(dst, '\n')
	}
	dst = appendInt(dst, "#EXT-X-MEDIA-SEQUENCE:", m.mediaSequence())
	if m.DiscontinuitySequence > 0 || m.Type == Live {
		dst = appendInt(dst, "#EXT-X-DISCONTINUITY-SEQUENCE:", m.DiscontinuitySequence)
	}
	if m.independent() {
		dst = append(dst, "#EXT-X-INDEPENDENT-SEGMENTS\n"...)
	}
	if m.Start != nil {
		dst = append(dst, "#EXT-X-START:TIME-OFFSET="...)
		dst = appendSeconds(dst, micros(*m.Start))
		dst = append(dst, ",PRECISE=YES\n"...)
	}
	return dst
}

// appendServerControl renders EXT-X-SERVER-CONTROL (4.4.3.8). The hold-backs are those that the clause recommends:
// three target durations and three part targets.
func (m *Media) appendServerControl(dst []byte) []byte {
	if m.Type == VOD || (m.Type == Event && !m.CanSkip) {
		return dst
	}
	dst = append(dst, "#EXT-X-SERVER-CONTROL:"...)
	if m.LowLatency() {
		dst = append(dst, "CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK="...)
		dst = appendShort(dst, 3*ceilMicros(m.PartTarget))
		dst = append(dst, ',')
	}
	if m.CanSkip {
		dst = append(dst, "CAN-SKIP-UNTIL="...)
		dst = strconv.AppendInt(dst, int64(m.SkipBoundary()), 10)
		dst = append(dst, ".0,"...)
	}
	dst = append(dst, "HOLD-BACK="...)
	dst = strconv.AppendInt(dst, int64(3*m.TargetDuration), 10)
	return append(dst, ".0\n"...)
}

// appendSegmentTags renders what stands before the URI of a segment, complete or open.
func (m *Media) appendSegmentTags(dst []byte, s *Segment, init *int, parts bool) []byte {
	if s.Discontinuity {
		dst = append(dst, "#EXT-X-DISCONTINUITY\n"...)
	}
	if m.Container == CMAF && s.Init != *init && s.Init > 0 {
		dst = append(dst, `#EXT-X-MAP:URI="`...)
		dst = append(dst, m.Prefix...)
		dst = appendInitName(dst, s.Init)
		dst = append(dst, "\"\n"...)
		*init = s.Init
	}
	if !s.Wall.IsZero() {
		dst = append(dst, "#EXT-X-PROGRAM-DATE-TIME:"...)
		dst = appendDate(dst, s.Wall)
		dst = append(dst, '\n')
	}
	if s.Gap {
		dst = append(dst, "#EXT-X-GAP\n"...)
	}
	if parts && m.LowLatency() {
		dst = m.appendParts(dst, s)
	}
	return dst
}

func (m *Media) appendParts(dst []byte, s *Segment) []byte {
	at := s.Start
	for i := range s.Parts {
		p := &s.Parts[i]
		dst = append(dst, "#EXT-X-PART:DURATION="...)
		dst = appendSeconds(dst, micros(at+p.Duration)-micros(at))
		dst = append(dst, `,URI="`...)
		dst = append(dst, m.Prefix...)
		dst = appendPartName(dst, s.MSN, p.Index)
		dst = append(dst, '"')
		if p.Independent {
			dst = append(dst, ",INDEPENDENT=YES"...)
		}
		if p.Gap {
			dst = append(dst, ",GAP=YES"...)
		}
		dst = append(dst, '\n')
		at += p.Duration
	}
	return dst
}

func (m *Media) appendTail(dst []byte, init int) []byte {
	if m.Ended {
		return append(dst, "#EXT-X-ENDLIST\n"...)
	}
	if !m.LowLatency() {
		return dst
	}
	msn, part := m.mediaSequence()+int64(len(m.Segments)), 0
	if m.Open != nil {
		dst = m.appendSegmentTags(dst, m.Open, &init, true)
		msn, part = m.Open.MSN, len(m.Open.Parts)
	}
	dst = append(dst, `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="`...)
	dst = append(dst, m.Prefix...)
	dst = appendPartName(dst, msn, part)
	dst = append(dst, "\"\n"...)
	for i := range m.Reports {
		dst = m.Reports[i].append(dst)
	}
	return dst
}

func (r *RenditionReport) append(dst []byte) []byte {
	dst = append(dst, "#EXT-X-RENDITION-REPORT:URI="...)
	dst = appendQuoted(dst, r.URI)
	dst = append(dst, ",LAST-MSN="...)
	dst = strconv.AppendInt(dst, r.LastMSN, 10)
	if r.LastPart >= 0 {
		dst = append(dst, ",LAST-PART="...)
		dst = strconv.AppendInt(dst, int64(r.LastPart), 10)
	}
	return append(dst, '\n')
}

// version is the least that section 8 asks for. A playlist and its delta updates say the same one.
func (m *Media) version() int {
	switch {
	case m.CanSkip:
		return 9 // EXT-X-SKIP
	case m.hasGap():
		return 8 // EXT-X-GAP
	case m.Container == CMAF:
		return 6 // EXT-X-MAP
	}
	return 3 // decimal EXTINF
}

func (m *Media) hasGap() bool {
	return slices.ContainsFunc(m.Segments, func(s Segment) bool { return s.Gap })
}

func (m *Media) mediaSequence() int64 {
	switch {
	case len(m.Segments) > 0:
		return m.Segments[0].MSN
	case m.Open != nil:
		return m.Open.MSN
	}
	return 0
}

func (m *Media) independent() bool {
	for i := range m.Segments {
		if !m.Segments[i].Independent && !m.Segments[i].Gap {
			return false
		}
	}
	return m.Open == nil || !m.LowLatency() || m.Open.Independent
}

func (m *Media) end() media.Ticks {
	switch {
	case m.Open != nil:
		return m.Open.End()
	case len(m.Segments) > 0:
		return m.Segments[len(m.Segments)-1].End()
	}
	return 0
}

func seconds(n int) media.Ticks { return media.Ticks(n) * media.TicksPerSecond }
