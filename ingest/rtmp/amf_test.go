package rtmp

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/yutopp/go-amf0"
)

// deepAMF nests objects n levels deep, without ends.
func deepAMF(n int) []byte {
	return append(bytes.Repeat([]byte{amfObjectStart, 0, 1, 'a'}, n), amfNull)
}

// deepArrays nests strict arrays of one value.
func deepArrays(n int) []byte {
	return append(bytes.Repeat([]byte{amfStrictArray, 0, 0, 0, 1}, n), amfNull)
}

// amfCases are values on the wire. They seed the fuzzers as well.
var amfCases = []struct {
	name string
	wire []byte
	want any
	err  error
}{
	{name: "number", wire: []byte{0, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0}, want: 1.5},
	{name: "true", wire: []byte{1, 1}, want: true},
	{name: "false", wire: []byte{1, 0}, want: false},
	{name: "string", wire: []byte{2, 0, 3, 'a', 'b', 'c'}, want: "abc"},
	{name: "string that is no UTF-8", wire: []byte{2, 0, 2, 'a', 0xFF}, want: "a\uFFFD"},
	{name: "null", wire: []byte{5}},
	{name: "undefined", wire: []byte{6}},
	{name: "reference", wire: []byte{7, 0, 1}},
	{name: "unsupported", wire: []byte{0x0D}},
	{name: "object", wire: []byte{3, 0, 1, 'a', 1, 1, 0, 1, 'b', 5, 0, 0, 9}, want: amfObject{{"a", true}, {"b", nil}}},
	{name: "object with an empty name", wire: []byte{3, 0, 0, 1, 1, 0, 0, 9}, want: amfObject{{"", true}}},
	{name: "empty object", wire: []byte{3, 0, 0, 9}, want: amfObject{}},
	{name: "object without its end", wire: []byte{3, 0, 1, 'a', 1, 1}, want: amfObject{{"a", true}}},
	{name: "ECMA array", wire: []byte{8, 0xFF, 0xFF, 0xFF, 0xFF, 0, 1, 'a', 1, 1, 0, 0, 9}, want: amfObject{{"a", true}}},
	{name: "ECMA array without its end", wire: []byte{8, 0, 0, 0, 1, 0, 1, 'a', 1, 1}, want: amfObject{{"a", true}}},
	{name: "typed object", wire: []byte{0x10, 0, 1, 'T', 0, 1, 'a', 1, 1, 0, 0, 9}, want: amfObject{{"a", true}}},
	{name: "strict array", wire: []byte{0x0A, 0, 0, 0, 2, 1, 1, 5}, want: []any{true, nil}},
	{name: "date", wire: []byte{0x0B, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0, 0, 0}, want: 1.5},
	{name: "long string", wire: []byte{0x0C, 0, 0, 0, 1, 'a'}, want: "a"},
	{name: "XML", wire: []byte{0x0F, 0, 0, 0, 4, '<', 'a', '/', '>'}, want: "<a/>"},
	{name: "32 levels", wire: deepAMF(32), want: func() any {
		var v any
		for range 32 {
			v = amfObject{{"a", v}}
		}
		return v
	}()},

	{name: "33 levels", wire: deepAMF(33), err: errAMFHostile},
	{name: "100,000 levels", wire: deepAMF(100_000), err: errAMFHostile},
	{name: "100,000 arrays in arrays", wire: deepArrays(100_000), err: errAMFHostile},
	{name: "strict array of 2^31-1", wire: []byte{0x0A, 0x7F, 0xFF, 0xFF, 0xFF, 5}, err: errAMFHostile},
	{name: "strict array of 2^32-1", wire: []byte{0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 5}, err: errAMFHostile},
	{name: "strict array of many", wire: append([]byte{0x0A, 0, 0, 0x40, 0}, bytes.Repeat([]byte{5}, 0x4000)...), err: errAMFHostile},
	{name: "too many values", wire: append(append([]byte{3}, bytes.Repeat([]byte{0, 1, 'a', 5}, amfMaxValues)...), 0, 0, 9), err: errAMFHostile},
	{name: "nothing", err: errAMFInvalid},
	{name: "short number", wire: []byte{0, 1, 2}, err: errAMFInvalid},
	{name: "short boolean", wire: []byte{1}, err: errAMFInvalid},
	{name: "short string", wire: []byte{2, 0, 3, 'a'}, err: errAMFInvalid},
	{name: "short long string", wire: []byte{0x0C, 0xFF, 0xFF, 0xFF, 0xFF, 'a'}, err: errAMFInvalid},
	{name: "short name", wire: []byte{3, 0, 5, 'a'}, err: errAMFInvalid},
	{name: "short date", wire: []byte{0x0B, 0, 0, 0, 0, 0, 0, 0, 0, 0}, err: errAMFInvalid},
	{name: "MovieClip", wire: []byte{4}, err: errAMFInvalid},
	{name: "RecordSet", wire: []byte{0x0E}, err: errAMFInvalid},
	{name: "AMF 3", wire: []byte{0x11, 4, 1}, err: errAMFInvalid},
	{name: "unknown marker", wire: []byte{0x55}, err: errAMFInvalid},
	{name: "an end out of place", wire: []byte{9}, err: errAMFInvalid},
}

