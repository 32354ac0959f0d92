package commerce

// Source says by which way a viewer came to what they clicked or ordered.
type Source string

// The sources.
const (
	SourceLive      Source = "live"
	SourceTimeShift Source = "time_shift"
	SourceReplay    Source = "replay"
	SourceClip      Source = "clip"
	SourceExternal  Source = "external" // outside any show: a shared link, a mall's own page
)

// Valid reports whether s is one of the sources.
func (s Source) Valid() bool {
	switch s {
	case SourceLive, SourceTimeShift, SourceReplay, SourceClip, SourceExternal:
		return true
	}
	return false
}

// Attribution ties an act of a viewer to the place in a show that it came from. Empty fields are unknown. It decides no
// price: it is what the page says.
type Attribution struct {
	ShowID     string `json:"show_id,omitempty"`
	PinID      string `json:"pin_id,omitempty"`
	ShowTimeMS int64  `json:"show_time_ms,omitempty"`
	Source     Source `json:"source,omitempty"`
	ShareCode  string `json:"share_code,omitempty"`
	Channel    string `json:"channel,omitempty"`
}
