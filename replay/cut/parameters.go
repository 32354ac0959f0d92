package cut

import (
	"encoding/binary"
	"slices"

	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/media"
	"github.com/vitrine-live/vitrine/replay/mp4"
)

// repeatParameters puts the parameter sets of pictures that need others than the first ones into their IDRs too. Their
// sample entry has them, and QuickTime and ffmpeg look there; Chromium reads the first sample entry alone and takes what
// stands in the samples.
func (t *take) repeatParameters() error {
	if len(t.video) == 0 || !slices.ContainsFunc(t.video, func(x sample) bool { return x.entry != t.video[0].entry }) {
		return nil
	}
	prefixes := map[int][]byte{}
	for i := range t.video {
		x := &t.video[i]
		if !x.sync {
			continue
		}
		prefix, ok := prefixes[x.entry]
		if !ok {
			var err error
			if prefix, err = inBand(t.codecs[pictures][x.entry], t.entries[pictures][x.entry]); err != nil {
				return errs.As(errs.Internal, t.op, err, "the recording is damaged at %s", clock(x.pts))
			}
			prefixes[x.entry] = prefix
		}
		x.prefix = prefix
	}
	return nil
}

// inBand returns the parameter sets of a sample entry as they stand in a sample.
func inBand(codec media.Codec, entry []byte) ([]byte, error) {
	sets, err := mp4.ParameterSets(entry)
	if err != nil {
		return nil, err
	}
	var b []byte
	for _, s := range sets {
		if codec != media.AV1 { // whose OBUs tell their size themselves
			b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		}
		b = append(b, s...)
	}
	return b, nil
}
