package live

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// rule is one thing that may be wrong with a publisher. Its words stand in the catalogue under its code.
type rule struct {
	code     string
	severity Severity
	after    time.Duration // for how long it must hold before anybody is told
	// holds judges what is measured. It is asked only while there is a publisher p. standing says that the anchor has been
	// told already: then it takes more to be well again than it took to be wrong.
	holds func(st *Status, p *PublisherStatus, standing bool) (values, bool)
}

// The codes of the warnings. They are part of the public interface.
const (
	codePublisherGone     = "publisher_gone"
	codeNothingYet        = "nothing_received"
	codeStalled           = "stalled"
	codePictureStopped    = "picture_stopped"
	codeUploadSlow        = "upload_slow"
	codeRecordingPaused   = "recording_paused"
	codeNotRecorded       = "not_recorded"
	codeSoundStopped      = "sound_stopped"
	codeLoss              = "packet_loss"
	codePicturesDropped   = "pictures_dropped"
	codeNoSound           = "no_sound"
	codeSilent            = "silent"
	codeNoPicture         = "no_picture"
	codeColourFormat      = "colour_format"
	codeCodec             = "codec_not_everywhere"
	codeKeyframesFar      = "keyframes_far_apart"
	codeFramesMissing     = "frames_missing"
	codeFPSLow            = "fps_low"
	codeBitrateHigh       = "bitrate_high"
	codeTimestamps        = "timestamps"
	codeSizeLarge         = "size_large"
	codeSizeOdd           = "size_odd"
	codeSurround          = "surround"
	codeInterlaced        = "interlaced"
	codeJitter            = "jitter"
	codeLadderDown        = "ladder_down"
	codeLadderRefused     = "ladder_refused"
	codeRTT               = "rtt_high"
	codeRepaired          = "packets_repaired"
	codeBitrateLow        = "bitrate_low"
	codeBitrateUnstable   = "bitrate_unstable"
	codeKeyframesOften    = "keyframes_too_often"
	codeSizeSmall         = "size_small"
	codeSampleRate        = "sample_rate"
	codeMono              = "mono"
	codeSoundBitrateLow   = "sound_bitrate_low"
	startUp               = 5 * time.Second  // what an encoder may take to send all of its tracks
	rampUp                = 15 * time.Second // what a browser may take to find its bitrate
	silentPacket          = 16               // bytes on average: AAC and Opus code digital silence in 3 to 6
	mostBitrate           = 8_000_000        // what phones on mobile networks can hope to load, with a reserve
	mostBitrateWithLadder = 20_000_000
)

