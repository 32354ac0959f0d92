package hls

import "github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

// Syntactic elements of a raw_data_block (ISO 14496-3, table 4.85).
const (
	elementSCE = 0 // one channel
	elementCPE = 1 // a pair
	elementLFE = 3
	elementEND = 7
)

// silentElements are the elements that a channel configuration prescribes, in order (ISO 14496-3, table 1.19).
var silentElements = map[uint8][]uint64{
	1: {elementSCE},
	2: {elementCPE},
	3: {elementSCE, elementCPE},
	4: {elementSCE, elementCPE, elementSCE},
	5: {elementSCE, elementCPE, elementCPE},
	6: {elementSCE, elementCPE, elementCPE, elementLFE},
	7: {elementSCE, elementCPE, elementCPE, elementCPE, elementLFE},
}

// silentFrame returns an AAC access unit of silence: every channel with no scale factor band coded. It is nil for a
// channel layout that the configuration does not tell.
func silentFrame(c *mpeg4audio.AudioSpecificConfig) []byte {
	elements := silentElements[c.ChannelConfig]
	if elements == nil {
		return nil
	}
	var w bitWriter
	tags := map[uint64]uint64{} // element_instance_tag: each kind of element counts its own
	for _, e := range elements {
		w.write(e, 3)
		w.write(tags[e], 4)
		tags[e]++
		if e == elementCPE {
			w.write(1, 1) // common_window
			w.icsInfo()
			w.write(0, 2) // ms_mask_present
			w.channel(false)
			w.channel(false)
		} else {
			w.channel(true)
		}
	}
	w.write(elementEND, 3)
	return w.bytes
}

// bitWriter writes most significant bits first.
type bitWriter struct {
	bytes []byte
	free  int // bits left in the last byte
}

func (w *bitWriter) write(v uint64, bits int) {
	for i := bits - 1; i >= 0; i-- {
		if w.free == 0 {
			w.bytes, w.free = append(w.bytes, 0), 8
		}
		w.free--
		w.bytes[len(w.bytes)-1] |= byte(v>>i&1) << w.free
	}
}

// icsInfo writes ics_info of a long window with max_sfb 0 (ISO 14496-3, table 4.6).
func (w *bitWriter) icsInfo() {
	w.write(0, 1) // ics_reserved_bit
	w.write(0, 2) // window_sequence: only long
	w.write(0, 1) // window_shape
	w.write(0, 6) // max_sfb
	w.write(0, 1) // predictor_data_present
}

// channel writes individual_channel_stream (ISO 14496-3, table 4.50); with max_sfb 0 it has no sections and no factors.
func (w *bitWriter) channel(ownInfo bool) {
	w.write(0, 8) // global_gain
	if ownInfo {
		w.icsInfo()
	}
	w.write(0, 3) // pulse_data_present, tns_data_present, gain_control_data_present
}
