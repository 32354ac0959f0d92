package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/vitrine-live/vitrine/media"
)

var errLine = errors.New("not a line of an index")

// parseLine parses a checked line. It reads the flat objects that appendPart and the others write, and no more of JSON,
// five times as fast as encoding/json: after a restart hundreds of shows with thousands of lines each wait for it.
// Members that it does not know are skipped.
func parseLine(b []byte) (e entry, err error) {
	rest, ok := bytes.CutPrefix(b, []byte("{"))
	if !ok {
		return e, errLine
	}
	for {
		var key, value []byte
		if key, value, rest, ok = member(rest); !ok {
			return e, errLine
		}
		if err := e.set(string(key), value); err != nil {
			return e, err
		}
		switch {
		case len(rest) > 0 && rest[0] == ',':
			rest = rest[1:]
		case string(rest) == "}":
			return e, nil
		default:
			return e, errLine
		}
	}
}

// member splits a "key":value off b. A string value keeps its quotes.
func member(b []byte) (key, value, rest []byte, ok bool) {
	key, rest, ok = quoted(b)
	if !ok || len(rest) < 2 || rest[0] != ':' {
		return nil, nil, nil, false
	}
	rest = rest[1:]
	if rest[0] == '"' {
		value, rest, ok = quoted(rest)
		return key[1 : len(key)-1], value, rest, ok
	}
	n := bytes.IndexAny(rest, ",}")
	if n <= 0 {
		return nil, nil, nil, false
	}
	return key[1 : len(key)-1], rest[:n], rest[n:], true
}

// quoted splits a string with its quotes off b.
func quoted(b []byte) (s, rest []byte, ok bool) {
	if len(b) < 2 || b[0] != '"' {
		return nil, nil, false
	}
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return b[:i+1], b[i+1:], true
		}
	}
	return nil, nil, false
}

func (e *entry) set(key string, value []byte) (err error) {
	switch key {
	case "type":
		e.Type, err = unquote(value)
	case "show":
		e.Show, err = unquote(value)
	case "codecs":
		e.Codecs, err = unquote(value)
	case "c": // was checked
	case "disc":
		e.Discontinuity = string(value) == "true"
	case "ind":
		e.Independent = string(value) == "true"
	case "part_ind":
		e.PartIndependent = string(value) == "true"
	case "fps":
		e.FPS, err = strconv.ParseFloat(string(value), 64)
	default:
		err = e.setNumber(key, value)
	}
	return err
}

func unquote(value []byte) (s string, err error) {
	if len(value) < 2 || value[0] != '"' {
		return "", errLine
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1]), nil
	}
	err = json.Unmarshal(value, &s)
	return s, err
}

func (e *entry) setNumber(key string, value []byte) error {
	n, err := strconv.ParseInt(string(value), 10, 64)
	switch key {
	case "version":
		e.Version = int(n)
	case "target_duration":
		e.TargetDuration = int(n)
	case "part_target":
		e.PartTarget = media.Ticks(n)
	case "width":
		e.Width = int(n)
	case "height":
		e.Height = int(n)
	case "reorder":
		e.Reorder = media.Ticks(n)
	case "msn":
		e.MSN = n
	case "start":
		e.Start = media.Ticks(n)
	case "dur":
		e.Duration = media.Ticks(n)
	case "wall":
		e.Wall = n
	case "init":
		e.Init = int(n)
	case "part":
		e.Part = int(n)
	case "off":
		e.Offset = n
	case "size":
		e.Size = n
	case "crc":
		e.CRC = uint32(n)
	case "durable":
		e.Durable = n
	default:
		return nil
	}
	return err
}
