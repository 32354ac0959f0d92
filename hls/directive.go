package hls

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/vitrine-live/vitrine/internal/errs"
)

// directives are the delivery directives of a playlist request (6.2.5). Other query parameters mean nothing here.
type directives struct {
	msn  int64 // -1: answer at once
	part int   // -1: none
	skip bool
}

func parseDirectives(query string) (directives, error) {
	const op = "hls.directives"
	d := directives{msn: -1, part: -1}
	if !strings.Contains(query, "_HLS_") {
		return d, nil
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return d, errs.New(errs.Invalid, op, "the query cannot be read")
	}
	if values.Has("_HLS_msn") {
		msn, err := strconv.ParseUint(values.Get("_HLS_msn"), 10, 53)
		if err != nil {
			return d, errs.Field(op, "_HLS_msn", "not a media sequence number")
		}
		d.msn = int64(msn)
	}
	if values.Has("_HLS_part") {
		part, err := strconv.ParseUint(values.Get("_HLS_part"), 10, 31)
		switch {
		case err != nil:
			return d, errs.Field(op, "_HLS_part", "not a part index")
		case d.msn < 0:
			return d, errs.Field(op, "_HLS_part", "needs _HLS_msn")
		}
		d.part = int(min(part, maxPart))
	}
	skip := values.Get("_HLS_skip")
	d.skip = skip == "YES" || skip == "v2"
	return d, nil
}
