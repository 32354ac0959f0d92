package api

import (
	"golang.org/x/text/language"

	"github.com/vitrine-live/vitrine/live"
)

// LanguageInput learns in which language a person is to be told things.
type LanguageInput struct {
	AcceptLanguage string `header:"Accept-Language" doc:"The language of warnings: English or Chinese (zh-CN). Default English."`
}

// Whoever reads traditional characters reads simplified ones better than English.
var (
	spoken  = []live.Language{live.English, live.Chinese, live.Chinese}
	matcher = language.NewMatcher([]language.Tag{language.English, language.SimplifiedChinese, language.TraditionalChinese})
)

// language is the one of ours that suits the person best.
func (l LanguageInput) language() live.Language {
	_, i := language.MatchStrings(matcher, l.AcceptLanguage)
	return spoken[i]
}
