package trust

import (
	"net/http"
	"strings"
)

// texts are the page's words in one language.
type texts struct {
	Lang, Other, OtherName string

	Title, Why                   string
	Off, OffHow                  string
	Public, Open, OpenHere       string
	Scan, Intro, Trusted, NotYet string
	Download, Steps              string
	IOS, Android, Windows        []string
	MacOS, Linux                 []string
	WeChat                       string
	Compare, CompareWhy          string
}

var chinese = texts{
	Lang: "zh-CN", Other: "en", OtherName: "English",
	Title:    "用 HTTPS 打开直播间",
	Why:      "浏览器只在 HTTPS 页面上允许使用摄像头和麦克风。",
	Off:      "这台服务器还没有开启 HTTPS。",
	OffHow:   "请管理员在配置中设置 tls.mode：有公网域名用 acme，只在局域网里用 local，已有证书用 files；然后重启服务器。",
	Public:   "这台服务器的证书所有设备都信任，无需安装任何东西。",
	Open:     "用 HTTPS 打开",
	OpenHere: "这个页面已经在用 HTTPS，一切就绪。",
	Scan:     "用手机扫码打开本页",
	Intro:    "这台服务器的证书由它自己的私有机构签发。每台设备只需信任一次：",
	Trusted:  "这台设备已信任证书",
	NotYet:   "这台设备还不信任证书",
	Download: "下载证书",
	Steps:    "各系统的步骤",
	IOS: []string{
		"用 Safari 打开本页（不要用微信），点“下载证书”，选择“允许”。",
		"打开“设置”，点顶部的“已下载描述文件”（或“通用 › VPN 与设备管理”），点“安装”，输入锁屏密码。",
		"“设置 › 通用 › 关于本机 › 证书信任设置”，打开这张证书的开关。",
		"回到本页，点“用 HTTPS 打开”。",
	},
	Android: []string{
		"用 Chrome 打开本页，点“下载证书”。",
		"“设置 › 安全 › 加密与凭据 › 安装证书 › CA 证书”（各品牌的名称略有不同，可在设置里搜索“证书”），选择刚下载的 ca.crt。",
		"回到本页，点“用 HTTPS 打开”。",
	},
	Windows: []string{
		"下载证书并双击，点“安装证书”，选择“当前用户”。",
		"选择“将所有的证书都放入下列存储”，再选“受信任的根证书颁发机构”，完成后重启浏览器。",
	},
	MacOS: []string{
		"下载证书并双击，加入“登录”钥匙串。",
		"在“钥匙串访问”中双击它，展开“信任”，选择“始终信任”。",
	},
	Linux: []string{
		"Chrome：设置 › 隐私和安全 › 安全 › 管理证书 › 授权机构 › 导入。",
		"整个系统（Debian、Ubuntu）：把 ca.pem 存为 /usr/local/share/ca-certificates/vitrine.crt，再运行 sudo update-ca-certificates。",
	},
	WeChat:     "微信内置浏览器和小程序不认私有证书：请用 Safari 或 Chrome 开播；给小程序观众用时请配置公网域名（tls.mode: acme）。",
	Compare:    "核对证书指纹（SHA-256）",
	CompareWhy: "它应与服务器日志里的一致。这个私有机构只能为局域网地址和这台服务器的名字签发证书。",
}

var english = texts{
	Lang: "en", Other: "zh", OtherName: "中文",
	Title:    "Open the studio over HTTPS",
	Why:      "Browsers give the camera and the microphone to HTTPS pages alone.",
	Off:      "This server does not speak HTTPS yet.",
	OffHow:   "Its operator sets tls.mode in the configuration and restarts it: acme with a public domain, local within a private network, files with a certificate at hand.",
	Public:   "Every device trusts this server's certificate. There is nothing to install.",
	Open:     "Open over HTTPS",
	OpenHere: "This page is on HTTPS already. All is ready.",
	Scan:     "Scan to open this page on the phone",
	Intro:    "This server's certificate comes from a private authority of its own. Each device has to trust it once:",
	Trusted:  "This device trusts the certificate",
	NotYet:   "This device does not trust the certificate yet",
	Download: "Download the certificate",
	Steps:    "Steps for each system",
	IOS: []string{
		"Open this page in Safari (not in WeChat), tap “Download the certificate”, then “Allow”.",
		"In Settings tap “Profile Downloaded” at the top (or General › VPN & Device Management), then “Install”, and enter the passcode.",
		"Settings › General › About › Certificate Trust Settings: turn this certificate on.",
		"Come back here and tap “Open over HTTPS”.",
	},
	Android: []string{
		"Open this page in Chrome and tap “Download the certificate”.",
		"Settings › Security › Encryption & credentials › Install a certificate › CA certificate (brands name it differently: search the settings for “certificate”), and choose ca.crt.",
		"Come back here and tap “Open over HTTPS”.",
	},
	Windows: []string{
		"Download the certificate, double-click it, “Install Certificate…”, “Current User”.",
		"“Place all certificates in the following store”: “Trusted Root Certification Authorities”. Restart the browser afterwards.",
	},
	MacOS: []string{
		"Download the certificate and double-click it; add it to the “login” keychain.",
		"Double-click it in Keychain Access, open “Trust”, choose “Always Trust”.",
	},
	Linux: []string{
		"Chrome: Settings › Privacy and security › Security › Manage certificates › Authorities › Import.",
		"The whole system (Debian, Ubuntu): save ca.pem as /usr/local/share/ca-certificates/vitrine.crt and run sudo update-ca-certificates.",
	},
	WeChat:     "WeChat's own browser and mini-programs accept no private certificate: go live in Safari or Chrome, and for viewers in a mini-program set up a public domain (tls.mode: acme).",
	Compare:    "Compare the certificate's fingerprint (SHA-256)",
	CompareWhy: "It must be the one in the server's log. The authority can sign for private networks and this server's own names alone.",
}

// speak chooses the language: what the address asks for, else the first that the browser wants and we have.
func speak(r *http.Request) *texts {
	wants := append([]string{r.URL.Query().Get("lang")}, strings.Split(r.Header.Get("Accept-Language"), ",")...)
	for _, want := range wants {
		switch tag := strings.ToLower(strings.TrimSpace(want)); {
		case strings.HasPrefix(tag, "zh"):
			return &chinese
		case strings.HasPrefix(tag, "en"):
			return &english
		}
	}
	return &english
}