func TestAMFDecode(t *testing.T) {
	for _, c := range amfCases {
		t.Run(c.name, func(t *testing.T) {
			d := amfDecoder{b: c.wire}
			got, err := d.value()
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if err == nil && !reflect.DeepEqual(c.want, got) {
				t.Errorf("%v, want %v", got, c.want)
			}
			if err == nil && d.more() {
				t.Errorf("%d bytes left", len(d.b))
			}
		})
	}
}

func TestAMFEncode(t *testing.T) {
	for _, v := range []any{
		1.5, -1.0, math.Inf(1), true, false, "", "名前", nil, amfObject{}, amfObject{{"a", 1.0}, {"b", amfObject{{"c", nil}}}}, []any{}, []any{1.0, "x", []any{true}},
	} {
		d := amfDecoder{b: appendAMF(nil, v)}
		got, err := d.value()
		if err != nil || d.more() {
			t.Errorf("%v: %v, %d bytes left", v, err, len(d.b))
		}
		if !reflect.DeepEqual(v, got) {
			t.Errorf("%v became %v", v, got)
		}
	}
	d := amfDecoder{b: appendAMF(nil, strings.Repeat("a", 70_000))}
	if got, _ := d.value(); len(got.(string)) != math.MaxUint16 {
		t.Error("a long string was not cut")
	}
}

func TestAMFToJSON(t *testing.T) {
	o := amfObject{
		{"b", 1200.0},
		{"a", amfObject{{"x", math.NaN()}}},
		{"b", "again"},
		{"l", []any{math.Inf(-1), 0.5, []any{math.NaN()}}},
		{"名", "\u2028<"},
	}
	got, err := json.Marshal(o)
	want := `{"b":1200,"a":{"x":null},"l":[null,0.5,[null]],"名":"\u2028\u003c"}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}

// Nothing is decoded beyond the limits, and what is decoded can be encoded, read by the library's decoder, and said in
// JSON.
func FuzzAMF(f *testing.F) {
	for _, c := range amfCases {
		f.Add(c.wire)
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		d := amfDecoder{b: wire}
		vs, err := d.all()
		if err != nil {
			return
		}
		for _, v := range vs {
			encoded := appendAMF(nil, v)
			again := amfDecoder{b: encoded}
			if _, err := again.value(); err != nil || again.more() {
				t.Fatalf("%v is not decoded again: %v", v, err)
			}
			if o, ok := v.(amfObject); ok {
				if b, err := json.Marshal(o); err != nil || !json.Valid(b) {
					t.Fatalf("%v in JSON: %s, %v", v, b, err)
				}
			}
		}
		c, err := parseCommand(message{typeID: typeCommandAMF0, body: wire})
		if err != nil {
			return
		}
		for _, c.name = range []string{"connect", "createStream", "publish"} {
			theirs := amf0.NewDecoder(bytes.NewReader(c.canonical()))
			for range 3 {
				var v any
				if err := theirs.Decode(&v); err != nil {
					t.Fatalf("the library cannot decode %s: %v", c.name, err)
				}
			}
		}
	})
}
