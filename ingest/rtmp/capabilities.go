package rtmp

import (
	"bytes"
	"strings"
	"sync"
	"sync/atomic"

	rtmpmsg "github.com/yutopp/go-rtmp/message"
)

// What this server says of itself in the answer to a connect that speaks of Enhanced RTMP (v2, "Enhancing NetConnection
// connect Command").
const (
	canDecodeAndForward = 0x01 | 0x04 // FourCcInfoMask
	parsesModifiers     = 0x04        // CapsExMask
)

// enhancements are the properties with which a connect speaks of Enhanced RTMP, and its answer too.
var enhancements = []string{"fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx"}

// speaksEnhanced reports whether the command object of a connect speaks of Enhanced RTMP.
func speaksEnhanced(o amfObject) bool {
	for _, name := range enhancements {
		if o.get(name) != nil {
			return true
		}
	}
	return false
}

// capabilities are the enhancements of this server. They stand in both objects of an answer, because the specification
// leaves open in which.
func capabilities() amfObject {
	mask := float64(canDecodeAndForward)
	return amfObject{
		{"fourCcList", []any{"avc1", "hvc1", "av01", "mp4a"}},
		{"videoFourCcInfoMap", amfObject{{"avc1", mask}, {"hvc1", mask}, {"av01", mask}}},
		{"audioFourCcInfoMap", amfObject{{"mp4a", mask}}},
		{"capsEx", float64(parsesModifiers)},
	}
}

// enhancedAnswer is the body of the _result of a connect.
func enhancedAnswer(transaction float64) []byte {
	properties := append(amfObject{{"fmsVer", "Vitrine/1,0,0,0"}, {"capabilities", 31.0}, {"mode", 1.0}}, capabilities()...)
	information := append(amfObject{
		{"level", "status"}, {"code", string(rtmpmsg.NetConnectionConnectCodeSuccess)}, {"description", "Connection succeeded."}, {"objectEncoding", 0.0},
	}, capabilities()...)
	body := appendAMF(appendAMF(nil, "_result"), transaction)
	return appendAMF(appendAMF(body, properties), information)
}

// answer puts our own answer to connect in the place of the RTMP library's, which has no room for enhancements: the
// library is made to answer with a message of the very same length, and its payload is replaced on the way out. It is the
// library's ResponsePreset. The reading goroutine sets the body, the writing one replaces.
type answer struct {
	body atomic.Pointer[[]byte] // nil: the library's own answer stands
	sent int                    // of body; the writing goroutine's
}

// plainAnswer is the library's answer as it is, and its length.
var plainAnswer = sync.OnceValues(func() (rtmpmsg.NetConnectionConnectResult, int) {
	result := rtmpmsg.NetConnectionConnectResult{
		Information: rtmpmsg.NetConnectionConnectResultInformation{Level: "status", Code: rtmpmsg.NetConnectionConnectCodeSuccess, Description: "Connection succeeded."},
	}
	var body bytes.Buffer
	encoder := rtmpmsg.NewAMFEncoder(&body, rtmpmsg.EncodingTypeAMF0)
	for _, v := range []any{"_result", 1.0} {
		_ = encoder.Encode(v) // a buffer takes all
	}
	_ = rtmpmsg.EncodeBodyAnyValues(encoder, &result)
	return result, body.Len()
})

// GetServerConnectResultProperties implements rtmp.ResponsePreset.
func (a *answer) GetServerConnectResultProperties() rtmpmsg.NetConnectionConnectResultProperties {
	body := a.body.Load()
	if body == nil {
		return rtmpmsg.NetConnectionConnectResultProperties{FMSVer: "Vitrine/1,0,0,0", Capabilities: 31, Mode: 1}
	}
	_, length := plainAnswer()
	return rtmpmsg.NetConnectionConnectResultProperties{FMSVer: strings.Repeat(" ", len(*body)-length)}
}

// GetServerConnectResultData implements rtmp.ResponsePreset.
func (a *answer) GetServerConnectResultData() map[string]any { return nil }

// replace returns what goes on the wire for one chunk of the library's. The answer is the first message on its chunk
// stream, so it begins with the first chunk there and its headers are of type 0, then 3 (RTMP 1.0, 5.3.1).
func (a *answer) replace(chunk []byte) []byte {
	body := a.body.Load()
	if body == nil || a.sent == len(*body) || chunk[0]&0x3F != libraryChunkStream {
		return chunk
	}
	header := 1
	if chunk[0]>>6 == 0 {
		header = 1 + 11
	}
	out := append([]byte{}, chunk[:header]...)
	n := min(len(chunk)-header, len(*body)-a.sent)
	out = append(out, (*body)[a.sent:a.sent+n]...)
	a.sent += n
	return out
}
