package live

import "strings"

// Language is one that warnings are written in.
type Language string

// The languages, as BCP 47 names them.
const (
	English Language = "en"
	Chinese Language = "zh-CN"
)

// Languages lists them, the default first.
var Languages = []Language{English, Chinese}

// tool is what the anchor broadcasts with: the remedy names its menus.
type tool string

const (
	anyTool tool = ""
	encoder tool = "encoder" // OBS, or what is set up like it
	phone   tool = "phone"   // a browser, most likely the studio page on a phone
	pulled  tool = "pulled"  // another server's stream
)

// toolOf tells the tools apart: OBS publishes by WHIP too, and says so.
func toolOf(p *PublisherStatus) tool {
	switch {
	case p.Protocol == "hls":
		return pulled
	case p.Protocol == "whip" && !strings.Contains(strings.ToLower(p.Encoder), "obs"):
		return phone
	}
	return encoder
}

// phrase is a sentence in every language, with {gaps}.
type phrase struct{ en, zh string }

func (p phrase) in(l Language, v values) string {
	text := p.en
	if l == Chinese {
		text = p.zh
	}
	for name, value := range v {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

// advice is the words of a warning: what is wrong and what it does to viewers, and the remedy by tool. The remedy of
// anyTool stands in where a tool has none of its own.
type advice struct {
	message phrase
	remedy  map[tool]phrase
}

// Message says what is wrong, and what it means for viewers: one or two sentences.
func (w Warning) Message(l Language) string { return catalogue[w.Code].message.in(l, w.values) }

// Remedy says what to do about it, naming the menus of what the anchor broadcasts with.
func (w Warning) Remedy(l Language) string {
	byTool := catalogue[w.Code].remedy
	p, ok := byTool[w.tool]
	if !ok {
		p = byTool[anyTool]
	}
	return p.in(l, w.values)
}
