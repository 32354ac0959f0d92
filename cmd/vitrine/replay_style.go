package main

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"github.com/vitrine-live/vitrine/replay/style"
)

// styleParts are what styled clips are made with.
type styleParts struct {
	clipAssets *style.Assets
}

// startStyle opens the folder of what merchants uploaded for their clips.
func (s *server) startStyle(context.Context) (_ func(context.Context) error, err error) {
	dir := s.data.file("clip-assets")
	s.clipAssets, err = style.OpenAssets(dir, style.AssetsConfig{
		FFmpeg: s.config.Transcode.FFmpeg, Reserve: int64(s.config.Recording.Reserve),
		Free: func() (int64, error) {
			var st unix.Statfs_t
			err := unix.Statfs(dir, &st)
			return int64(st.Bavail) * int64(st.Bsize), err //nolint:unconvert // its width differs by architecture
		},
	})
	return nil, err
}

// checkFont looks for what cards and captions are set in.
func checkFont(ctx context.Context, path string) finding {
	f := finding{name: "font of clips", hint: "install one (Debian: apt-get install fonts-noto-cjk) or set clips.font"}
	fonts, err := style.FindFonts(ctx, path)
	switch {
	case err != nil:
		f.verdict, f.text = bad, errors.Unwrap(err).Error()
	case !fonts.Chinese():
		f.verdict, f.text = worth, fonts.String()+": Chinese is left out of styled clips"
	default:
		f.text = fonts.String()
	}
	return f
}
