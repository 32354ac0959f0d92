package live

// catalogue is the words of every warning. Menus are called as OBS Studio calls them in each language.
var catalogue = map[string]advice{
	codePublisherGone: {
		phrase{
			"The connection to the broadcaster is lost. Viewers see the last picture, and the show waits until {clock} (UTC), {seconds} s in all, before it ends.",
			"与主播端的连接已断开，观众看到的是最后一帧画面。直播会等待 {seconds} 秒（到 UTC {clock}），之后自动结束。",
		},
		map[tool]phrase{anyTool: {
			"Start again with the same stream key: the show goes on where it stopped. OBS reconnects by itself (Settings > Advanced > Automatically Reconnect); the studio page does too.",
			"用同一个推流码重新开播，直播会接着进行。OBS 会自动重连（设置 > 高级 > 自动重连），手机开播页也会自动重连。",
		}},
	},
	codeNothingYet: {
		phrase{
			"The broadcaster has been connected for {seconds} s, but neither picture nor sound has come.",
			"已连接 {seconds} 秒，但还没有收到画面和声音。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: press Stop Streaming, then Start Streaming. If it stays like this, choose another encoder: Settings > Output > Streaming > Video Encoder.",
				"在 OBS 中：点击“停止直播”，再点击“开始直播”。如果仍然没有画面，请换一个编码器：设置 > 输出 > 直播 > 视频编码器。",
			},
			phone: {
				"This network seems to block the way of the picture. Try another one: mobile data instead of Wi-Fi, or the other way round. If none works, the server's operator must open its media port, UDP and TCP (webrtc.addr), and behind NAT set webrtc.public.",
				"当前网络可能挡住了视频传输。请换一个网络试试，例如用移动数据代替 Wi-Fi，或反过来。如果都不行，请服务器管理员开放媒体端口的 UDP 和 TCP（webrtc.addr），在 NAT 后面时还要设置 webrtc.public。",
			},
			anyTool: {"Stop and start again.", "请停止后重新开播。"},
		},
	},
	codeStalled: {
		phrase{
			"Nothing has come for {seconds} s: viewers see a frozen picture.",
			"已经 {seconds} 秒没有收到任何数据，观众看到的画面已经卡住。",
		},
		map[tool]phrase{
			encoder: {
				"Check this computer's internet connection. In OBS, look at the status bar: if it does not say that it is reconnecting, press Stop Streaming, then Start Streaming.",
				"请检查这台电脑的网络。看一下 OBS 底部的状态栏：如果没有显示正在重新连接，请点击“停止直播”，再点击“开始直播”。",
			},
			phone: {
				"Keep the page open and in front, and check the phone's signal. Wi-Fi and mobile data can be switched while live: the page reconnects.",
				"请保持页面在前台打开，并检查手机信号。开播中可以在 Wi-Fi 和移动数据之间切换，页面会自动重连。",
			},
			anyTool: {"Check whether the other server is still on air.", "请检查源站是否仍在直播。"},
		},
	},
	codePictureStopped: {
		phrase{
			"Sound comes, but no picture for {seconds} s: viewers see it stand still.",
			"有声音，但已经 {seconds} 秒没有画面，观众看到的画面是静止的。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: look whether the preview moves. If it does, the encoder has stopped: press Stop Streaming, then Start Streaming, and choose another one if it happens again (Settings > Output > Streaming > Video Encoder).",
				"在 OBS 中：看预览画面是否在动。如果在动，说明编码器已停止工作：点击“停止直播”，再点击“开始直播”；若再次出现，请更换编码器（设置 > 输出 > 直播 > 视频编码器）。",
			},
			phone: {
				"Another app may have taken the camera, or the page is in the background: bring the page to the front, or switch the camera.",
				"可能有其他应用占用了摄像头，或页面切到了后台：请把页面切回前台，或切换一下摄像头。",
			},
			anyTool: {"Check the picture at the other server.", "请检查源站的画面。"},
		},
	},
	codeUploadSlow: {
		phrase{
			"The upload is too slow: pictures arrive {seconds} s late, and the picture will stop for viewers.",
			"上行网速不够：画面晚到 {seconds} 秒，观众会遇到卡顿。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: Settings > Output > Video Bitrate = {kbps} Kbps, and Settings > Advanced > Network > Dynamically change bitrate to manage congestion. A cable is better than Wi-Fi; stop other uploads.",
				"在 OBS 中：设置 > 输出 > 视频码率 = {kbps} Kbps，并勾选 设置 > 高级 > 网络 > 动态调整码率以应对网络拥堵。尽量用网线代替 Wi-Fi，并停止其他上传。",
			},
			phone: {
				"Choose a lower quality in the studio (480p), move closer to the router, or switch between Wi-Fi and mobile data.",
				"在开播页选择较低的清晰度（480p），靠近路由器，或在 Wi-Fi 与移动数据之间切换。",
			},
			anyTool: {"Choose a smaller variant of the stream as the source, or a server nearer by.", "请选择码率更低的源流，或更近的源站。"},
		},
	},
	codeRecordingPaused: {
		phrase{
			"The recording is paused: this part of the show will be missing from the replay. {reason}",
			"录制已暂停，这一段不会出现在回放中。{reason}",
		},
		map[tool]phrase{anyTool: {
			"The show itself goes on. Ask whoever runs the server to free disk space; the recording then goes on by itself.",
			"直播本身不受影响。请联系服务器管理员清理磁盘空间，之后录制会自动继续。",
		}},
	},
	codeNotRecorded: {
		phrase{
			"This show is not recorded: there will be no replay.",
			"本场直播没有录制，结束后没有回放。",
		},
		map[tool]phrase{anyTool: {
			"The show itself goes on. For a replay, record on your side too (in OBS: Start Recording), and ask whoever runs the server to look at its log.",
			"直播本身不受影响。如需保留，请在本地同时录制（OBS：开始录制），并联系服务器管理员查看日志。",
		}},
	},
	codeSoundStopped: {
		phrase{
			"The picture comes, but no sound for {seconds} s.",
			"有画面，但已经 {seconds} 秒没有声音。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: press Stop Streaming, then Start Streaming. If it happens again, choose another one in Settings > Output > Streaming > Audio Encoder.",
				"在 OBS 中：点击“停止直播”，再点击“开始直播”。若再次出现，请更换 设置 > 输出 > 直播 > 音频编码器。",
			},
			phone: {
				"A call or another app may have taken the microphone: end it, then choose the microphone again in the studio.",
				"可能有来电或其他应用占用了麦克风：请先结束，再在开播页重新选择麦克风。",
			},
			anyTool: {"Check the sound at the other server.", "请检查源站的声音。"},
		},
	},
	codeLoss: {
		phrase{
			"{percent}% of the data is lost on the way: the picture freezes for moments and the sound breaks up.",
			"有 {percent}% 的数据在途中丢失，画面会短暂卡住，声音会断续。",
		},
		map[tool]phrase{
			encoder: {
				"Use a cable instead of Wi-Fi. In OBS: lower Settings > Output > Video Bitrate; with RTMP instead of WHIP (Settings > Stream > Service) nothing is lost, at the price of some delay.",
				"请用网线代替 Wi-Fi。在 OBS 中：调低 设置 > 输出 > 视频码率；如果用 RTMP 代替 WHIP（设置 > 直播 > 服务），数据不会丢失，但延迟会略高。",
			},
			anyTool: {
				"Move closer to the router, or switch between Wi-Fi and mobile data. A lower quality (480p) helps too.",
				"请靠近路由器，或在 Wi-Fi 与移动数据之间切换；选择较低的清晰度（480p）也有帮助。",
			},
		},
	},
	codePicturesDropped: {
		phrase{
			"{count} pictures could not be shown in the last half minute, because pieces of them were lost: viewers saw the picture freeze.",
			"最近半分钟有 {count} 帧因数据丢失而无法显示，观众看到了画面卡顿。",
		},
		map[tool]phrase{
			encoder: {
				"Use a cable instead of Wi-Fi. In OBS: lower Settings > Output > Video Bitrate.",
				"请用网线代替 Wi-Fi。在 OBS 中：调低 设置 > 输出 > 视频码率。",
			},
			anyTool: {
				"Move closer to the router, or switch between Wi-Fi and mobile data. A lower quality (480p) helps too.",
				"请靠近路由器，或在 Wi-Fi 与移动数据之间切换；选择较低的清晰度（480p）也有帮助。",
			},
		},
	},
	codeNoSound: {
		phrase{"There is no sound.", "没有声音。"},
		map[tool]phrase{
			encoder: {
				"In OBS: Settings > Audio > Global Audio Devices > Mic/Auxiliary Audio = your microphone, and look that its bar moves in the Audio Mixer. With Output Mode = Advanced, Settings > Output > Streaming > Audio Track must be one that has sound.",
				"在 OBS 中：设置 > 音频 > 全局音频设备 > 麦克风/辅助音频 选择你的麦克风，并确认“混音器”里的音量条在跳动。如果输出模式是“高级”，设置 > 输出 > 直播 > 音轨 要选有声音的那一条。",
			},
			phone: {
				"Allow the page to use the microphone (the lock beside the address), and choose it in the studio.",
				"请允许页面使用麦克风（地址栏旁的锁形图标），并在开播页选择麦克风。",
			},
			anyTool: {"The source has no AAC sound: check it at the other server.", "源流没有 AAC 声音，请检查源站。"},
		},
	},
	codeSilent: {
		phrase{
			"The sound is completely silent: viewers hear nothing.",
			"声音是完全静音的，观众什么也听不到。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: look at the Audio Mixer. If the microphone's bar does not move, unmute it (the loudspeaker symbol) or choose another device in Settings > Audio > Mic/Auxiliary Audio.",
				"在 OBS 中：查看“混音器”。如果麦克风的音量条不动，请取消静音（点击喇叭图标），或在 设置 > 音频 > 麦克风/辅助音频 中换一个设备。",
			},
			phone: {
				"Unmute in the studio, or choose another microphone. A headset that is switched off can be the reason.",
				"请在开播页取消静音，或换一个麦克风。也可能是蓝牙耳机已关机。",
			},
			anyTool: {"Check the sound at the other server.", "请检查源站的声音。"},
		},
	},
	codeNoPicture: {
		phrase{
			"There is sound but no picture.",
			"只有声音，没有画面。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: press Stop Streaming, choose an H.264 encoder in Settings > Output > Streaming > Video Encoder (x264 works everywhere), then Start Streaming.",
				"在 OBS 中：点击“停止直播”，在 设置 > 输出 > 直播 > 视频编码器 中选择 H.264 编码器（x264 任何电脑都可用），再点击“开始直播”。",
			},
			phone: {
				"Allow the page to use the camera (the lock beside the address), and choose it in the studio.",
				"请允许页面使用摄像头（地址栏旁的锁形图标），并在开播页选择摄像头。",
			},
			anyTool: {"The source has no picture that can be used: check it at the other server.", "源流没有可用的画面，请检查源站。"},
		},
	},
	codeColourFormat: {
		phrase{
			"The picture is coded as {format}, which most phones cannot play: many viewers hear sound without a picture.",
			"画面的编码格式是 {format}，多数手机无法播放，很多观众只有声音没有画面。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: Settings > Advanced > Color Format = NV12, then stop and start streaming. (In ffmpeg: -pix_fmt yuv420p)",
				"在 OBS 中：设置 > 高级 > 色彩格式 = NV12，然后停止并重新开始直播。（ffmpeg：-pix_fmt yuv420p）",
			},
			anyTool: {"The source must be 4:2:0 with 8 bit.", "源流必须是 8 bit 4:2:0。"},
		},
	},
	codeCodec: {
		phrase{
			"The picture is {codec}: WeChat's players and many older phones will not show it.",
			"画面编码是 {codec}：微信播放器和很多老手机无法显示。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: Settings > Output > Streaming > Video Encoder = one with H.264 in its name, or x264. Or turn on the room's ladder (720p, 480p): it makes H264 beside it.",
				"在 OBS 中：设置 > 输出 > 直播 > 视频编码器 选择名称带 H.264 的编码器，或 x264。也可以在房间设置里开启转码（720p、480p），会同时生成 H264。",
			},
			anyTool: {
				"Turn on the room's ladder (720p, 480p): it makes H264 beside it.",
				"请在房间设置里开启转码（720p、480p），会同时生成 H264。",
			},
		},
	},
	codeKeyframesFar: {
		phrase{
			"A keyframe only every {seconds} s: viewers wait long for the picture and the delay rises.",
			"关键帧间隔长达 {seconds} 秒：观众打开后要等很久，延迟也会变大。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: Settings > Output > Output Mode = Advanced > Streaming > Keyframe Interval = 2 s. (In ffmpeg: -g 60 at 30 fps)",
				"在 OBS 中：设置 > 输出 > 输出模式 = 高级 > 直播 > 关键帧间隔 = 2 秒。（ffmpeg：30 帧时 -g 60）",
			},
			phone: {
				"The phone does not send keyframes when it is asked to: stop and start again, or use another browser.",
				"手机没有按要求发送关键帧：请停止后重新开播，或换一个浏览器。",
			},
			anyTool: {"Set the keyframe interval to 2 s at the source.", "请在源端把关键帧间隔设为 2 秒。"},
		},
	},
	codeFramesMissing: {
		phrase{
			"{percent}% of the pictures are missing: the picture jerks.",
			"缺少 {percent}% 的帧，画面不流畅。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS, open View > Stats. Dropped Frames (Network): Settings > Output > Video Bitrate = {kbps} Kbps. Skipped frames due to encoding lag: choose a hardware encoder (NVENC, QuickSync, AMD) or a smaller Settings > Video > Output (Scaled) Resolution. Frames missed due to rendering lag: close other programs.",
				"在 OBS 中打开 视图 > 统计。若“丢弃的帧(网络)”在增加：设置 > 输出 > 视频码率 = {kbps} Kbps；若“由于编码延迟跳过的帧”在增加：改用硬件编码器（NVENC、QuickSync、AMD），或调小 设置 > 视频 > 输出 (缩放) 分辨率；若“由于渲染延迟错过的帧”在增加：关闭其他程序。",
			},
			phone: {
				"The phone cannot keep up: close other apps, let it cool down, put more light on the scene, or choose a lower quality.",
				"手机性能跟不上：请关闭其他应用、让手机降温、补充光线，或选择较低的清晰度。",
			},
			anyTool: {"Check the picture at the other server.", "请检查源站的画面。"},
		},
	},
	codeFPSLow: {
		phrase{
			"Only {fps} pictures a second: movement jerks.",
			"帧率只有 {fps} 帧/秒，动作不连贯。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: Settings > Video > Common FPS Values = 30. If it is 30 already, the camera gives fewer: open the source's properties, and put more light on the scene.",
				"在 OBS 中：设置 > 视频 > 常用帧率 = 30。如果已经是 30，说明摄像头给的帧率低：打开该来源的属性检查，并补充光线。",
			},
			phone: {
				"Put more light on the scene: cameras slow down in the dark. Close other apps, or choose a lower quality.",
				"请补充光线：摄像头在暗处会降低帧率。也可以关闭其他应用，或选择较低的清晰度。",
			},
			anyTool: {"Check the picture at the other server.", "请检查源站的画面。"},
		},
	},
	codeBitrateHigh: {
		phrase{
			"{kbps} Kbps is more than many phones on mobile networks can load: their picture will stop again and again.",
			"码率 {kbps} Kbps 太高，很多用移动网络的观众会反复卡顿。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: Settings > Output > Video Bitrate = {target} Kbps. Or turn on the room's ladder (720p, 480p), so that each viewer gets what fits.",
				"在 OBS 中：设置 > 输出 > 视频码率 = {target} Kbps。也可以在房间设置里开启转码（720p、480p），让观众按网速选择。",
			},
			anyTool: {
				"Choose a lower quality, or turn on the room's ladder (720p, 480p), so that each viewer gets what fits.",
				"请选择较低的清晰度，或在房间设置里开启转码（720p、480p），让观众按网速选择。",
			},
		},
	},
	codeTimestamps: {
		phrase{
			"The encoder's clock is not steady: {count} timestamps had to be mended in the last half minute. Sound and picture may drift apart.",
			"编码器的时间戳不稳定：最近半分钟修正了 {count} 次，音画可能不同步。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: press Stop Streaming, then Start Streaming. If it stays, look at sources that play files or other streams, and set Settings > Audio > Sample Rate = 48 kHz.",
				"在 OBS 中：点击“停止直播”，再点击“开始直播”。若仍然出现，请检查播放文件或网络流的来源，并设置 设置 > 音频 > 采样率 = 48 kHz。",
			},
			anyTool: {"Stop and start again; if it stays, use another browser or source.", "请停止后重新开播；若仍然出现，请更换浏览器或源流。"},
		},
	},
	codeSizeLarge: {
		phrase{
			"The picture is {size}: more than phones can show, and many cannot play it smoothly.",
			"画面尺寸 {size} 超过手机屏幕所需，很多手机无法流畅播放。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: Settings > Video > Output (Scaled) Resolution = {target} or smaller.",
				"在 OBS 中：设置 > 视频 > 输出 (缩放) 分辨率 = {target} 或更小。",
			},
			anyTool: {"Choose {target} or smaller.", "请选择 {target} 或更小。"},
		},
	},
	codeSizeOdd: {
		phrase{
			"The picture is {size}, with an odd number of pixels: some players show a green edge, and no ladder can be made of it.",
			"画面尺寸 {size} 含奇数像素，部分播放器会出现绿边，也无法转码。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: Settings > Video > Output (Scaled) Resolution = {target}.",
				"在 OBS 中：设置 > 视频 > 输出 (缩放) 分辨率 = {target}。",
			},
			anyTool: {"Choose {target}.", "请选择 {target}。"},
		},
	},
	codeSurround: {
		phrase{
			"The sound has {channels} channels: many phones play it wrongly or not at all.",
			"声音有 {channels} 个声道，很多手机播放异常或没有声音。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: Settings > Audio > Channels = Stereo.",
				"在 OBS 中：设置 > 音频 > 声道 = 立体声。",
			},
			anyTool: {"Send stereo.", "请使用立体声。"},
		},
	},
	codeInterlaced: {
		phrase{
			"The picture is interlaced: viewers see combs at everything that moves.",
			"画面是隔行扫描的，运动的地方会出现梳状条纹。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: right-click the source > Deinterlacing > Yadif 2x. On a hardware encoder: choose a mode with p (1080p30), not i.",
				"在 OBS 中：右键点击来源 > 反交错 > Yadif 2x。硬件编码器请选择逐行模式（如 1080p30），不要选 1080i。",
			},
			anyTool: {"Send a progressive picture.", "请使用逐行扫描的画面。"},
		},
	},
	codeJitter: {
		phrase{
			"The connection is uneven: pictures come in bursts ({ms} ms apart from their time). Viewers may see short stops.",
			"网络不稳定：画面到达时间波动 {ms} 毫秒，观众可能会短暂卡顿。",
		},
		map[tool]phrase{
			encoder: {
				"Use a cable instead of Wi-Fi and stop other uploads. In OBS: Settings > Output > Rate Control = CBR with a lower Video Bitrate.",
				"请用网线代替 Wi-Fi，并停止其他上传。在 OBS 中：设置 > 输出 > 码率控制 = CBR，并调低视频码率。",
			},
			anyTool: {
				"Move closer to the router, or switch between Wi-Fi and mobile data.",
				"请靠近路由器，或在 Wi-Fi 与移动数据之间切换。",
			},
		},
	},
	codeLadderDown: {
		phrase{
			"The smaller pictures ({names}) are interrupted. Viewers with slow networks get the full picture or wait. {reason}",
			"转码清晰度（{names}）中断，网速慢的观众只能看原画或等待。{reason}",
		},
		map[tool]phrase{anyTool: {
			"Nothing to do for you: they come back by themselves. If it happens often, the server is overloaded: whoever runs it can take presets off the room's ladder.",
			"你无需操作，会自动恢复。如果经常出现，说明服务器负载过高，请管理员减少房间的转码档位。",
		}},
	},
	codeLadderRefused: {
		phrase{
			"The smaller pictures ({names}) are not made. {reason}",
			"没有生成转码清晰度（{names}）。{reason}",
		},
		map[tool]phrase{anyTool: {
			"The show goes on in its own quality: keep the bitrate at 2500 Kbps or less, so that slow networks can follow. Whoever runs the server can raise transcode.max_cost, or end another ladder.",
			"直播以原画进行：请把码率控制在 2500 Kbps 以内，方便网速慢的观众。管理员可以调高 transcode.max_cost，或停掉其他房间的转码。",
		}},
	},
	codeRTT: {
		phrase{
			"The way to the server takes {ms} ms: repairing what is lost takes as long, and pins come late.",
			"到服务器的往返时延为 {ms} 毫秒，丢包修复会变慢，商品弹出也会滞后。",
		},
		map[tool]phrase{anyTool: {
			"Switch off VPNs and proxies, or try another network.",
			"请关闭 VPN 和代理，或换一个网络。",
		}},
	},
	codeRepaired: {
		phrase{
			"{percent}% of the data has to be sent twice: the connection is close to its limit.",
			"有 {percent}% 的数据需要重发，网络已接近极限。",
		},
		map[tool]phrase{
			encoder: {
				"Use a cable instead of Wi-Fi. In OBS: lower Settings > Output > Video Bitrate by a quarter.",
				"请用网线代替 Wi-Fi。在 OBS 中：把 设置 > 输出 > 视频码率 调低四分之一。",
			},
			anyTool: {
				"Move closer to the router, or choose a lower quality.",
				"请靠近路由器，或选择较低的清晰度。",
			},
		},
	},
	codeBitrateLow: {
		phrase{
			"{kbps} Kbps is little for {size}: movement looks blocky.",
			"{size} 的画面只有 {kbps} Kbps，运动时会有马赛克。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: Settings > Output > Video Bitrate = {target} Kbps, or Settings > Video > Output (Scaled) Resolution = {smaller}.",
				"在 OBS 中：设置 > 输出 > 视频码率 = {target} Kbps，或 设置 > 视频 > 输出 (缩放) 分辨率 = {smaller}。",
			},
			phone: {
				"The network lets no more through: choose 480p in the studio for a clearer picture, or look for a better connection.",
				"当前网络只能传这么多：在开播页选择 480p 画面会更清楚，或换一个更好的网络。",
			},
			anyTool: {"Choose a better variant of the stream as the source.", "请选择码率更高的源流。"},
		},
	},
	codeBitrateUnstable: {
		phrase{
			"The bitrate swings between {mean} Kbps on average and {peak} Kbps: players on slow networks stop at the peaks.",
			"码率波动很大：平均 {mean} Kbps，峰值 {peak} Kbps，网速慢的观众会在峰值时卡顿。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: Settings > Output > Output Mode = Advanced > Streaming > Rate Control = CBR, Bitrate = {target} Kbps.",
				"在 OBS 中：设置 > 输出 > 输出模式 = 高级 > 直播 > 码率控制 = CBR，码率 = {target} Kbps。",
			},
			phone: {
				"The network changes all the time: stay in one place, close to the router.",
				"网络变化频繁：请尽量不要移动，并靠近路由器。",
			},
			anyTool: {"Let the source send at a constant bitrate.", "请让源端使用固定码率。"},
		},
	},
	codeKeyframesOften: {
		phrase{
			"A keyframe every {seconds} s: more often than needed, which costs picture quality.",
			"每 {seconds} 秒就有一个关键帧，过于频繁，会降低画质。",
		},
		map[tool]phrase{anyTool: {
			"In OBS: Settings > Output > Output Mode = Advanced > Streaming > Keyframe Interval = 2 s. (In ffmpeg: -g 60 at 30 fps)",
			"在 OBS 中：设置 > 输出 > 输出模式 = 高级 > 直播 > 关键帧间隔 = 2 秒。（ffmpeg：30 帧时 -g 60）",
		}},
	},
	codeSizeSmall: {
		phrase{
			"The picture is only {size}: it looks blurred on phones.",
			"画面尺寸只有 {size}，在手机上会模糊。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: Settings > Video > Output (Scaled) Resolution = {target}.",
				"在 OBS 中：设置 > 视频 > 输出 (缩放) 分辨率 = {target}。",
			},
			anyTool: {
				"Choose 720p. If it is chosen already, the network lets no more through: look for a better connection.",
				"请选择 720p。如果已经是 720p，说明网络只能传这么多，请换一个更好的网络。",
			},
		},
	},
	codeSampleRate: {
		phrase{
			"The sound has {khz} kHz: it is dull, and some players do not take it.",
			"声音采样率为 {khz} kHz，音质发闷，部分播放器不支持。",
		},
		map[tool]phrase{
			encoder: {
				"In OBS: Settings > Audio > Sample Rate = 48 kHz.",
				"在 OBS 中：设置 > 音频 > 采样率 = 48 kHz。",
			},
			anyTool: {"Send 48 kHz.", "请使用 48 kHz。"},
		},
	},
	codeMono: {
		phrase{
			"The sound is mono. That is fine for speech; music loses its width.",
			"声音是单声道。说话没有问题，音乐会失去立体感。",
		},
		map[tool]phrase{anyTool: {
			"In OBS: Settings > Audio > Channels = Stereo.",
			"在 OBS 中：设置 > 音频 > 声道 = 立体声。",
		}},
	},
	codeSoundBitrateLow: {
		phrase{
			"The sound has only {kbps} Kbps: voices sound like on a telephone.",
			"声音码率只有 {kbps} Kbps，人声会像打电话。",
		},
		map[tool]phrase{anyTool: {
			"In OBS: Settings > Output > Audio Bitrate = 128. With Output Mode = Advanced: Settings > Output > Audio > Track 1 > Audio Bitrate.",
			"在 OBS 中：设置 > 输出 > 音频码率 = 128。如果输出模式是“高级”：设置 > 输出 > 音频 > 轨道 1 > 音频码率。",
		}},
	},
}
