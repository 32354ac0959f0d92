// Package picture takes pictures of products: it looks at what is uploaded before it decodes it, turns it upright, drops
// all that is no picture, and keeps it in a few widths.
package picture
