package llhls

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// attrType is a value type of attribute lists (4.2).
type attrType uint8

const (
	quoted attrType = iota
	integer
	decimal
	signedDecimal
	enum
	resolution
	anyValue
)

var attrSyntax = map[attrType]*regexp.Regexp{
	quoted:        regexp.MustCompile(`^"[^"\r\n]*"$`),
	integer:       regexp.MustCompile(`^[0-9]{1,20}$`),
	decimal:       regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`),
	signedDecimal: regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`),
	enum:          regexp.MustCompile(`^[^",\s]+$`),
	resolution:    regexp.MustCompile(`^[0-9]+x[0-9]+$`),
	anyValue:      regexp.MustCompile(`^("[^"\r\n]*"|0[xX][0-9A-F]+|-?[0-9]+(\.[0-9]+)?)$`),
}

var attrName = regexp.MustCompile(`^[A-Z0-9-]+$`)

// tagAttrs are the attributes of the tags that this checker knows; a name beyond them is a violation.
var tagAttrs = map[string]map[string]attrType{
	"EXT-X-PART-INF":         {"PART-TARGET": decimal},
	"EXT-X-SERVER-CONTROL":   {"CAN-SKIP-UNTIL": decimal, "CAN-SKIP-DATERANGES": enum, "HOLD-BACK": decimal, "PART-HOLD-BACK": decimal, "CAN-BLOCK-RELOAD": enum},
	"EXT-X-MAP":              {"URI": quoted, "BYTERANGE": quoted},
	"EXT-X-PART":             {"URI": quoted, "DURATION": decimal, "INDEPENDENT": enum, "BYTERANGE": quoted, "GAP": enum},
	"EXT-X-SKIP":             {"SKIPPED-SEGMENTS": integer, "RECENTLY-REMOVED-DATERANGES": quoted},
	"EXT-X-PRELOAD-HINT":     {"TYPE": enum, "URI": quoted, "BYTERANGE-START": integer, "BYTERANGE-LENGTH": integer},
	"EXT-X-RENDITION-REPORT": {"URI": quoted, "LAST-MSN": integer, "LAST-PART": integer},
	"EXT-X-DATERANGE": {
		"ID": quoted, "CLASS": quoted, "START-DATE": quoted, "CUE": quoted, "END-DATE": quoted, "DURATION": decimal,
		"PLANNED-DURATION": decimal, "END-ON-NEXT": enum,
	},
	"EXT-X-STREAM-INF": {
		"BANDWIDTH": integer, "AVERAGE-BANDWIDTH": integer, "SCORE": decimal, "CODECS": quoted, "SUPPLEMENTAL-CODECS": quoted,
		"RESOLUTION": resolution, "FRAME-RATE": decimal, "HDCP-LEVEL": enum, "VIDEO-RANGE": enum, "AUDIO": quoted, "VIDEO": quoted,
		"SUBTITLES": quoted, "CLOSED-CAPTIONS": anyValue, "STABLE-VARIANT-ID": quoted,
	},
	"EXT-X-START": {"TIME-OFFSET": signedDecimal, "PRECISE": enum},
}

// attrs is one parsed attribute list; values keep their quotes.
type attrs map[string]string

// parseAttrs parses an attribute list strictly.
func parseAttrs(tag, list string) (attrs, error) {
	out := attrs{}
	for list != "" {
		name, rest, ok := strings.Cut(list, "=")
		if !ok || !attrName.MatchString(name) {
			return nil, fmt.Errorf("%s: attribute name %q", tag, name)
		}
		end := valueEnd(rest)
		value := rest[:end]
		if err := checkAttr(tag, name, value); err != nil {
			return nil, err
		}
		if _, twice := out[name]; twice {
			return nil, fmt.Errorf("%s: %s twice", tag, name)
		}
		out[name] = value
		list = rest[end:]
		if list == "" {
			return out, nil
		}
		if list = list[1:]; list == "" {
			return nil, fmt.Errorf("%s: ends in a comma", tag)
		}
	}
	return nil, fmt.Errorf("%s: no attributes", tag)
}

func valueEnd(s string) int {
	inQuotes := false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			inQuotes = !inQuotes
		case s[i] == ',' && !inQuotes:
			return i
		}
	}
	return len(s)
}

func checkAttr(tag, name, value string) error {
	typ, known := tagAttrs[tag][name]
	if !known {
		if tag != "EXT-X-DATERANGE" || !strings.HasPrefix(name, "X-") {
			return fmt.Errorf("%s: unknown attribute %s", tag, name)
		}
		typ = anyValue
	}
	if !attrSyntax[typ].MatchString(value) {
		return fmt.Errorf("%s: %s has value %s", tag, name, value)
	}
	return nil
}

func (a attrs) has(name string) bool { _, ok := a[name]; return ok }

func (a attrs) text(name string) string { return strings.Trim(a[name], `"`) }

func (a attrs) yes(name string) bool { return a[name] == "YES" }

func (a attrs) int(name string) int64 {
	n, _ := strconv.ParseInt(a[name], 10, 64)
	return n
}

func (a attrs) seconds(name string) time.Duration {
	d, _ := parseSeconds(a[name])
	return d
}

// parseSeconds converts a decimal number of seconds, exactly to the nanosecond.
func parseSeconds(s string) (time.Duration, error) {
	if !attrSyntax[decimal].MatchString(s) {
		return 0, fmt.Errorf("%q is no decimal number", s)
	}
	whole, frac, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 32)
	if err != nil {
		return 0, err
	}
	frac = (frac + "000000000")[:9]
	f, err := strconv.ParseInt(frac, 10, 64)
	return time.Duration(n)*time.Second + time.Duration(f), err
}

// parseDate reads an ISO 8601 date with a time zone, as every date of a playlist should have.
func parseDate(s string) (time.Time, error) { return time.Parse(time.RFC3339Nano, s) }
