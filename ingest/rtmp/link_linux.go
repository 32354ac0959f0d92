package rtmp

import (
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// tcpState asks the system about a TCP connection, also one below TLS (tcp(7), TCP_INFO).
func tcpState(conn net.Conn) (state pathState, ok bool) {
	if wrapped, isTLS := conn.(interface{ NetConn() net.Conn }); isTLS {
		conn = wrapped.NetConn()
	}
	raw, isSocket := conn.(syscall.Conn)
	if !isSocket {
		return state, false
	}
	control, err := raw.SyscallConn()
	if err != nil {
		return state, false
	}
	var info *unix.TCPInfo
	failed := control.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
	if failed != nil || err != nil {
		return state, false
	}
	return pathState{rtt: time.Duration(info.Rtt) * time.Microsecond, segments: info.Data_segs_in, outOfOrder: info.Rcv_ooopack}, true
}
