package hls

import (
	"encoding/binary"

	"github.com/vitrine-live/vitrine/media"
)

// Track IDs in every file of a show.
const (
	videoTrackID = 1
	audioTrackID = 2
)

// Sample flags (ISO 14496-12, 8.8.3.1).
const (
	flagsSync    = 0x0200_0000 // depends on no other
	flagsNonSync = 0x0101_0000 // depends on others; sample_is_non_sync_sample
)

// Flags of tfhd and trun (8.8.7, 8.8.8 of ISO 14496-12).
const (
	tfhdDefaultDuration   = 0x00_0008
	tfhdDefaultFlags      = 0x00_0020
	tfhdDefaultBaseIsMoof = 0x02_0000

	trunDataOffset  = 0x001
	trunDuration    = 0x100
	trunSize        = 0x200
	trunFlags       = 0x400
	trunComposition = 0x800
)

// Sizes of the boxes of a fragment without their variable parts.
const (
	boxHeader = 8
	mfhdSize  = 16
	tfhdSize  = 16
	tfdtSize  = 20
	trunFixed = 20
)

// fragment is the content of one part: a moof box with a traf for each track that has samples, and the mdat box.
type fragment struct {
	sequence  uint32
	video     []sample
	lastVideo media.Ticks // duration of the last of video
	// empty asks for a traf without samples at this time: a part that nothing begins in, because one picture lasts
	// longer than it, is still a part.
	empty *media.Ticks

	audio         []sample
	lastAudio     int64 // duration of the last of audio, in units of the sampling rate
	audioDuration int64 // of every sample of audio, or 0 when they differ
}

// marshal writes the fragment into one new buffer; each payload is copied once.
func (f *fragment) marshal() []byte {
	f.audioDuration = f.commonAudioDuration()
	moof := boxHeader + mfhdSize
	hasVideo := len(f.video) > 0 || f.empty != nil
	if hasVideo {
		moof += boxHeader + tfhdSize + tfdtSize + trunFixed + 16*len(f.video)
	}
	if len(f.audio) > 0 {
		moof += boxHeader + tfhdSize + 4 + tfdtSize + trunFixed + f.audioEntrySize()*len(f.audio)
		if f.audioDuration > 0 {
			moof += 4
		}
	}
	videoBytes, audioBytes := payloadBytes(f.video), payloadBytes(f.audio)

	b := make([]byte, 0, moof+boxHeader+videoBytes+audioBytes)
	b = appendBox(b, moof, "moof")
	b = appendBox(b, mfhdSize, "mfhd")
	b = appendU32(b, 0, f.sequence)
	if hasVideo {
		b = f.appendVideo(b, moof+boxHeader)
	}
	if len(f.audio) > 0 {
		b = f.appendAudio(b, moof+boxHeader+videoBytes)
	}
	b = appendBox(b, boxHeader+videoBytes+audioBytes, "mdat")
	for i := range f.video {
		b = append(b, f.video[i].payload...)
	}
	for i := range f.audio {
		b = append(b, f.audio[i].payload...)
	}
	return b
}

func (f *fragment) appendVideo(b []byte, dataOffset int) []byte {
	trun := trunFixed + 16*len(f.video)
	b = appendBox(b, boxHeader+tfhdSize+tfdtSize+trun, "traf")
	b = appendBox(b, tfhdSize, "tfhd")
	b = appendU32(b, tfhdDefaultBaseIsMoof, videoTrackID)
	if f.empty != nil {
		b = appendTfdt(b, int64(*f.empty))
	} else {
		b = appendTfdt(b, int64(f.video[0].at))
	}
	b = appendBox(b, trun, "trun")
	b = appendU32(b, 1<<24|trunDataOffset|trunDuration|trunSize|trunFlags|trunComposition, uint32(len(f.video)), uint32(dataOffset))
	for i := range f.video {
		s := &f.video[i]
		duration := f.lastVideo
		if i+1 < len(f.video) {
			duration = f.video[i+1].at - s.at
		}
		flags := uint32(flagsNonSync)
		if s.key {
			flags = flagsSync
		}
		b = appendU32(b, uint32(duration), uint32(len(s.payload)), flags, uint32(int32(s.pts-s.at)))
	}
	return b
}

func (f *fragment) appendAudio(b []byte, dataOffset int) []byte {
	tfhd, flags := tfhdSize+4, uint32(tfhdDefaultBaseIsMoof|tfhdDefaultFlags)
	if f.audioDuration > 0 {
		tfhd, flags = tfhd+4, flags|tfhdDefaultDuration
	}
	trun := trunFixed + f.audioEntrySize()*len(f.audio)
	b = appendBox(b, boxHeader+tfhd+tfdtSize+trun, "traf")
	b = appendBox(b, tfhd, "tfhd")
	b = appendU32(b, flags, audioTrackID)
	if f.audioDuration > 0 {
		b = appendU32(b, uint32(f.audioDuration))
	}
	b = appendU32(b, flagsSync)
	b = appendTfdt(b, f.audio[0].units)
	b = appendBox(b, trun, "trun")
	if f.audioDuration > 0 {
		b = appendU32(b, 1<<24|trunDataOffset|trunSize, uint32(len(f.audio)), uint32(dataOffset))
	} else {
		b = appendU32(b, 1<<24|trunDataOffset|trunDuration|trunSize, uint32(len(f.audio)), uint32(dataOffset))
	}
	for i := range f.audio {
		if f.audioDuration == 0 {
			b = appendU32(b, uint32(f.audioDurationOf(i)))
		}
		b = appendU32(b, uint32(len(f.audio[i].payload)))
	}
	return b
}

func (f *fragment) audioDurationOf(i int) int64 {
	if i+1 < len(f.audio) {
		return f.audio[i+1].units - f.audio[i].units
	}
	return f.lastAudio
}

func (f *fragment) commonAudioDuration() int64 {
	for i := range f.audio {
		if f.audioDurationOf(i) != f.lastAudio {
			return 0
		}
	}
	return f.lastAudio
}

func (f *fragment) audioEntrySize() int {
	if f.audioDuration > 0 {
		return 4
	}
	return 8
}

func payloadBytes(samples []sample) (n int) {
	for i := range samples {
		n += len(samples[i].payload)
	}
	return n
}

func appendBox(b []byte, size int, name string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(size))
	return append(b, name...)
}

func appendU32(b []byte, vs ...uint32) []byte {
	for _, v := range vs {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

func appendTfdt(b []byte, base int64) []byte {
	b = appendBox(b, tfdtSize, "tfdt")
	b = appendU32(b, 1<<24)
	return binary.BigEndian.AppendUint64(b, uint64(base))
}
