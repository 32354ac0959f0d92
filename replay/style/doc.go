// Package style makes clips fit to be posted: it reframes them, lays cards of the products with price and QR code, captions
// and a watermark over the picture, puts an intro before and an outro behind, and brings the sound to one loudness.
//
// Everything that is written on the picture is drawn here, in Go, into a few PNG files; ffmpeg only lays them over. So no
// text of anybody ever stands in a filter's arguments, and ffmpeg needs neither libass nor FreeType.
package style
