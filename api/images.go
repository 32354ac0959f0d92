package api

import (
	"bytes"
	"context"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/exchange"
	"github.com/vitrine-live/vitrine/commerce/picture"
	"github.com/vitrine-live/vitrine/internal/errs"
	"github.com/vitrine-live/vitrine/overlay"
	"github.com/vitrine-live/vitrine/store/blob"
)

// CatalogueDeps are what stands behind products, beside the catalogue.
type CatalogueDeps struct {
	// StockChanged is called when staff changed the pieces of SKUs; nil: nobody is told.
	StockChanged func(ctx context.Context, skuIDs []string)
	Pictures     *picture.Pictures
	Media        Media // the files of Pictures
	Importer     *exchange.Importer
}

// Media keeps the files of pictures.
type Media interface {
	Get(ctx context.Context, name string) (*blob.File, error)
}

// Image is a picture of a store.
type Image struct {
	ID        string         `json:"id" doc:"Of its content: the same file again is the same image."`
	URL       string         `json:"url" doc:"To put into a product's images: the largest."`
	Width     int            `json:"width"`
	Height    int            `json:"height"`
	Variants  []ImageVariant `json:"variants" doc:"The widths that there are, the largest first. An image that is smaller is not blown up."`
	Used      bool           `json:"used" doc:"Whether a product shows it or did."`
	CreatedAt string         `json:"created_at"`
}

// ImageVariant is a picture in one width.
type ImageVariant struct {
	Width int    `json:"width" doc:"At most so wide."`
	URL   string `json:"url"`
}

// ImageList is pictures of a store.
type ImageList struct {
	Items []Image `json:"items"`
}

type imageInput struct {
	StorePath
	ContentType string `header:"Content-Type"`
	RawBody     []byte `contentType:"application/octet-stream"`
}

func (s *Server) imageOperations() {
	const path = "/api/v1/stores/{store}/images"
	write := staff(account.CatalogueWrite)
	anyImage := map[string]*huma.MediaType{}
	for _, kind := range []string{"image/jpeg", "image/png", "image/gif", "image/webp", "application/octet-stream"} {
		anyImage[kind] = &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
	}
	anyImage["multipart/form-data"] = &huma.MediaType{Schema: &huma.Schema{Type: "object", Properties: map[string]*huma.Schema{"file": {Type: "string", Format: "binary"}}}}
	operation(s, huma.Operation{
		OperationID: "upload-image", Method: http.MethodPost, Path: path, Tags: []string{"Products"}, Security: write, Summary: "Upload an image",
		Description:  "JPEG, PNG, GIF (its first picture) or WebP of at most 10 MiB and 25 megapixels, as the body itself or as the first file of a form. It is turned upright, freed of all that is no picture (places, cameras, comments), and kept in a few widths. Sending the same file again is the same image: no Idempotency-Key is needed.",
		MaxBodyBytes: picture.MaxBytes + 64<<10, DefaultStatus: http.StatusCreated, SkipValidateBody: true, RequestBody: &huma.RequestBody{Required: true, Content: anyImage},
	}, s.uploadImage)
	operation(s, huma.Operation{OperationID: "list-unused-images", Method: http.MethodGet, Path: path, Tags: []string{"Products"}, Security: staff(account.CatalogueRead), Summary: "List images that no product ever showed, oldest first", Description: "At most 1000."},
		func(ctx context.Context, in *StorePath) (*Body[ImageList], error) {
			images, err := s.Pictures.Unused(ctx, in.Store)
			if err != nil {
				return nil, err
			}
			out := ImageList{Items: make([]Image, len(images))}
			for i := range images {
				out.Items[i] = imageOf(&images[i])
			}
			return &Body[ImageList]{out}, nil
		})
	operation(s, huma.Operation{OperationID: "delete-image", Method: http.MethodDelete, Path: path + "/{image}", Tags: []string{"Products"}, Security: write, Summary: "Delete an image that no product ever showed", DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *struct {
			StorePath
			Image string `path:"image" doc:"The image's id."`
		},
		) (*Empty, error) {
			return &Empty{}, s.Pictures.Delete(ctx, in.Store, in.Image)
		})
	s.mux.HandleFunc("GET /media/{name}", s.media)
}

func (s *Server) uploadImage(ctx context.Context, in *imageInput) (*Body[Image], error) {
	file, err := uploaded(in.ContentType, in.RawBody)
	if err != nil {
		return nil, err
	}
	img, err := s.Pictures.Add(ctx, in.Store, file)
	if err != nil {
		return nil, err
	}
	return &Body[Image]{imageOf(&img)}, nil
}

// uploaded is the file in a body: the body itself, or the first file of a form.
func uploaded(contentType string, body []byte) ([]byte, error) {
	const op = "api.uploaded"
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" {
		return body, nil
	}
	form := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for {
		part, err := form.NextPart()
		if err != nil {
			return nil, errs.Field(op, "file", "the form holds no file")
		}
		if part.FileName() == "" {
			continue
		}
		file, err := io.ReadAll(part)
		if err != nil {
			return nil, errs.Field(op, "file", "the form is damaged")
		}
		return file, nil
	}
}

// media serves a file for good: a name stands for one content.
func (s *Server) media(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if s.Media == nil {
		s.notPlayable(w, r, errs.New(errs.NotFound, "api.media", "there is no such file"))
		return
	}
	file, err := s.Media.Get(r.Context(), name)
	if err != nil {
		s.notPlayable(w, r, err)
		return
	}
	defer file.Close()
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	if strings.HasSuffix(name, ".png") {
		h.Set("Content-Type", "image/png")
	}
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("ETag", `"`+name+`"`)
	http.ServeContent(w, r, name, file.Modified, file)
}

func imageOf(i *picture.Image) Image {
	out := Image{ID: i.ID, URL: i.URL(picture.Widths[0]), Width: i.Width, Height: i.Height, Used: i.Used, CreatedAt: overlay.FormatWall(i.CreatedAt)}
	for _, w := range picture.Widths {
		out.Variants = append(out.Variants, ImageVariant{Width: w, URL: i.URL(w)})
	}
	return out
}