// rules in the order in which an anchor should mend them, within one severity.
var rules = []rule{
	{codeStalled, Critical, 0, func(_ *Status, p *PublisherStatus, _ bool) (values, bool) {
		return values{"seconds": seconds(p.Quiet)}, p.State == PublisherStalled
	}},
	{codeNothingYet, Serious, 0, func(_ *Status, p *PublisherStatus, _ bool) (values, bool) {
		return values{"seconds": seconds(p.age)}, p.State == PublisherWaiting && p.age >= startUp
	}},
	{codePictureStopped, Critical, 0, func(_ *Status, p *PublisherStatus, _ bool) (values, bool) {
		return values{"seconds": seconds(p.VideoQuiet)}, p.State == PublisherSending && p.VideoQuiet > stallAfter
	}},
	{codeUploadSlow, Critical, 3 * time.Second, uploadSlow},
	{codeRecordingPaused, Critical, 0, func(st *Status, _ *PublisherStatus, _ bool) (values, bool) {
		if st.Recording == nil {
			return nil, false
		}
		return values{"reason": st.Recording.Reason}, st.Recording.Paused
	}},
	{codeNotRecorded, Critical, 0, func(st *Status, _ *PublisherStatus, _ bool) (values, bool) { return nil, st.Unrecorded }},
	{codeSoundStopped, Critical, 0, func(_ *Status, p *PublisherStatus, _ bool) (values, bool) {
		return values{"seconds": seconds(p.AudioQuiet)}, p.State == PublisherSending && p.AudioQuiet > stallAfter
	}},
	{codeLoss, Critical, 3 * time.Second, func(_ *Status, p *PublisherStatus, standing bool) (values, bool) {
		return values{"percent": percent(p.Loss)}, p.Loss >= threshold(standing, 0.03, 0.01)
	}},
	{codePicturesDropped, Serious, 0, func(_ *Status, p *PublisherStatus, standing bool) (values, bool) {
		return values{"count": fmt.Sprint(p.recentDiscarded)}, float64(p.recentDiscarded) >= threshold(standing, 10, 1)
	}},
	{codeNoSound, Serious, 0, func(_ *Status, p *PublisherStatus, _ bool) (values, bool) {
		return nil, p.State == PublisherSending && p.Audio == "" && p.age >= startUp
	}},
	{codeSilent, Serious, 8 * time.Second, func(_ *Status, p *PublisherStatus, _ bool) (values, bool) {
		return nil, p.State == PublisherSending && p.meanPacket > 0 && p.meanPacket <= silentPacket
	}},
	{codeNoPicture, Serious, 0, func(_ *Status, p *PublisherStatus, _ bool) (values, bool) {
		return nil, p.State == PublisherSending && p.Video == "" && p.age >= startUp
	}},
	{codeColourFormat, Serious, 0, func(_ *Status, p *PublisherStatus, _ bool) (values, bool) {
		odd := p.BitDepth > 8 && p.Video == "H264" || p.BitDepth > 10 || p.Chroma != "" && p.Chroma != "4:2:0"
		return values{"format": fmt.Sprintf("%s, %d bit", p.Chroma, p.BitDepth)}, odd
	}},
	{codeCodec, Serious, 0, func(st *Status, p *PublisherStatus, _ bool) (values, bool) {
		return values{"codec": p.Video}, (p.Video == "HEVC" || p.Video == "AV1") && len(st.Renditions) == 0
	}},
	{codeKeyframesFar, Serious, 0, keyframesFar},
	{codeFramesMissing, Serious, 4 * time.Second, func(_ *Status, p *PublisherStatus, standing bool) (values, bool) {
		few := threshold(standing, 0.05, 0.02)
		if toolOf(p) == phone { // cameras of phones take fewer pictures in the dark
			few = threshold(standing, 0.25, 0.15)
		}
		return values{"percent": percent(p.MissingFrames), "kbps": kbps(p.VideoBitrateBPS * 3 / 4)}, p.MissingFrames >= few
	}},
	{codeFPSLow, Serious, 8 * time.Second, func(_ *Status, p *PublisherStatus, standing bool) (values, bool) {
		return values{"fps": number(p.FPS)}, p.FPS > 0 && p.FPS < threshold(standing, 18, 20) && p.age >= rampUp
	}},
	{codeBitrateHigh, Serious, 10 * time.Second, bitrateHigh},
	{codeTimestamps, Serious, 0, func(_ *Status, p *PublisherStatus, standing bool) (values, bool) {
		return values{"count": fmt.Sprint(p.recentAnomalies)}, float64(p.recentAnomalies) >= threshold(standing, 3, 1)
	}},
	{codeSizeLarge, Serious, 0, func(_ *Status, p *PublisherStatus, _ bool) (values, bool) {
		return values{"size": p.size(), "target": p.fitting(1080)}, p.short() > 1088
	}},
	{codeSizeOdd, Serious, 0, func(_ *Status, p *PublisherStatus, _ bool) (values, bool) {
		return values{"size": p.size(), "target": fmt.Sprintf("%dx%d", p.Width&^1, p.Height&^1)}, p.Width%2 != 0 || p.Height%2 != 0
	}},
	{codeSurround, Serious, 0, func(_ *Status, p *PublisherStatus, _ bool) (values, bool) {
		return values{"channels": fmt.Sprint(p.Channels)}, p.Channels > 2
	}},
	{codeInterlaced, Serious, 0, func(_ *Status, p *PublisherStatus, _ bool) (values, bool) { return nil, p.Interlaced }},
	{codeJitter, Serious, 5 * time.Second, func(_ *Status, p *PublisherStatus, standing bool) (values, bool) {
		uneven := p.Jitter.Seconds() >= threshold(standing, 0.15, 0.08)
		return values{"ms": millis(p.Jitter)}, uneven && p.State == PublisherSending && toolOf(p) != pulled
	}},
	{codeLadderDown, Serious, 3 * time.Second, func(st *Status, _ *PublisherStatus, _ bool) (values, bool) { return inState(st, RenditionDown) }},
	{codeLadderRefused, Serious, 0, func(st *Status, _ *PublisherStatus, _ bool) (values, bool) { return inState(st, RenditionRefused) }},
	{codeRTT, Hint, 5 * time.Second, func(_ *Status, p *PublisherStatus, standing bool) (values, bool) {
		return values{"ms": millis(p.RTT)}, p.RTT.Seconds() >= threshold(standing, 0.4, 0.3)
	}},
	{codeRepaired, Hint, 5 * time.Second, func(_ *Status, p *PublisherStatus, standing bool) (values, bool) {
		return values{"percent": percent(p.Repaired)}, p.Repaired >= threshold(standing, 0.08, 0.04)
	}},
	{codeBitrateLow, Hint, 10 * time.Second, bitrateLow},
	{codeBitrateUnstable, Hint, 5 * time.Second, func(_ *Status, p *PublisherStatus, standing bool) (values, bool) {
		uneven := float64(p.peakBPS) >= threshold(standing, 2, 1.6)*float64(p.meanBPS)
		return values{"mean": kbps(p.meanBPS), "peak": kbps(p.peakBPS), "target": kbps(p.usualBitrate())}, uneven && p.meanBPS >= 300_000 && p.age >= 2*rampUp
	}},
	{codeKeyframesOften, Hint, 5 * time.Second, func(_ *Status, p *PublisherStatus, standing bool) (values, bool) {
		often := p.KeyIntervalMax.Seconds() <= threshold(standing, 0.7, 0.9)
		return values{"seconds": number(p.KeyIntervalMax.Seconds())}, often && p.keys == keySpans && toolOf(p) == encoder
	}},
	{codeSizeSmall, Hint, 5 * time.Second, func(_ *Status, p *PublisherStatus, _ bool) (values, bool) {
		return values{"size": p.size(), "target": p.fitting(720)}, p.short() > 0 && p.short() < 360 && p.age >= rampUp
	}},
	{codeSampleRate, Hint, 0, func(_ *Status, p *PublisherStatus, _ bool) (values, bool) {
		return values{"khz": strconv.FormatFloat(float64(p.SampleRate)/1000, 'f', -1, 64)}, p.SampleRate != 0 && p.SampleRate != 48_000 && p.SampleRate != 44_100
	}},
	{codeMono, Hint, 0, func(_ *Status, p *PublisherStatus, _ bool) (values, bool) {
		return nil, p.Channels == 1 && toolOf(p) == encoder
	}},
	{codeSoundBitrateLow, Hint, 10 * time.Second, func(_ *Status, p *PublisherStatus, standing bool) (values, bool) {
		low := float64(p.AudioBitrateBPS) < threshold(standing, 44_000, 52_000)
		return values{"kbps": kbps(p.AudioBitrateBPS)}, low && p.Audio == "AAC" && p.AudioProfile == "LC" && p.meanPacket > silentPacket && toolOf(p) == encoder && p.State == PublisherSending
	}},
}

