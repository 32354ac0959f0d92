package transcode

import (
	"sync"

	"github.com/vitrine-live/vitrine/media"
)

// Convert returns a publication that takes every codec and gives pub those that HLS takes: Opus becomes AAC-LC of 48 kHz
// with as many channels, VP8 becomes H264 of the same size. Everything else passes untouched and at once. pub has one
// caller at a time.
//
// Timestamps follow the input's. What is converted comes later than what passes, by less than 0.1 s; Arrival is that of
// the input. While ffmpeg is down, what it would have made is missing and the rest goes on.
//
// SetTracks fails as Unavailable when there is something to convert and no ffmpeg.
func (t *Transcoder) Convert(pub media.Publication) media.Publication {
	return &converter{transcoder: t, pub: pub}
}

// converter is a publication in front of another. Its fields belong to the publisher's goroutine, but for those that say
// otherwise.
type converter struct {
	transcoder     *Transcoder
	sound, picture *conversion // nil when there is nothing to convert

	mu     sync.Mutex // held during each call of pub; guards what follows
	pub    media.Publication
	tracks []media.Track // as the publisher names them
	made   *media.Track  // what the picture is made into; nil until that is known
	err    error         // of a sample that a worker wrote
}

// Done implements media.Publication.
func (c *converter) Done() <-chan struct{} { return c.pub.Done() }

// Err implements media.Publication.
func (c *converter) Err() error { return c.pub.Err() }

// SetTracks implements media.Publication. Where a picture is converted, the tracks are handed on as soon as ffmpeg tells
// the parameters of what it makes.
func (c *converter) SetTracks(tracks []media.Track) error {
	var sound, picture *media.Track
	for i := range tracks {
		switch tracks[i].Codec {
		case media.Opus:
			sound = &tracks[i]
		case media.VP8:
			picture = &tracks[i]
		}
	}
	if sound != nil || picture != nil {
		if err := c.transcoder.Ready(); err != nil {
			return err
		}
	}
	if !c.picture.of(picture) {
		c.picture.close()
		c.setMade(nil)
		c.picture = c.convertPicture(picture)
	}
	if !c.sound.of(sound) {
		c.sound.close()
		c.sound = c.convertSound(sound)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tracks = append([]media.Track(nil), tracks...)
	return c.announceLocked()
}

// announceLocked hands the tracks on once all are known.
func (c *converter) announceLocked() error {
	out := make([]media.Track, 0, len(c.tracks))
	for _, t := range c.tracks {
		switch {
		case t.Codec == media.Opus:
			t = soundTrack(t.Channels)
		case t.Codec == media.VP8 && c.made == nil:
			return nil
		case t.Codec == media.VP8:
			t = *c.made
		}
		out = append(out, t)
	}
	if len(out) == 0 {
		return nil
	}
	return c.pub.SetTracks(out)
}

func (c *converter) setMade(t *media.Track) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made = t
	if t == nil {
		return
	}
	if err := c.announceLocked(); err != nil && c.err == nil {
		c.err = err
	}
}

// Write implements media.Publication.
func (c *converter) Write(s media.Sample) error {
	switch {
	case s.Kind == media.Audio && c.sound != nil:
		if c.sound.leaps(s) {
			track := c.sound.track
			c.sound.close()
			c.sound = c.convertSound(&track)
		}
		c.sound.write(s)
	case s.Kind == media.Video && c.picture != nil:
		c.picture.write(s)
	default:
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.err != nil {
			return c.err
		}
		return c.pub.Write(s)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// deliver writes a converted sample.
func (c *converter) deliver(s media.Sample) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.pub.Write(s); err != nil && c.err == nil {
		c.err = err
	}
}

// WriteData implements media.Publication.
func (c *converter) WriteData(t media.Ticks, payload []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pub.WriteData(t, payload)
}

// Close implements media.Publication. What is under way has a moment to come out.
func (c *converter) Close(reason media.CloseReason) {
	c.picture.close()
	c.sound.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pub.Close(reason)
}
