//go:build !linux

package rtmp

import "net"

// tcpState knows nothing on this system.
func tcpState(net.Conn) (state pathState, ok bool) { return state, false }