// ruleOrder is where a code's rule stands.
var ruleOrder = func() map[string]int {
	m := make(map[string]int, len(rules))
	for i := range rules {
		m[rules[i].code] = i
	}
	return m
}()

// uploadSlow looks at how far arrivals have fallen behind. OBS leaves pictures out when some 0.7 s of them wait to be sent,
// so that with what waits in the sockets little more than that is ever seen of it.
func uploadSlow(_ *Status, p *PublisherStatus, standing bool) (values, bool) {
	// What gets through while the upload is behind is all that the line carries.
	carried := min(p.VideoBitrateBPS, p.usualBitrate()*2)
	return values{"seconds": number(p.Lag.Seconds()), "kbps": kbps(carried * 3 / 4)},
		p.State == PublisherSending && p.Lag.Seconds() >= threshold(standing, 0.8, 0.3)
}

// keyframesFar looks at the distances that were, and at the one that is still open.
func keyframesFar(_ *Status, p *PublisherStatus, standing bool) (values, bool) {
	apart := max(p.KeyIntervalMax, p.sinceKey)
	return values{"seconds": number(apart.Seconds())}, apart.Seconds() >= threshold(standing, 4.2, 3.5)
}

func bitrateHigh(st *Status, p *PublisherStatus, standing bool) (values, bool) {
	most := float64(mostBitrate)
	if len(st.Renditions) > 0 {
		most = mostBitrateWithLadder
	}
	return values{"kbps": kbps(p.BitrateBPS), "target": kbps(p.usualBitrate())}, float64(p.BitrateBPS) >= most*threshold(standing, 1, 0.85)
}

