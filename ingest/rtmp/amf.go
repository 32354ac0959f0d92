package rtmp

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"strings"
)

// Markers of AMF 0 (AMF 0 File Format Specification, 2.1).
const (
	amfNumber      = 0x00
	amfBoolean     = 0x01
	amfString      = 0x02
	amfObjectStart = 0x03
	amfNull        = 0x05
	amfUndefined   = 0x06
	amfReference   = 0x07
	amfECMAArray   = 0x08
	amfObjectEnd   = 0x09
	amfStrictArray = 0x0A
	amfDate        = 0x0B
	amfLongString  = 0x0C
	amfUnsupported = 0x0D
	amfXML         = 0x0F
	amfTypedObject = 0x10
)

// Bounds of one message. Decoding recurses, and a strict array names its length before its values.
const (
	amfMaxDepth  = 32
	amfMaxValues = 8192
)

// errAMFHostile marks what no encoder sends: nesting or array lengths beyond all use.
var (
	errAMFHostile = errors.New("amf: nested or sized beyond the limits")
	errAMFInvalid = errors.New("amf: malformed or of an unsupported type")
)

// amfObject is an object, typed object or ECMA array in the order of the wire. Its names may repeat.
type amfObject []amfProperty

type amfProperty struct {
	name  string
	value any
}

// get returns the first value of that name, or nil.
func (o amfObject) get(name string) any {
	for i := range o {
		if o[i].name == name {
			return o[i].value
		}
	}
	return nil
}

// text returns the string of that name, or "".
func (o amfObject) text(name string) string {
	s, _ := o.get(name).(string)
	return s
}

// MarshalJSON renders the object with its names in the order of the wire, the first of equal names only.
func (o amfObject) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	seen := make(map[string]bool, len(o))
	for _, p := range o {
		if seen[p.name] {
			continue
		}
		seen[p.name] = true
		name, err := json.Marshal(p.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(finite(p.value))
		if err != nil {
			return nil, err
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}

// finite replaces what JSON has no word for.
func finite(v any) any {
	if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
		return nil
	}
	if list, ok := v.([]any); ok {
		for i := range list {
			list[i] = finite(list[i])
		}
	}
	return v
}

// amfDecoder reads the values of one message: float64, bool, string, nil, amfObject, []any. It allocates no more than a
// small multiple of the message and recurses no deeper than amfMaxDepth. After an error it must not be used.
type amfDecoder struct {
	b      []byte
	values int
}

// more reports whether any bytes are left.
func (d *amfDecoder) more() bool { return len(d.b) > 0 }

// value decodes the next value. Its error is errAMFHostile or errAMFInvalid.
func (d *amfDecoder) value() (any, error) { return d.decode(0) }

// all decodes what is left, up to the first value that cannot be decoded. Only a hostile message is an error.
func (d *amfDecoder) all() (values []any, err error) {
	for d.more() {
		v, err := d.value()
		if errors.Is(err, errAMFHostile) {
			return nil, err
		}
		if err != nil {
			break
		}
		values = append(values, v)
	}
	return values, nil
}

func (d *amfDecoder) decode(depth int) (any, error) {
	if d.values++; d.values > amfMaxValues || depth > amfMaxDepth {
		return nil, errAMFHostile
	}
	marker, err := d.take(1)
	if err != nil {
		return nil, err
	}
	switch marker[0] {
	case amfNumber:
		return d.number()
	case amfBoolean:
		b, err := d.take(1)
		return err == nil && b[0] != 0, err
	case amfString:
		return d.string(2)
	case amfLongString, amfXML:
		return d.string(4)
	case amfNull, amfUndefined, amfUnsupported:
		return nil, nil
	case amfReference:
		_, err := d.take(2)
		return nil, err
	case amfDate:
		at, err := d.number()
		if err == nil {
			_, err = d.take(2) // time zone, reserved
		}
		return at, err
	case amfStrictArray:
		return d.array(depth)
	case amfECMAArray:
		if _, err := d.take(4); err != nil { // a hint of the length that nobody keeps
			return nil, err
		}
		return d.object(depth)
	case amfTypedObject:
		if _, err := d.string(2); err != nil {
			return nil, err
		}
		return d.object(depth)
	case amfObjectStart:
		return d.object(depth)
	}
	return nil, errAMFInvalid // MovieClip and RecordSet are reserved, 0x11 turns to AMF 3
}

// object decodes properties up to the end marker. Some encoders leave that out at the end of a message.
func (d *amfDecoder) object(depth int) (any, error) {
	o := amfObject{}
	for d.more() {
		name, err := d.string(2)
		if err != nil {
			return nil, err
		}
		if name == "" && d.more() && d.b[0] == amfObjectEnd {
			d.b = d.b[1:]
			return o, nil
		}
		v, err := d.decode(depth + 1)
		if err != nil {
			return nil, err
		}
		o = append(o, amfProperty{name, v})
	}
	return o, nil
}

func (d *amfDecoder) array(depth int) (any, error) {
	b, err := d.take(4)
	if err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(len(d.b)) || int(n) > amfMaxValues-d.values { // every value has at least its marker
		return nil, errAMFHostile
	}
	list := make([]any, n)
	for i := range list {
		if list[i], err = d.decode(depth + 1); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (d *amfDecoder) number() (float64, error) {
	b, err := d.take(8)
	if err != nil {
		return 0, err
	}
	return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
}

// string decodes a string whose length takes width bytes. Bytes that are no UTF-8 become U+FFFD.
func (d *amfDecoder) string(width int) (string, error) {
	b, err := d.take(width)
	if err != nil {
		return "", err
	}
	n := uint64(0)
	for _, x := range b {
		n = n<<8 | uint64(x)
	}
	if n > uint64(len(d.b)) {
		return "", errAMFInvalid
	}
	s, _ := d.take(int(n))
	return strings.ToValidUTF8(string(s), "\uFFFD"), nil
}

func (d *amfDecoder) take(n int) ([]byte, error) {
	if len(d.b) < n {
		return nil, errAMFInvalid
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b, nil
}

// appendAMF appends v, which is one of the types that amfDecoder returns, as AMF 0. Strings beyond 65,535 bytes are cut.
func appendAMF(dst []byte, v any) []byte {
	switch v := v.(type) {
	case float64:
		return binary.BigEndian.AppendUint64(append(dst, amfNumber), math.Float64bits(v))
	case bool:
		if v {
			return append(dst, amfBoolean, 1)
		}
		return append(dst, amfBoolean, 0)
	case string:
		return appendAMFName(append(dst, amfString), v)
	case amfObject:
		dst = append(dst, amfObjectStart)
		for _, p := range v {
			dst = appendAMF(appendAMFName(dst, p.name), p.value)
		}
		return append(dst, 0, 0, amfObjectEnd)
	case []any:
		dst = binary.BigEndian.AppendUint32(append(dst, amfStrictArray), uint32(len(v)))
		for _, x := range v {
			dst = appendAMF(dst, x)
		}
		return dst
	}
	return append(dst, amfNull)
}

func appendAMFName(dst []byte, s string) []byte {
	s = s[:min(len(s), math.MaxUint16)]
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(s))), s...)
}
