package pusher

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"time"
)

// Pusher publishes a film in real time.
type Pusher struct {
	conn net.Conn
	film *Film
}

const (
	handshakeTimeout = 30 * time.Second
	sendBuffer       = 64 << 10 // small, so that a server that falls behind is felt at once
	chunkSize        = 1 << 20
)

// Dial connects to addr and publishes with the stream key, up to the server's consent.
func Dial(ctx context.Context, addr, key string, film *Film) (*Pusher, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	p := &Pusher{conn: conn, film: film}
	if t, ok := conn.(*net.TCPConn); ok {
		err = t.SetWriteBuffer(sendBuffer)
	}
	err = errors.Join(err, conn.SetDeadline(time.Now().Add(handshakeTimeout)))
	if err == nil {
		err = p.greet(addr, key)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return p, conn.SetDeadline(time.Time{})
}

// Close drops the connection as a lost network would.
func (p *Pusher) Close() error { return p.conn.Close() }

// greet shakes hands (RTMP 1.0, section 5.2) and asks to publish.
func (p *Pusher) greet(addr, key string) error {
	hello := make([]byte, 1+1536)
	hello[0] = 3
	if _, err := p.conn.Write(hello); err != nil {
		return err
	}
	answer := make([]byte, 1+1536+1536)
	if _, err := io.ReadFull(p.conn, answer); err != nil {
		return err
	}
	msgs := append([]byte{}, answer[1:1+1536]...) // C2 echoes S1
	msgs = message(msgs, 2, 1, 0, binary.BigEndian.AppendUint32(nil, chunkSize))
	msgs = message(msgs, 3, 20, 0, amf("connect", 1.0, map[string]any{
		"app": "live", "flashVer": "FMLE/3.0 (compatible; vitrine bench)", "tcUrl": "rtmp://" + addr + "/live",
		"fourCcList": []string{"avc1", "hvc1", "av01"},
	}))
	msgs = message(msgs, 3, 20, 0, amf("createStream", 2.0, nil))
	msgs = message(msgs, 3, 20, 1, amf("publish", 3.0, nil, key, "live"))
	if _, err := p.conn.Write(msgs); err != nil {
		return err
	}
	return p.awaitConsent()
}

// awaitConsent reads answers until the server says whether the publish may begin.
func (p *Pusher) awaitConsent() error {
	var got []byte
	buf := make([]byte, 4096)
	for {
		n, err := p.conn.Read(buf)
		got = append(got, buf[:n]...)
		switch {
		case bytes.Contains(got, []byte("NetStream.Publish.Start")):
			return nil
		case bytes.Contains(got, []byte("NetStream.Publish.")):
			return fmt.Errorf("pusher: the server refused to publish: %q", got)
		case err != nil:
			return fmt.Errorf("pusher: no consent to publish: %w", err)
		}
	}
}

// Run sends the film over and over in real time until ctx ends, which is no error. lag is told, for each moment at which
// something was due, by how much the server took it late.
func (p *Pusher) Run(ctx context.Context, lag func(time.Duration)) error {
	stop := context.AfterFunc(ctx, func() { _ = p.conn.Close() })
	defer stop()
	err := p.run(ctx, lag)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (p *Pusher) run(ctx context.Context, lag func(time.Duration)) error {
	if err := p.send(0, p.film.start); err != nil {
		return err
	}
	began := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for loop := time.Duration(0); ; loop += p.film.length {
		for rest := p.film.tags; len(rest) > 0; {
			due := rest[0].at - p.film.tags[0].at + loop
			timer.Reset(time.Until(began.Add(due)))
			select {
			case <-ctx.Done():
				return nil
			case <-timer.C:
			}
			n := dueBy(rest, time.Since(began)-loop+p.film.tags[0].at)
			if err := p.send(loop, rest[:n]); err != nil {
				return err
			}
			lag(time.Since(began) - due)
			rest = rest[n:]
		}
	}
}

// dueBy counts the tags that are due at the film's time now, at least one.
func dueBy(tags []tag, now time.Duration) int {
	n := 1
	for n < len(tags) && tags[n].at <= now {
		n++
	}
	return n
}

// send writes tags in one go, without copying their bodies.
func (p *Pusher) send(loop time.Duration, tags []tag) error {
	headers := make([]byte, 0, 12*len(tags))
	bufs := make(net.Buffers, 0, 2*len(tags))
	for _, t := range tags {
		from := len(headers)
		headers = t.header(headers, t.at+loop)
		bufs = append(bufs, headers[from:], t.body)
	}
	_, err := bufs.WriteTo(p.conn)
	return err
}

// message appends a message as type 0 chunks of the default size, 128 bytes.
func message(dst []byte, chunkStream, typeID byte, stream uint32, body []byte) []byte {
	n := len(body)
	dst = append(dst, chunkStream, 0, 0, 0, byte(n>>16), byte(n>>8), byte(n), typeID)
	dst = binary.LittleEndian.AppendUint32(dst, stream)
	if typeID != 1 && n > chunkSize { // announced before anything but the announcement itself
		panic("pusher: a command longer than a chunk")
	}
	return append(dst, body...)
}

// amf encodes values in AMF0: strings, numbers, lists of strings, objects, null.
func amf(values ...any) []byte {
	var b []byte
	for _, v := range values {
		b = appendAMF(b, v)
	}
	return b
}

func appendAMF(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return appendString(append(b, 2), v)
	case float64:
		return binary.BigEndian.AppendUint64(append(b, 0), math.Float64bits(v))
	case []string:
		b = binary.BigEndian.AppendUint32(append(b, 10), uint32(len(v)))
		for _, s := range v {
			b = appendAMF(b, s)
		}
		return b
	case map[string]any:
		b = append(b, 3)
		for name, value := range v {
			b = appendAMF(appendString(b, name), value)
		}
		return append(b, 0, 0, 9)
	}
	return append(b, 5)
}

func appendString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}
