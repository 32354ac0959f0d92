package ts

// Bandwidth returns the bits per second that MPEG-TS needs at most to carry CMAF of the given bits per second, for the
// BANDWIDTH of a playlist that must not be below the peak.
//
// Four header bytes follow 184 of payload; what a run box says of a sample outweighs its ADTS header. On top, each PES
// packet (60 pictures and 12 groups of sound a second) may need 33 bytes of headers and a packet that is nearly all
// stuffing: 128 kbit/s, with tables and parameter sets below 150.
func Bandwidth(cmaf int) int {
	return cmaf + cmaf/46 + 150_000
}
