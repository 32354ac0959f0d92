package playlist

// Append renders EXT-X-DATERANGE (4.4.5.1) behind dst. A range whose end is known carries END-DATE, never before its
// start.
func (d *DateRange) Append(dst []byte) []byte {
	dst = append(dst, "#EXT-X-DATERANGE:ID="...)
	dst = appendQuoted(dst, d.ID)
	if d.Class != "" {
		dst = append(dst, ",CLASS="...)
		dst = appendQuoted(dst, d.Class)
	}
	dst = append(dst, `,START-DATE="`...)
	dst = appendDate(dst, d.Start)
	dst = append(dst, '"')
	if !d.End.IsZero() {
		end := d.End
		if end.Before(d.Start) {
			end = d.Start
		}
		dst = append(dst, `,END-DATE="`...)
		dst = appendDate(dst, end)
		dst = append(dst, '"')
	}
	for _, a := range d.Attrs {
		dst = append(dst, ',')
		dst = append(dst, a.Name...)
		dst = append(dst, '=')
		if a.Number {
			dst = append(dst, a.Value...)
		} else {
			dst = appendQuoted(dst, a.Value)
		}
	}
	return append(dst, '\n')
}
