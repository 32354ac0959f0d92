// Package exchange carries products between the catalogue and files: CSV for spreadsheets, with a row for each SKU, and
// JSON for programs. What it writes it reads back as the same; an import does all that a file tells, or nothing.
package exchange

import (
	"context"
	"io"

	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// Format is a kind of file.
type Format string

// The formats.
const (
	CSV  Format = "csv"
	JSON Format = "json"
)

// The limits of an import: its rows are written in one transaction, which others wait for.
const (
	MaxBytes = 16 << 20
	MaxRows  = 5000 // SKUs
)

// File is what a file tells.
type File struct {
	Products []commerce.Imported
	Rows     int                 // read
	Errors   []commerce.RowError // of rows that could not be read
	Failed   int                 // how many errors there are; Errors has the first commerce.MaxRowErrors
}

func (f *File) wrong(row int, column, message string) {
	f.Failed++
	if len(f.Errors) < commerce.MaxRowErrors {
		f.Errors = append(f.Errors, commerce.RowError{Row: row, Column: column, Message: message})
	}
}

// Read reads a file. An error says that it is none of its format at all; what is wrong in single rows is in the File.
func Read(format Format, b []byte) (*File, error) {
	if len(b) > MaxBytes {
		return nil, errs.Field("exchange.Read", "file", "the file is larger than %d MiB: split it", MaxBytes>>20)
	}
	if format == JSON {
		return readJSON(b)
	}
	return readCSV(b)
}

// Write writes all products of a store, newest first, as they are read.
func Write(ctx context.Context, format Format, w io.Writer, c *commerce.Catalogue, storeID string) error {
	var out interface {
		product(p *commerce.Product) error
		end() error
	} = newCSVWriter(w)
	if format == JSON {
		out = &jsonWriter{w: w}
	}
	if err := c.Each(ctx, storeID, out.product); err != nil {
		return err
	}
	return out.end()
}
