package overlay

import "github.com/gorilla/websocket"

// closing is why the server ends a connection of the channel. WebSocket clients get the code and the reason in the close
// frame; event streams and long polls just end and come back by themselves.
//
// On any of these a client reconnects with its last position, after a random pause that grows from try to try.
type closing struct {
	code   int
	reason string
}

// The close codes, part of the public interface. Codes 4000-4999 are the application's (RFC 6455, 7.4.2); the last
// three digits are those of the HTTP status with the same meaning.
var (
	// closeResync: the client reads more slowly than events come. It must reconnect with its last position; nothing is
	// lost.
	closeResync = closing{4408, "resync"}
	// closeRoomGone: the room was deleted. Reconnecting is answered with 404.
	closeRoomGone = closing{4404, "room is gone"}
	// closeNoPong: nothing came from the client since the ping before the last.
	closeNoPong = closing{4410, "no pong"}
	// closeGoingAway: the server stops or restarts.
	closeGoingAway = closing{4503, "server going away"}
	// closeTryLater: the state cannot be read for now.
	closeTryLater = closing{websocket.CloseTryAgainLater, "try again later"}
)
