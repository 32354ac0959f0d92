package rtmp

// command is a decoded command message (RTMP 1.0, 7.1.1).
type command struct {
	name        string
	transaction float64
	args        []any // the command object first
	streamID    uint32
}

// parseCommand decodes the body of a command message. What cannot be decoded behind the name and the transaction ID is
// left out; only those two missing, or a hostile body, is an error.
func parseCommand(m message) (command, error) {
	d := amfDecoder{b: m.body}
	values, err := d.all()
	if err != nil {
		return command{}, &ending{reason: BadAMF, err: err}
	}
	if len(values) < 2 {
		return command{}, breach(BadCommand, "a command message without name and transaction")
	}
	name, ok := values[0].(string)
	transaction, numeric := values[1].(float64)
	if !ok || !numeric {
		return command{}, breach(BadCommand, "a command message without name and transaction")
	}
	return command{name: name, transaction: transaction, args: values[2:], streamID: m.streamID}, nil
}

// text returns argument i as a string, or "".
func (c *command) text(i int) string {
	if i >= len(c.args) {
		return ""
	}
	s, _ := c.args[i].(string)
	return s
}

// number returns argument i as a number.
func (c *command) number(i int) (n float64, ok bool) {
	if i >= len(c.args) {
		return 0, false
	}
	n, ok = c.args[i].(float64)
	return n, ok
}

// object returns argument i as an object, empty if it is none.
func (c *command) object(i int) amfObject {
	if i >= len(c.args) {
		return nil
	}
	o, _ := c.args[i].(amfObject)
	return o
}

// canonical renders connect, createStream or publish as the RTMP library expects it: with exactly the arguments that it
// reads, in the types that it reads them in.
func (c *command) canonical() []byte {
	args := []any{nil} // createStream
	switch c.name {
	case "connect":
		o := c.object(0)
		args = []any{amfObject{
			{"app", o.text("app")}, {"type", o.text("type")}, {"flashVer", o.text("flashVer")}, {"tcUrl", o.text("tcUrl")},
		}}
	case "publish":
		args = []any{nil, c.text(1), "live"}
	}
	body := appendAMF(appendAMF(nil, c.name), wholeTransaction(c.transaction))
	for _, a := range args {
		body = appendAMF(body, a)
	}
	return body
}

// wholeTransaction keeps the transaction ID within what the library, which converts it to an integer, gives back
// unchanged.
func wholeTransaction(t float64) float64 {
	const exact = 1 << 53
	if t >= 0 && t <= exact {
		return float64(int64(t))
	}
	return 0
}
