// Package commerce holds what is sold and its rules: money, products, the catalogue and a room's product bag. It knows
// no HTTP, no media and no database: a room is an identifier to it, and storage is a small interface.
package commerce
