// Package wechat speaks to WeChat's server API for one mini-program: it learns who a viewer is, and sends what they asked
// to be told. It keeps the access token of the mini-program.
package wechat
