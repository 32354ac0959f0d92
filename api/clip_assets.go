package api

import (
	"context"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/replay/style"
)

// StyleDeps are what stands behind styled clips.
type StyleDeps struct {
	ClipAssets *style.Assets
}

// ClipAsset is a file that styled clips are made with.
type ClipAsset struct {
	ID         string `json:"id" example:"ast_0123456789abcdef" doc:"For the watermark, intro or outro of a clip's style."`
	Kind       string `json:"kind" enum:"watermark,intro,outro"`
	Name       string `json:"name"`
	Width      int    `json:"width" doc:"Pixels, as it is kept."`
	Height     int    `json:"height"`
	DurationMS int64  `json:"duration_ms,omitempty" doc:"How long a video is."`
	Bytes      int64  `json:"bytes"`
	URL        string `json:"url" doc:"Its file, a PNG image or an MP4 film, for staff of the store."`
	CreatedAt  string `json:"created_at"`
}

// ClipAssetList is assets of a store.
type ClipAssetList struct {
	Items []ClipAsset `json:"items"`
}

// ClipAssetPath names an asset in an address.
type ClipAssetPath struct {
	StorePath
	Asset string `path:"asset" doc:"The asset's id."`
}

// longestUpload is how long an asset may be on its way.
const longestUpload = 15 * time.Minute

// clipAssetInput keeps the body unread: it goes to a file as it comes.
type clipAssetInput struct {
	StorePath
	Kind        string `query:"kind" required:"true" enum:"watermark,intro,outro" doc:"What it is for."`
	Name        string `query:"name" maxLength:"120" doc:"What to call it. Default: the name of the file in a form."`
	ContentType string `header:"Content-Type"`
	body        io.Reader
}

// Resolve is called by huma before the operation.
func (in *clipAssetInput) Resolve(ctx huma.Context) []error {
	_ = ctx.SetReadDeadline(time.Now().Add(longestUpload)) // of tests' recorders there is none
	in.body = ctx.BodyReader()
	return nil
}

func (s *Server) clipAssetOperations() {
	const path, tag = "/api/v1/stores/{store}/clip-assets", "Clips"
	read, write := staff(account.RoomsRead), staff(account.ReplayWrite)
	content := map[string]*huma.MediaType{
		"multipart/form-data": {Schema: &huma.Schema{Type: "object", Properties: map[string]*huma.Schema{"file": {Type: "string", Format: "binary"}}}},
	}
	for _, kind := range []string{"image/png", "image/jpeg", "video/mp4", "video/quicktime", "video/webm", "application/octet-stream"} {
		content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
	}
	operation(s, huma.Operation{
		OperationID: "upload-clip-asset", Method: http.MethodPost, Path: path, Tags: []string{tag}, Security: write, Summary: "Upload a watermark, intro or outro for styled clips",
		Description:   "As the body itself, or as the first file of a form. A watermark is a PNG (which may let shine through) or JPEG of at most 10 MiB and 25 megapixels. An intro or outro is a video of at most 60 seconds, 200 MiB and 4096 x 2304; it is encoded anew before the answer comes, and fitted to the frame of each clip. Send no Idempotency-Key.",
		DefaultStatus: http.StatusCreated,
	}, s.uploadClipAsset)
	// Described only now: a body that is described before is read into memory as a whole.
	s.api.OpenAPI().Paths[path].Post.RequestBody = &huma.RequestBody{Required: true, Content: content}
	operation(s, huma.Operation{OperationID: "list-clip-assets", Method: http.MethodGet, Path: path, Tags: []string{tag}, Security: read, Summary: "List what styled clips may be made with, newest first"},
		func(_ context.Context, in *StorePath) (*Body[ClipAssetList], error) {
			assets, err := s.ClipAssets.List(in.Store)
			if err != nil {
				return nil, err
			}
			out := ClipAssetList{Items: make([]ClipAsset, len(assets))}
			for i := range assets {
				out.Items[i] = clipAssetOf(&assets[i])
			}
			return &Body[ClipAssetList]{out}, nil
		})
	operation(s, huma.Operation{OperationID: "get-clip-asset-file", Method: http.MethodGet, Path: path + "/{asset}/file", Tags: []string{tag}, Security: read, Summary: "Get the file of a clip asset", Description: "A PNG image or an MP4 film, as it is kept."}, s.clipAssetFile)
	operation(s, huma.Operation{OperationID: "delete-clip-asset", Method: http.MethodDelete, Path: path + "/{asset}", Tags: []string{tag}, Security: write, Summary: "Delete a clip asset", Description: "Clips that are made keep what they have of it; those that wait and name it fail.", DefaultStatus: http.StatusNoContent},
		func(_ context.Context, in *ClipAssetPath) (*Empty, error) {
			return &Empty{}, s.ClipAssets.Delete(in.Store, in.Asset)
		})
}

