package exchange

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/vitrine-live/vitrine/internal/errs"
)

var bom = []byte("\xef\xbb\xbf")

// text is a file in UTF-8 without its mark. Chinese spreadsheets save GBK, which is told by not being UTF-8.
func text(b []byte) ([]byte, error) {
	const op = "exchange.text"
	if bytes.HasPrefix(b, []byte("PK\x03\x04")) || bytes.HasPrefix(b, []byte("\xd0\xcf\x11\xe0")) {
		return nil, errs.Field(op, "file", "this is a spreadsheet: save it as CSV (UTF-8) and send that")
	}
	if bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) {
		return nil, errs.Field(op, "file", "the file is in UTF-16: save it as CSV (UTF-8) and send that")
	}
	b = bytes.TrimPrefix(b, bom)
	if utf8.Valid(b) {
		return b, nil
	}
	converted, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b)
	if err != nil || bytes.ContainsRune(converted, utf8.RuneError) {
		return nil, errs.Field(op, "file", "the file is neither in UTF-8 nor in GBK: save it as CSV (UTF-8) and send that")
	}
	return converted, nil
}
