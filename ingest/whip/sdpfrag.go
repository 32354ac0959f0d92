package whip

import (
	"net/http"
	"strings"

	"github.com/pion/sdp/v3"
)

// maxCandidates is how many candidates of one fragment are looked at; browsers have a few for each interface.
const maxCandidates = 64

// fragment is the body of a PATCH (RFC 8840, 9): credentials, and candidates of the one bundled transport.
type fragment struct {
	ufrag, pwd string
	candidates []string // values of a=candidate
	end        bool     // of candidates
}

// readFragment reads a fragment. Each attribute may stand in the session part or in a media section; as all media are
// bundled, the sections do not differ.
func readFragment(body string) (f fragment, refused *refusal) {
	for line := range strings.Lines(body) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		if len(line) < 2 || line[1] != '=' {
			return f, refuse(BadRequest, http.StatusBadRequest, "the fragment has a line that is no SDP line (RFC 8840)")
		}
		if line[0] == 'a' {
			f.attribute(line[2:])
		}
	}
	if f.ufrag == "" || f.pwd == "" {
		return f, refuse(BadRequest, http.StatusBadRequest, "the fragment must have a=ice-ufrag and a=ice-pwd (RFC 8840, 9)")
	}
	return f, nil
}

func (f *fragment) attribute(s string) {
	key, value, _ := strings.Cut(s, ":")
	switch key {
	case "ice-ufrag":
		f.ufrag = value
	case "ice-pwd":
		f.pwd = value
	case "candidate":
		if len(f.candidates) < maxCandidates {
			f.candidates = append(f.candidates, value)
		}
	case "end-of-candidates":
		f.end = true
	}
}

// writeFragment renders the ICE part of an answer, as the response to an ICE restart carries it.
func writeFragment(answer *sdp.SessionDescription) string {
	var b strings.Builder
	line := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
		b.WriteString("\r\n")
	}
	for _, a := range answer.Attributes {
		if a.Key == "ice-options" || a.Key == "group" || a.Key == "ice-lite" {
			line("a=", a.String())
		}
	}
	for _, m := range answer.MediaDescriptions {
		line("m=", m.MediaName.String())
		for _, a := range m.Attributes {
			switch a.Key {
			case "mid", "ice-ufrag", "ice-pwd", "candidate", "end-of-candidates":
				line("a=", a.String())
			}
		}
	}
	return b.String()
}

// credentials returns the ICE credentials of a description: those of its first section, or of the session.
func credentials(desc *sdp.SessionDescription) (ufrag, pwd string) {
	ufrag, _ = desc.Attribute("ice-ufrag")
	pwd, _ = desc.Attribute("ice-pwd")
	for _, m := range desc.MediaDescriptions {
		if u, ok := m.Attribute("ice-ufrag"); ok {
			p, _ := m.Attribute("ice-pwd")
			return u, p
		}
	}
	return ufrag, pwd
}
