package api

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.html.tmpl
var docsTemplate string

// docs serves the API's documentation, made from the same description as /openapi.json, without any script or any other
// host, so that it works in a closed network.
func docs(o *huma.OpenAPI) http.HandlerFunc {
	page := sync.OnceValue(func() []byte { return renderDocs(o) })
	return func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		h.Set("Cache-Control", "no-cache")
		_, _ = w.Write(page()) // the client is gone when this fails
	}
}

// renderDocs makes the page once; the description does not change while the server runs.
func renderDocs(o *huma.OpenAPI) []byte {
	var b bytes.Buffer
	t := template.Must(template.New("docs").Parse(docsTemplate))
	if err := t.Execute(&b, describeAPI(o)); err != nil {
		panic(err) // the template and the description are both part of the program
	}
	return b.Bytes()
}

type docsGroup struct {
	Name, Description string
	Operations        []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary, Description string
	Access                                 string // who may, "" for everyone
	Params, Request, Response              []docsField
	Curl                                   string
}

type docsField struct{ Name, Type, Description string }

type docsPageData struct {
	Title, Version, Description string
	Groups                      []docsGroup
}

func describeAPI(o *huma.OpenAPI) docsPageData {
	data := docsPageData{Title: o.Info.Title, Version: o.Info.Version, Description: o.Info.Description}
	for _, tag := range o.Tags {
		g := docsGroup{Name: tag.Name, Description: tag.Description}
		for path, item := range o.Paths {
			for method, op := range methods(item) {
				if op != nil && len(op.Tags) > 0 && op.Tags[0] == tag.Name {
					g.Operations = append(g.Operations, describeOperation(o, method, path, op))
				}
			}
		}
		slices.SortFunc(g.Operations, func(a, b docsOperation) int {
			return cmp.Or(strings.Compare(a.Path, b.Path), methodOrder(a.Method)-methodOrder(b.Method))
		})
		data.Groups = append(data.Groups, g)
	}
	return data
}

func methods(p *huma.PathItem) map[string]*huma.Operation {
	return map[string]*huma.Operation{
		http.MethodGet: p.Get, http.MethodPost: p.Post, http.MethodPut: p.Put, http.MethodPatch: p.Patch, http.MethodDelete: p.Delete,
	}
}

// methodOrder lists reading before writing before deleting.
func methodOrder(m string) int {
	return slices.Index([]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, m)
}

func describeOperation(o *huma.OpenAPI, method, path string, op *huma.Operation) docsOperation {
	d := docsOperation{ID: op.OperationID, Method: method, Path: path, Summary: op.Summary, Description: op.Description, Access: accessOf(op).described()}
	for _, p := range op.Parameters {
		d.Params = append(d.Params, docsField{p.Name, p.In + " " + typeName(p.Schema), p.Description})
	}
	var example map[string]any
	if op.RequestBody != nil {
		if c := op.RequestBody.Content["application/json"]; c != nil {
			d.Request, example = fields(o, c.Schema), exampleOf(o, c.Schema)
		}
	}
	for status, r := range op.Responses {
		if strings.HasPrefix(status, "2") && r.Content["application/json"] != nil {
			d.Response = fields(o, r.Content["application/json"].Schema)
		}
	}
	d.Curl = curl(method, path, d.Access != "", example)
	return d
}

func resolve(o *huma.OpenAPI, s *huma.Schema) *huma.Schema {
	if s != nil && s.Ref != "" {
		return o.Components.Schemas.SchemaFromRef(s.Ref)
	}
	return s
}

func fields(o *huma.OpenAPI, s *huma.Schema) []docsField {
	s = resolve(o, s)
	if s == nil {
		return nil
	}
	names := make([]string, 0, len(s.Properties))
	for name := range s.Properties {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if ra, rb := slices.Contains(s.Required, a), slices.Contains(s.Required, b); ra != rb {
			if ra {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	out := make([]docsField, 0, len(names))
	for _, name := range names {
		p := s.Properties[name]
		t := typeName(p)
		if !slices.Contains(s.Required, name) {
			t += ", optional"
		}
		out = append(out, docsField{name, t, p.Description})
	}
	return out
}

func typeName(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
	case s.Type == huma.TypeArray:
		return "list of " + typeName(s.Items)
	case len(s.Enum) > 0:
		names := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			b, err := json.Marshal(v)
			if err == nil {
				names[i] = strings.Trim(string(b), `"`)
			}
		}
		return strings.Join(names, " | ")
	}
	return s.Type
}

// exampleOf makes a body with the required fields of s.
func exampleOf(o *huma.OpenAPI, s *huma.Schema) map[string]any {
	s = resolve(o, s)
	out := map[string]any{}
	for _, name := range s.Required {
		switch p := s.Properties[name]; {
		case len(p.Examples) > 0:
			out[name] = p.Examples[0]
		case p.Type == huma.TypeInteger || p.Type == huma.TypeNumber:
			out[name] = 19900
		case p.Type == huma.TypeArray:
			out[name] = []string{}
		case p.Format == "date-time":
			out[name] = "2026-01-02T20:00:00Z"
		case name == "currency":
			out[name] = "CNY"
		default:
			out[name] = "..."
		}
	}
	return out
}

func curl(method, path string, token bool, body map[string]any) string {
	b := strings.Builder{}
	b.WriteString("curl")
	if method != http.MethodGet {
		b.WriteString(" -X " + method)
	}
	if token {
		b.WriteString(" -H \"Authorization: Bearer $TOKEN\"")
	}
	if body != nil {
		doc, err := json.Marshal(body)
		if err == nil {
			b.WriteString(" -H 'Content-Type: application/json' -d '" + string(doc) + "'")
		}
	}
	b.WriteString(" $SERVER" + path)
	return b.String()
}
