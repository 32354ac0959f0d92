// Package account says who may do what: merchants and their stores, staff with roles, tokens with scopes, viewers, and the
// log of what staff did. It knows no HTTP.
package account
