package live

import "github.com/vitrine-live/vitrine/media"

// measured is a publication as its protocol sees it: what comes is measured before anything is made of it, and its place
// among the publishers is given back at the end.
type measured struct {
	media.Publication
	p *publication
}

// SetTracks implements media.Publication.
func (m measured) SetTracks(tracks []media.Track) error {
	m.p.meter.setTracks(tracks)
	return m.Publication.SetTracks(tracks)
}

// Write implements media.Publication.
func (m measured) Write(s media.Sample) error {
	m.p.meter.observe(s)
	return m.Publication.Write(s)
}

// Close implements media.Publication.
func (m measured) Close(reason media.CloseReason) {
	m.Publication.Close(reason)
	m.p.session.rooms.admission.leave(m.p.session.roomID)
}

// ReportEncoder implements media.Reporter.
func (m measured) ReportEncoder(name string) { m.p.meter.reportEncoder(name) }

// ReportAnomaly implements media.Reporter.
func (m measured) ReportAnomaly(a media.Anomaly) {
	if a != media.AnomalyUnwrap { // the counter wraps in sound streams too
		m.p.meter.reportAnomaly(m.p.session.rooms.Now())
	}
}
