package configs

import (
	"github.com/vitrine-live/vitrine/commerce"
	"github.com/vitrine-live/vitrine/internal/errs"
)

// Catalogue configures what products are looked at for before they are shown and sold.
type Catalogue struct {
	Claims         bool     `yaml:"claims"`
	ForbiddenWords []string `yaml:"forbidden_words"`
	LinkDomains    []string `yaml:"link_domains"`
	RequireImage   bool     `yaml:"require_image"`
}

func defaultCatalogue() Catalogue { return Catalogue{Claims: true, RequireImage: true} }

func (c *Catalogue) validate(check func(bool, string, string, ...any)) {
	for key, rules := range map[string]commerce.Rules{
		"catalogue.forbidden_words": {Words: c.ForbiddenWords}, "catalogue.link_domains": {Domains: c.LinkDomains},
	} {
		if err := rules.Validate(); err != nil {
			check(false, key, "%s", errs.MessageOf(err))
		}
	}
}
