package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vitrine-live/vitrine/commerce/account"
	"github.com/vitrine-live/vitrine/commerce/exchange"
	"github.com/vitrine-live/vitrine/overlay"
)

// ProductImport is a file of products that is brought into a store, or was.
type ProductImport struct {
	ID        string     `json:"id" example:"imp_0123456789abcdef"`
	Format    string     `json:"format" enum:"csv,json"`
	DryRun    bool       `json:"dry_run" doc:"Everything is checked, nothing is written."`
	State     string     `json:"state" enum:"waiting,checking,applying,done,failed" doc:"failed: nothing was imported."`
	Read      int        `json:"rows_read"`
	Valid     int        `json:"rows_valid"`
	Applied   int        `json:"rows_applied"`
	Created   int        `json:"created" doc:"Products; of a dry run: that would be."`
	Updated   int        `json:"updated" doc:"Products; of a dry run: that would be."`
	Reason    string     `json:"reason,omitempty" doc:"Why it failed."`
	Errors    []RowError `json:"errors" doc:"What is wrong, at most 200."`
	By        string     `json:"by"`
	CreatedAt string     `json:"created_at"`
	EndedAt   *string    `json:"ended_at,omitempty"`
}

// RowError is what is wrong in one place of a file.
type RowError struct {
	Row     int    `json:"row" doc:"As a spreadsheet counts, the names of the columns being row 1; in JSON the product's place, from 1."`
	Column  string `json:"column"`
	Message string `json:"message"`
}

// ProductImportPath names an import of products.
type ProductImportPath struct {
	StorePath
	Job string `path:"job" doc:"The import's id."`
}

type productImportInput struct {
	StorePath
	Format      string `query:"format" enum:",csv,json" doc:"Without it: by how the file begins."`
	DryRun      bool   `query:"dry_run" doc:"Check everything, write nothing."`
	ContentType string `header:"Content-Type"`
	RawBody     []byte `contentType:"application/octet-stream"`
}

type productImportAnswer struct {
	Location string `header:"Location"`
	Body     ProductImport
}

func (s *Server) exchangeOperations() {
	const path = "/api/v1/stores/{store}/catalogue"
	tags := []string{"Products"}
	read, write := staff(account.CatalogueRead), staff(account.CatalogueWrite)
	anyFile := map[string]*huma.MediaType{}
	for _, kind := range []string{"text/csv", "application/json", "application/octet-stream"} {
		anyFile[kind] = &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
	}
	anyFile["multipart/form-data"] = &huma.MediaType{Schema: &huma.Schema{Type: "object", Properties: map[string]*huma.Schema{"file": {Type: "string", Format: "binary"}}}}
	operation(s, huma.Operation{
		OperationID: "import-products", Method: http.MethodPost, Path: path + "/imports", Tags: tags, Security: write, Summary: "Import products from CSV or JSON",
		Description:  "A file as export-products writes it, as the body itself or as the first file of a form: at most 16 MiB and 5000 SKUs. Products are found by product_id or by the code of a SKU and changed, others are made; what the file does not tell of stays. Everything is checked before anything is written, and all of it is written or nothing. The answer does not wait: ask for the import until its state is done or failed.",
		MaxBodyBytes: exchange.MaxBytes + 64<<10, SkipValidateBody: true, DefaultStatus: http.StatusAccepted, RequestBody: &huma.RequestBody{Required: true, Content: anyFile},
	}, s.importProducts)
	operation(s, huma.Operation{OperationID: "list-product-imports", Method: http.MethodGet, Path: path + "/imports", Tags: tags, Security: read, Summary: "List imports of products, newest first"}, s.listProductImports)
	operation(s, huma.Operation{OperationID: "get-product-import", Method: http.MethodGet, Path: path + "/imports/{job}", Tags: tags, Security: read, Summary: "Read how far an import of products is"},
		func(ctx context.Context, in *ProductImportPath) (*Body[ProductImport], error) {
			i, err := s.Importer.Store.Import(ctx, in.Store, in.Job)
			if err != nil {
				return nil, err
			}
			return &Body[ProductImport]{productImport(&i)}, nil
		})
	operation(s, huma.Operation{OperationID: "export-products", Method: http.MethodGet, Path: path + "/export", Tags: tags, Security: read, Summary: "Export all products to CSV or JSON", Description: "CSV has a row for each SKU and opens in spreadsheets. Importing it changes nothing."}, s.exportProducts)
}

func (s *Server) importProducts(ctx context.Context, in *productImportInput) (*productImportAnswer, error) {
	file, err := uploaded(in.ContentType, in.RawBody)
	if err != nil {
		return nil, err
	}
	format := exchange.Format(in.Format)
	if format == "" {
		format = exchange.FormatOf(file)
	}
	i, err := s.Importer.Start(ctx, in.Store, principal(ctx).ID, format, in.DryRun, file)
	if err != nil {
		return nil, err
	}
	return &productImportAnswer{Location: "/api/v1/stores/" + in.Store + "/catalogue/imports/" + i.ID, Body: productImport(&i)}, nil
}

func (s *Server) listProductImports(ctx context.Context, in *struct {
	StorePath
	PageInput
},
) (*Body[Page[ProductImport]], error) {
	limit := in.limit()
	imports, err := s.Importer.Store.Imports(ctx, in.Store, in.After, limit+1)
	if err != nil {
		return nil, err
	}
	out := Page[ProductImport]{Items: []ProductImport{}}
	for i := range imports[:min(limit, len(imports))] {
		out.Items = append(out.Items, productImport(&imports[i]))
	}
	if len(imports) > limit {
		out.Next = &imports[limit-1].ID
	}
	return &Body[Page[ProductImport]]{out}, nil
}

// exportProducts streams: a file that breaks off is seen as such, because the connection does too.
func (s *Server) exportProducts(_ context.Context, in *struct {
	StorePath
	Format string `query:"format" enum:"csv,json" default:"csv"`
},
) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		kind := "text/csv; charset=utf-8"
		if in.Format == string(exchange.JSON) {
			kind = "application/json"
		}
		ctx.SetHeader("Content-Type", kind)
		ctx.SetHeader("Content-Disposition", `attachment; filename="products.`+in.Format+`"`)
		ctx.SetHeader("Cache-Control", "no-store")
		if err := exchange.Write(ctx.Context(), exchange.Format(in.Format), ctx.BodyWriter(), s.Catalogue, in.Store); err != nil {
			s.Log.WarnContext(ctx.Context(), "an export broke off", "store", in.Store, "error", err)
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

func productImport(i *exchange.Import) ProductImport {
	out := ProductImport{
		ID: i.ID, Format: string(i.Format), DryRun: i.DryRun, State: string(i.State), Read: i.Read, Valid: i.Valid, Applied: i.Applied, Created: i.Created,
		Updated: i.Updated, Reason: i.Reason, Errors: make([]RowError, len(i.Errors)), By: i.By, CreatedAt: overlay.FormatWall(i.CreatedAt), EndedAt: optionalTime(i.EndedAt),
	}
	for n, e := range i.Errors {
		out.Errors[n] = RowError(e)
	}
	return out
}
