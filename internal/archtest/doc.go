// Package archtest keeps the rules of the house as tests: which package may import which and why, that every package
// says what it is, that names say something, and that files and functions stay readable.
package archtest
