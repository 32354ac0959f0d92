package configs

import _ "embed"

// Documented is the commented configuration file with every key at its default.
//
//go:embed vitrine.yaml
var Documented []byte
