package rtmp

import (
	"time"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// Config bounds what publishers may do. The zero value of each field stands for the default beside it.
type Config struct {
	// MaxConnections is the most connections at once. Half of them may be without an accepted publish, so that
	// strangers cannot keep anchors out. Default 2000.
	MaxConnections int
	// MaxConnectionsPerAddress is the most connections from one address (IPv6: one /64) that have no accepted
	// publish yet; publishers are not counted, because a studio shares one address. Default 100.
	MaxConnectionsPerAddress int
	// MaxWrongKeys is how many wrong stream keys a minute one address may send before its next publishes are refused
	// unseen. Default 10.
	MaxWrongKeys int

	// HandshakeTimeout bounds accept to the end of the handshake. Default 5 s.
	HandshakeTimeout time.Duration
	// PublishTimeout bounds the end of the handshake to publish, and publish to the first usable track. Default 10 s.
	PublishTimeout time.Duration
	// IdleTimeout is how long a publisher may be silent. Default 10 s.
	IdleTimeout time.Duration
	// WriteTimeout bounds one write to a publisher. Default 5 s.
	WriteTimeout time.Duration

	// MaxMediaMessage is the longest audio or video message in bytes, 64 KiB to 16 MiB. Default 8 MiB.
	MaxMediaMessage int
	// BytesPerSecond and MessagesPerSecond are what one connection may send over time. A publisher may be two seconds'
	// worth ahead, to catch up after a stall; beyond that it is slowed down, not closed. Defaults 12.5 MB and 2000.
	BytesPerSecond    int
	MessagesPerSecond int
}

// withDefaults returns c with every zero replaced.
func (c Config) withDefaults() Config {
	number := func(v *int, def int) {
		if *v == 0 {
			*v = def
		}
	}
	duration := func(v *time.Duration, def time.Duration) {
		if *v == 0 {
			*v = def
		}
	}
	number(&c.MaxConnections, 2000)
	number(&c.MaxConnectionsPerAddress, 100)
	number(&c.MaxWrongKeys, 10)
	duration(&c.HandshakeTimeout, 5*time.Second)
	duration(&c.PublishTimeout, 10*time.Second)
	duration(&c.IdleTimeout, 10*time.Second)
	duration(&c.WriteTimeout, 5*time.Second)
	number(&c.MaxMediaMessage, 8<<20)
	number(&c.BytesPerSecond, 12_500_000)
	number(&c.MessagesPerSecond, 2000)
	return c
}

// Validate reports the first field that is out of range as an Invalid error.
func (c Config) Validate() error {
	const op = "rtmp.Config"
	c = c.withDefaults()
	for name, v := range map[string]int{
		"MaxConnections": c.MaxConnections, "MaxConnectionsPerAddress": c.MaxConnectionsPerAddress,
		"MaxWrongKeys": c.MaxWrongKeys, "MessagesPerSecond": c.MessagesPerSecond,
	} {
		if v < 1 {
			return errs.Field(op, name, "must be at least 1, got %d", v)
		}
	}
	for name, d := range map[string]time.Duration{
		"HandshakeTimeout": c.HandshakeTimeout, "PublishTimeout": c.PublishTimeout,
		"IdleTimeout": c.IdleTimeout, "WriteTimeout": c.WriteTimeout,
	} {
		if d < time.Millisecond {
			return errs.Field(op, name, "must be at least 1ms, got %s", d)
		}
	}
	if c.MaxMediaMessage < maxControlMessage || c.MaxMediaMessage > maxMessageLength {
		return errs.Field(op, "MaxMediaMessage", "must be %d to %d bytes, got %d", maxControlMessage, maxMessageLength, c.MaxMediaMessage)
	}
	if c.BytesPerSecond < readBuffer {
		return errs.Field(op, "BytesPerSecond", "must be at least %d, got %d", readBuffer, c.BytesPerSecond)
	}
	return nil
}
