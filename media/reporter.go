package media

// Reporter is implemented by publications that take what a protocol learns of its publisher beside the samples. A
// protocol looks for it when its publish is accepted: `r, ok := pub.(media.Reporter)`. Its methods are safe for concurrent use.
type Reporter interface {
	// ReportEncoder says what the publisher calls itself, where that is known only after the publish began, as from
	// RTMP's onMetaData. It is for people alone; at most some 120 printable characters make sense.
	ReportEncoder(name string)
	// ReportAnomaly tells of one timestamp that had to be mended before the sample could be written.
	ReportAnomaly(a Anomaly)
}