func (s *Server) uploadClipAsset(ctx context.Context, in *clipAssetInput) (*Body[ClipAsset], error) {
	body, name, err := streamed(in.ContentType, in.body)
	if err != nil {
		return nil, err
	}
	if in.Name != "" {
		name = in.Name
	}
	asset, err := s.ClipAssets.Add(ctx, in.Store, style.Kind(in.Kind), name, body)
	if err != nil {
		return nil, err
	}
	return &Body[ClipAsset]{clipAssetOf(&asset)}, nil
}

// streamed is the file in a body, the body itself or the first file of a form, as it comes, and what it calls itself.
func streamed(contentType string, body io.Reader) (io.Reader, string, error) {
	const op = "api.streamed"
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" {
		return body, "", nil
	}
	form := multipart.NewReader(body, params["boundary"])
	for {
		part, err := form.NextPart()
		if err != nil {
			return nil, "", errs.Field(op, "file", "the form holds no file")
		}
		if name := part.FileName(); name != "" {
			return part, clipped(name), nil
		}
	}
}

// clipped is a file's name no longer than an asset's.
func clipped(name string) string {
	if r := []rune(name); len(r) > 120 {
		return string(r[:120])
	}
	return name
}

// clipAssetFile lets ranges of a film be asked for, as browsers do.
func (s *Server) clipAssetFile(ctx context.Context, in *struct {
	ClipAssetPath
	Range string `header:"Range"`
},
) (*huma.StreamResponse, error) {
	f, asset, err := s.ClipAssets.Open(in.Store, in.Asset)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer f.Close()
		kind := "video/mp4"
		if asset.Kind == style.Watermark {
			kind = "image/png"
		}
		w := &streamWriter{hc, http.Header{}}
		w.header.Set("Content-Type", kind)
		w.header.Set("Cache-Control", "private, max-age=86400")
		w.header.Set("X-Content-Type-Options", "nosniff")
		w.header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
		w.header.Set("ETag", strconv.Quote(asset.ID))
		r := &http.Request{Method: http.MethodGet, Header: http.Header{}}
		if in.Range != "" {
			r.Header.Set("Range", in.Range)
		}
		http.ServeContent(w, r.WithContext(ctx), "", asset.CreatedAt, f)
	}}, nil
}

// streamWriter lets http.ServeContent write into an answer of the API.
type streamWriter struct {
	ctx    huma.Context
	header http.Header
}

func (w *streamWriter) Header() http.Header { return w.header }

func (w *streamWriter) WriteHeader(status int) {
	for key := range w.header {
		w.ctx.SetHeader(key, w.header.Get(key))
	}
	w.ctx.SetStatus(status)
}

func (w *streamWriter) Write(b []byte) (int, error) { return w.ctx.BodyWriter().Write(b) }

func clipAssetOf(a *style.Asset) ClipAsset {
	return ClipAsset{
		ID: a.ID, Kind: string(a.Kind), Name: a.Name, Width: a.Width, Height: a.Height, DurationMS: a.Millis, Bytes: a.Bytes,
		URL: "/api/v1/stores/" + a.StoreID + "/clip-assets/" + a.ID + "/file", CreatedAt: overlay.FormatWall(a.CreatedAt),
	}
}
