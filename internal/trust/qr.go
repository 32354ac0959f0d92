package trust

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/skip2/go-qrcode"
)

// qr draws text as a QR code: one SVG path of dark modules, with the quiet zone around it. It returns "" for a text too
// long for a code.
func qr(text string) template.HTML {
	code, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return ""
	}
	rows := code.Bitmap()
	var path strings.Builder
	for y, row := range rows {
		for x := 0; x < len(row); {
			from := x
			for x < len(row) && row[x] {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
			}
			for x < len(row) && !row[x] {
				x++
			}
		}
	}
	return template.HTML(fmt.Sprintf( //nolint:gosec // numbers alone
		`<svg class="qr" viewBox="0 0 %d %d" role="img" aria-label="QR" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path d="%s"/></svg>`,
		len(rows), len(rows), len(rows), len(rows), path.String()))
}
