package api

import (
	"math"
	"time"

	"github.com/vitrine-live/vitrine/live"
	"github.com/vitrine-live/vitrine/overlay"
)

// Publisher is what a room's publisher sends, and how it arrives. Rates are those of the last seconds.
type Publisher struct {
	Protocol    string `json:"protocol" enum:"rtmp,rtmps,whip,hls"`
	Remote      string `json:"remote"`
	Encoder     string `json:"encoder,omitempty" doc:"What the publisher calls itself."`
	ConnectedAt string `json:"connected_at"`
	State       string `json:"state" enum:"waiting,sending,stalled" doc:"waiting: connected, nothing has come yet. stalled: nothing has come for some seconds."`

	Video            string  `json:"video,omitempty" doc:"Codec; absent without picture."`
	VideoProfile     string  `json:"video_profile,omitempty" doc:"Profile and level."`
	Width            int     `json:"width,omitempty"`
	Height           int     `json:"height,omitempty"`
	Orientation      string  `json:"orientation,omitempty" enum:"portrait,landscape,square"`
	FPS              float64 `json:"fps"`
	MissingFrames    float64 `json:"missing_frames" doc:"Share of pictures that the encoder left out, 0 to 1."`
	VideoBitrateBPS  int64   `json:"video_bitrate_bps"`
	BFrames          bool    `json:"b_frames"`
	KeyIntervalMS    int64   `json:"keyframe_interval_ms" doc:"Between the last two keyframes; 0: not known yet."`
	KeyIntervalMinMS int64   `json:"keyframe_interval_min_ms" doc:"Among the last ones."`
	KeyIntervalMaxMS int64   `json:"keyframe_interval_max_ms" doc:"Among the last ones."`

	Audio           string `json:"audio,omitempty" doc:"Codec; absent without sound."`
	AudioProfile    string `json:"audio_profile,omitempty"`
	SampleRate      int    `json:"sample_rate,omitempty" doc:"Hz."`
	Channels        int    `json:"channels,omitempty"`
	AudioBitrateBPS int64  `json:"audio_bitrate_bps"`

	BitrateBPS         int64    `json:"bitrate_bps" doc:"Picture and sound."`
	LagMS              int64    `json:"lag_ms" doc:"By how much samples arrive later than at the best of times: above a second, the upload is too slow."`
	JitterMS           float64  `json:"jitter_ms"`
	RTTMS              *float64 `json:"rtt_ms,omitempty" doc:"Absent where the protocol does not know it."`
	Loss               *float64 `json:"loss,omitempty" doc:"Share of packets lost and not repaired in time, 0 to 1; absent where the protocol does not know it."`
	Repaired           *float64 `json:"repaired,omitempty" doc:"Share of packets sent again, 0 to 1; absent where the protocol does not know it."`
	Discarded          int64    `json:"discarded" doc:"Pictures dropped since the publish began, for want of a piece."`
	TimestampAnomalies int64    `json:"timestamp_anomalies" doc:"Timestamps mended since the publish began."`

	Warnings []Warning `json:"warnings" doc:"What the anchor should know, the gravest first."`
}

// Warning is something that the anchor should know.
type Warning struct {
	Code     string `json:"code" example:"keyframes_far_apart" doc:"Stable; the words may change."`
	Severity string `json:"severity" enum:"critical,warning,info" doc:"critical: viewers see or hear it. warning: some will, or soon. info: it could be better."`
	Message  string `json:"message" doc:"What is wrong, and what it means for viewers."`
	Remedy   string `json:"remedy" doc:"What to do about it."`
	Since    string `json:"since"`
}

// Rendition is one quality beside the source.
type Rendition struct {
	Name   string `json:"name" example:"720p"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	State  string `json:"state" enum:"on,starting,down,refused" doc:"down: it comes back by itself. refused: this machine cannot carry it."`
	Reason string `json:"reason,omitempty"`
}

func publisher(p *live.PublisherStatus, warnings []Warning) *Publisher {
	if p == nil {
		return nil
	}
	return &Publisher{
		Protocol: p.Protocol, Remote: p.Remote, Encoder: p.Encoder, ConnectedAt: overlay.FormatWall(p.ConnectedAt), State: string(p.State),
		Video: p.Video, VideoProfile: p.VideoProfile, Width: p.Width, Height: p.Height, Orientation: p.Orientation(),
		FPS: rounded(p.FPS, 100), MissingFrames: rounded(p.MissingFrames, 1000), VideoBitrateBPS: p.VideoBitrateBPS, BFrames: p.BFrames,
		KeyIntervalMS: p.KeyInterval.Milliseconds(), KeyIntervalMinMS: p.KeyIntervalMin.Milliseconds(), KeyIntervalMaxMS: p.KeyIntervalMax.Milliseconds(),
		Audio: p.Audio, AudioProfile: p.AudioProfile, SampleRate: p.SampleRate, Channels: p.Channels, AudioBitrateBPS: p.AudioBitrateBPS,
		BitrateBPS: p.BitrateBPS, LagMS: p.Lag.Milliseconds(), JitterMS: milliseconds(p.Jitter), RTTMS: known(milliseconds(p.RTT), p.RTT > 0),
		Loss: known(rounded(p.Loss, 10_000), p.Loss >= 0), Repaired: known(rounded(p.Repaired, 10_000), p.Repaired >= 0),
		Discarded: p.Discarded, TimestampAnomalies: p.Anomalies, Warnings: warnings,
	}
}

func warnings(ws []live.Warning, l live.Language) []Warning {
	out := make([]Warning, len(ws))
	for i, w := range ws {
		out[i] = Warning{Code: w.Code, Severity: string(w.Severity), Message: w.Message(l), Remedy: w.Remedy(l), Since: overlay.FormatWall(w.Since)}
	}
	return out
}

func renditions(rs []live.RenditionStatus) []Rendition {
	out := make([]Rendition, len(rs))
	for i, r := range rs {
		out[i] = Rendition{Name: r.Name, Width: r.Width, Height: r.Height, State: string(r.State), Reason: r.Reason}
	}
	return out
}

// known is v where it is known, else nothing.
func known(v float64, is bool) *float64 {
	if !is {
		return nil
	}
	return &v
}

func milliseconds(d time.Duration) float64 { return rounded(d.Seconds()*1000, 10) }

// rounded keeps what can be told of a measured number: parts of one.
func rounded(v, parts float64) float64 { return math.Round(v*parts) / parts }
