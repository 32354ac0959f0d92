package api

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// schemaName names a type in the API's description. The words of orders are short in their own package and need theirs
// beside those of others.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	pkg := t.PkgPath()
	switch {
	case strings.HasSuffix(pkg, "/commerce/order") && name == "View":
		return "Order"
	case strings.HasSuffix(pkg, "/commerce/order"):
		return "Order" + strings.TrimSuffix(name, "View")
	case strings.HasSuffix(pkg, "/commerce") && name == "Attribute":
		return "Variant" + name
	}
	return name
}
