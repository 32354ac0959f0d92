package whip

import (
	"time"

	"github.com/vitrine-live/vitrine/media"
)

// maxPicture is the largest picture in bytes; a larger one is dropped.
const maxPicture = 8 << 20

// picture is one whole coded picture.
type picture struct {
	stamp   uint32 // RTP
	key     bool
	payload []byte
	track   *media.Track // set when the parameters changed with this picture
	arrival time.Time    // of its last packet
}

// depacketizer makes pictures out of payloads. It is told of them in order.
type depacketizer interface {
	// begin starts a picture; what was unfinished is forgotten.
	begin()
	// begins reports whether the payload can only be the first of its picture.
	begins(payload []byte) bool
	// add takes a payload. ok is false when its format does not allow it.
	add(payload []byte) (ok bool)
	// finish returns the picture; ok is false when there is none or its end is missing.
	finish() (p picture, ok bool)
}

// assembler makes the pictures of one RTP stream. When a packet is lost, every picture is dropped until the next whole
// keyframe, because a decoder would smear them. It is for one goroutine.
type assembler struct {
	format  depacketizer
	anomaly func(Anomaly)

	open    bool // a picture has begun
	broken  bool // a piece of it is missing
	needKey bool
	stamp   uint32
	arrival time.Time

	discarded int64
}

func newAssembler(format depacketizer, anomaly func(Anomaly)) *assembler {
	return &assembler{format: format, anomaly: anomaly, needKey: true}
}

// push takes the next packet in order and calls out with each picture that is whole.
func (a *assembler) push(p *packet, out func(picture)) {
	if p.gap {
		a.broken, a.needKey = true, true
	}
	if a.open && p.Timestamp != a.stamp { // the marker bit is missing, or its packet
		a.close(out)
	}
	if len(p.Payload) == 0 { // padding that probes for bandwidth
		return
	}
	if !a.open {
		a.open, a.stamp = true, p.Timestamp
		a.broken = p.gap && !a.format.begins(p.Payload)
		a.format.begin()
	}
	a.arrival = p.arrival
	if !a.broken && !a.format.add(p.Payload) {
		a.broken = true
		a.anomaly(BadPacket)
	}
	if p.Marker {
		a.close(out)
	}
}

// close ends the picture.
func (a *assembler) close(out func(picture)) {
	a.open = false
	if a.broken { // not finished: parameters in it would be taken for known
		a.discard()
		return
	}
	p, ok := a.format.finish()
	switch {
	case !ok && p.payload != nil:
		a.anomaly(BadPacket)
		a.discard()
		return
	case !ok: // parameter sets alone
		return
	case a.needKey && !p.key:
		a.discarded++
		return
	}
	a.needKey = false
	p.stamp, p.arrival = a.stamp, a.arrival
	out(p)
}

func (a *assembler) discard() {
	a.broken, a.needKey = false, true
	a.discarded++
}
