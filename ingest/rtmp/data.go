package rtmp

import (
	"encoding/json"

	"github.com/vitrine-live/vitrine/internal/printable"
)

// maxDataJSON bounds one timed message as it is passed on.
const maxDataJSON = 16 << 10

// metadata is what an encoder says of itself in onMetaData. All of it is for people alone: tracks come from the codec
// configurations.
type metadata struct {
	encoder              string
	width, height        float64
	fps                  float64
	videoRate, audioRate float64 // kbit/s
}

// data takes a data message: onMetaData or a timed message for the show, with or without @setDataFrame before it.
func (p *publisher) data(m message) error {
	d := amfDecoder{b: m.body}
	values, err := d.all()
	if err != nil {
		return &ending{reason: BadAMF, err: err}
	}
	if len(values) > 0 && values[0] == "@setDataFrame" {
		values = values[1:]
	}
	if len(values) < 2 {
		p.anomaly(BadMetadata)
		return nil
	}
	switch values[0] {
	case "onMetaData":
		p.describe(values[1])
	case "onTextData", "onCuePoint", "@vitrine":
		return p.timedMessage(values[1], m.timestamp)
	default:
		p.anomaly(UnknownMessage)
	}
	return nil
}

// describe logs what the encoder says of itself, when it says something new: some repeat it every second.
func (p *publisher) describe(v any) {
	o, ok := v.(amfObject)
	if !ok {
		p.anomaly(BadMetadata)
		return
	}
	number := func(name string) float64 {
		n, _ := finite(o.get(name)).(float64)
		return n
	}
	md := metadata{
		encoder: printable.Clip(o.text("encoder")), width: number("width"), height: number("height"), fps: number("framerate"),
		videoRate: number("videodatarate"), audioRate: number("audiodatarate"),
	}
	if md == p.metadata {
		return
	}
	p.metadata = md
	if p.report != nil && md.encoder != "" {
		p.report.ReportEncoder(md.encoder)
	}
	p.log.Info("publisher's encoder", "encoder", md.encoder, "width", md.width, "height", md.height, "fps", md.fps, "video_kbps", md.videoRate, "audio_kbps", md.audioRate)
}

// timedMessage passes a message for the show on, at its own timestamp.
func (p *publisher) timedMessage(v any, timestamp uint32) error {
	payload := timedJSON(v)
	if payload == nil {
		p.anomaly(BadMetadata)
		return nil
	}
	t := timed{at: p.retimer.At(timestamp), data: payload}
	if !p.begun && len(p.held) > 0 {
		return p.hold(t, len(payload))
	}
	p.writeData(t)
	return nil
}

// timedJSON returns the JSON value that v carries, or nil: an AMF object as such, or a string of JSON. The usual forms
// of onTextData and onCuePoint wrap it once more, as "text" and as "parameters".
func timedJSON(v any) []byte {
	if o, ok := v.(amfObject); ok {
		if text := o.text("text"); json.Valid([]byte(text)) {
			v = text
		} else if inner, ok := o.get("parameters").(amfObject); ok {
			v = inner
		}
	}
	var payload []byte
	switch v := v.(type) {
	case string:
		payload = []byte(v)
	case amfObject:
		payload, _ = v.MarshalJSON()
	}
	if len(payload) > maxDataJSON || !json.Valid(payload) {
		return nil
	}
	return payload
}
