package commerce

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Claims that advertising law forbids or asks proof of. Chinese: article 9 of the Advertising Law (国家级, 最高级, 最佳 and
// the like) and what its practice added. English: absolutes and cures that consumer law asks proof of.
var (
	claimWords = []string{
		"国家级", "世界级", "宇宙级", "顶级", "极品", "绝版", "王牌", "冠军品质", "全国首", "全球首", "全网首", "史无前例", "前无古人", "独一无二", "绝无仅有",
		"永久", "万能", "百分百", "100%有效", "100%纯", "零风险", "零缺陷", "无副作用", "包治", "根治", "药到病除", "特效", "国家领导人", "国务院", "驰名商标",
		"全网底价", "全网最低", "绝对",
	}
	// superlatives are 最 with what makes a claim of it; 最近, 最后, 最多 and others are plain words.
	superlatives = regexp.MustCompile(`最(?:[好佳优大小强美高低新棒牛酷赞爱火热快]|便宜|先进|时尚|流行|受欢迎|畅销|有效|安全|顶级|奢侈|适合|具|高级|低价|专业|权威|底|正宗)`)
	firsts       = regexp.MustCompile(`(?:第一(?:[名品]|品牌|的|$|[^0-9次天步个季期代时件章节眼手大者回册卷集层页行课轮周年月日批])|[nN][oO]\.?\s?1(?:[^0-9]|$)|[tT][oO][pP]\s?1(?:[^0-9]|$)|唯一|首选|独家)`)
	english      = regexp.MustCompile(`(?i)\b(?:the (?:very )?best|world'?s (?:best|finest|first|largest)|best in (?:the )?(?:world|market|class)|number one|the cheapest|lowest price (?:ever|guaranteed|anywhere)|100 ?% (?:effective|guaranteed|safe)|guaranteed (?:cure|results)|cures? (?:cancer|diabetes|all)|miracle cure|risk[- ]free|no side effects)\b`)
)

// claimsIn returns the claims in a text, as they stand there, each once.
func claimsIn(text string) []string {
	folded := plain(text)
	var found []string
	for _, w := range claimWords {
		if strings.Contains(folded, w) {
			found = append(found, w)
		}
	}
	for _, re := range []*regexp.Regexp{superlatives, firsts} {
		found = append(found, re.FindAllString(folded, -1)...)
	}
	found = append(found, english.FindAllString(norm.NFKC.String(text), -1)...)
	for i := range found {
		found[i] = strings.TrimSpace(found[i])
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// plain folds a text so that a word is found however it is written: full width and half width, capitals, and characters
// put in between that nobody reads, such as spaces among Chinese characters.
func plain(text string) string {
	text = strings.ToLower(norm.NFKC.String(text))
	runes := []rune(text)
	var out strings.Builder
	for i, r := range runes {
		if unicode.Is(unicode.Cf, r) { // zero width
			continue
		}
		if filler(r) && besideHan(runes, i) {
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

func filler(r rune) bool {
	return r != '\n' && unicode.IsSpace(r) || strings.ContainsRune("*·.-_~", r)
}

// besideHan reports whether the run of fillers around i stands between two Chinese characters.
func besideHan(runes []rune, i int) bool {
	before, after := i-1, i+1
	for before >= 0 && filler(runes[before]) {
		before--
	}
	for after < len(runes) && filler(runes[after]) {
		after++
	}
	return before >= 0 && after < len(runes) && unicode.Is(unicode.Han, runes[before]) && unicode.Is(unicode.Han, runes[after])
}