func bitrateLow(_ *Status, p *PublisherStatus, standing bool) (values, bool) {
	usual := p.usualBitrate()
	low := float64(p.VideoBitrateBPS) < float64(usual)*threshold(standing, 0.3, 0.4)
	return values{"size": p.size(), "kbps": kbps(p.VideoBitrateBPS), "target": kbps(usual), "smaller": p.fitting(p.smaller())},
		low && p.smaller() > 0 && p.VideoBitrateBPS > 0 && p.age >= rampUp && p.State == PublisherSending && p.Lag < time.Second/2
}

// inState names the renditions in state, with the reason of the first.
func inState(st *Status, state RenditionState) (values, bool) {
	var names []string
	reason := ""
	for _, r := range st.Renditions {
		if r.State == state {
			names = append(names, r.Name)
			if reason == "" {
				reason = r.Reason
			}
		}
	}
	return values{"names": strings.Join(names, ", "), "reason": reason}, len(names) > 0
}

// usualBitrate is what a picture of this size and rate takes to look good on a phone, in bits per second, rounded as
// people set it: 0.07 bits per pixel at 30 pictures a second, fewer per picture beyond that and with newer codecs.
func (p *PublisherStatus) usualBitrate() int64 {
	pixels, fps := float64(p.Width*p.Height), min(max(p.FPS, 15), 60)
	bits := pixels * 0.07 * 30 * math.Sqrt(fps/30)
	if p.Video == "HEVC" || p.Video == "AV1" {
		bits *= 0.6
	}
	const step = 500_000
	return max(int64(math.Round(bits/step))*step, step)
}

func (f *Format) size() string { return fmt.Sprintf("%dx%d", f.Width, f.Height) }

// smaller is the usual short side below the picture's, 0 when there is none that is worth watching.
func (f *Format) smaller() int {
	for _, side := range []int{1080, 720, 480, 360} {
		if side < f.short() {
			return side
		}
	}
	return 0
}

// fitting is the picture's size scaled so that its short side is short, both sides even.
func (f *Format) fitting(short int) string {
	if f.short() == 0 {
		return ""
	}
	scale := func(n int) int { return (n*short/f.short() + 1) &^ 1 }
	return fmt.Sprintf("%dx%d", scale(f.Width), scale(f.Height))
}

// threshold is the measure of a rule: enter to be told of it, leave once told.
func threshold(standing bool, enter, leave float64) float64 {
	if standing {
		return leave
	}
	return enter
}

// Numbers as people read them.
func seconds(d time.Duration) string { return fmt.Sprintf("%.0f", d.Seconds()) }
func millis(d time.Duration) string  { return fmt.Sprintf("%d", d.Milliseconds()) }
func percent(share float64) string   { return fmt.Sprintf("%.0f", share*100) }
func number(v float64) string        { return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0") }

// kbps rounds down to what an encoder's setting would be.
func kbps(bps int64) string {
	n := bps / 1000
	if n >= 500 {
		n -= n % 100
	}
	return fmt.Sprint(n)
}
